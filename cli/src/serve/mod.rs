//! `redial serve`: the chat of `redial-server`, as a process.

mod store;
mod tokens;

use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use redial_server::store::{SessionStore, StoreSettings};
use redial_server::{Chat, Limits, Origins, Sessions};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::args::{Limit, ServeArgs};
use crate::chaos::Proxy;
use crate::failure::Failure;
use crate::page::{self, Faulty};
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
    let mut network = JoinSet::new();
    let faulty = args.chaos.map(|listen| break_it(listen, address, &mut network)).transpose()?;
    let store = args.store.open(settings).await?;
    let sessions = sessions(args, store, tokens, origins(args, address));
    tell(args, address, faulty.as_ref().map(|faulty| faulty.address))?;

    let router = sessions.router().merge(page::router(faulty));
    let served = sessions.serve_router(listener, router);
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

/// A faulty network from `listen` to the server itself.
fn break_it(listen: SocketAddr, server: SocketAddr, network: &mut JoinSet<()>) -> Result<Faulty, Failure> {
    let upstream = match server {
        SocketAddr::V4(server) if server.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, server.port()).into(),
        SocketAddr::V6(server) if server.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, server.port()).into(),
        SocketAddr::V4(_) | SocketAddr::V6(_) => server,
    };
    let proxy = Proxy::bind(listen, upstream);
    let proxy = proxy.map_err(|error| Failure::check(format_args!("--chaos {listen}: {error}")))?;
    let faulty = Faulty { control: proxy.control(), address: proxy.local_addr() };
    network.spawn(async { match proxy.run().await {} });
    Ok(faulty)
}

fn origins(args: &ServeArgs, server: SocketAddr) -> Origins {
    match args.origin.as_slice() {
        // The page's port is not the faulty network's. By another name it needs --origin.
        [] if args.chaos.is_some() => {
            let port = server.port();
            let hosts = [
                format!("{server}"),
                format!("localhost:{port}"),
                format!("127.0.0.1:{port}"),
                format!("[::1]:{port}"),
            ];
            Origins::These(hosts.into_iter().map(|host| format!("http://{host}")).collect())
        }
        [] => Origins::SameHost,
        these if these.iter().any(|origin| origin == "any") => Origins::Any,
        these => Origins::These(these.to_vec()),
    }
}

fn sessions(args: &ServeArgs, store: Arc<dyn SessionStore>, tokens: Option<Tokens>, origins: Origins) -> Sessions {
    let count = |Limit(limit): Limit| limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let limits = Limits {
        connections: count(args.connections),
        connections_per_address: count(args.connections_per_address),
        connects_per_minute: args.connects_per_minute.0,
        messages_per_second: args.messages_per_second.0,
        ..Limits::default()
    };
    let chat = Chat::new(Arc::clone(&store)).with_answers();
    let mut builder = Sessions::builder(store, chat).limits(limits).origins(origins);
    if args.trust_proxy {
        builder = builder.behind_proxy();
    }
    if let Some(tokens) = tokens {
        builder = builder.bearer(move |token| std::future::ready(tokens.check(&token)));
    }
    builder.build()
}

fn tell(args: &ServeArgs, address: SocketAddr, chaos: Option<SocketAddr>) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line {
        listening: SocketAddr,
        store: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        chaos: Option<SocketAddr>,
    }
    say(&format!("listening on {address}, store {}; sessions wait {} s", args.store, args.ttl));
    if let Some(chaos) = chaos {
        say(&format!("a faulty network on {chaos}; the page at http://{address}/ breaks it"));
    }
    if args.json {
        let mut line = serde_json::to_vec(&Line { listening: address, store: args.store.kind(), chaos })?;
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
