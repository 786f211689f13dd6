//! `redial serve`: the chat of `redial-server`, as a process.

mod store;
mod tokens;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use redial_server::store::{SessionStore, StoreSettings};
use redial_server::{Chat, Limits, Origins, Sessions};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::args::{Limit, ServeArgs};
use crate::failure::Failure;
use crate::signals::Signals;

pub(crate) use store::StoreKind;
use tokens::Tokens;

pub(crate) async fn run(args: &ServeArgs) -> Result<(), Failure> {
    // A signal that comes early is not to end it in the middle of something.
    let mut signals = Signals::new()?;
    let tokens = args.tokens.as_deref().map(Tokens::read).transpose()?;
    let settings = StoreSettings { ttl: Duration::from_secs(args.ttl.into()), ..StoreSettings::default() };
    // First the address: a second server is not to open the file of the one that runs.
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.map_err(|error| Failure::check(format_args!("--listen {}: {error}", args.listen)))?;
    let address = listener.local_addr()?;
    let store = args.store.open(settings).await?;
    let sessions = sessions(args, store, tokens);
    tell(args, address)?;

    let served = sessions.serve(listener);
    tokio::pin!(served);
    tokio::select! {
        result = &mut served => return Ok(result?),
        result = signals.next() => result?,
    }
    say("going away; a second interrupt ends it at once");
    let leave = sessions.shutdown(Duration::from_secs(args.spread.into()));
    let gone = async { tokio::join!(leave, served).1 };
    tokio::select! {
        result = gone => Ok(result?),
        result = signals.next() => {
            say(&format!("connections that are cut: {}", sessions.connections()));
            Ok(result?)
        }
    }
}

fn sessions(args: &ServeArgs, store: Arc<dyn SessionStore>, tokens: Option<Tokens>) -> Sessions {
    let count = |Limit(limit): Limit| limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let limits = Limits {
        connections: count(args.connections),
        connections_per_address: count(args.connections_per_address),
        connects_per_minute: args.connects_per_minute.0,
        messages_per_second: args.messages_per_second.0,
        ..Limits::default()
    };
    let origins = match args.origin.as_slice() {
        [] => Origins::SameHost,
        these if these.iter().any(|origin| origin == "any") => Origins::Any,
        these => Origins::These(these.to_vec()),
    };
    let mut builder = Sessions::builder(Arc::clone(&store), Chat::new(store)).limits(limits).origins(origins);
    if args.trust_proxy {
        builder = builder.behind_proxy();
    }
    if let Some(tokens) = tokens {
        builder = builder.bearer(move |token| std::future::ready(tokens.check(&token)));
    }
    builder.build()
}

fn tell(args: &ServeArgs, address: SocketAddr) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line {
        listening: SocketAddr,
        store: &'static str,
    }
    say(&format!("listening on {address}, store {}; sessions wait {} s", args.store, args.ttl));
    if args.json {
        let mut line = serde_json::to_vec(&Line { listening: address, store: args.store.kind() })?;
        line.push(b'\n');
        let mut stdout = io::stdout().lock();
        stdout.write_all(&line)?;
        stdout.flush()?;
    }
    Ok(())
}

/// Nobody has to listen.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
