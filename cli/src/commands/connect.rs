//! `redial connect`: stays connected.

use std::fs::File;
use std::path::Path;

use redial::Limit;
use redial_driver::TraceRecorder;
use redial_session::SUBPROTOCOL;
use redial_tokio::{OutboxLimits, Overflow, SessionConfig, TokioClock, WebSocket};

use crate::args::ConnectArgs;
use crate::connect::{Offer, Run, with_session};
use crate::failure::Failure;
use crate::{policy_source, seed};

pub(crate) fn run(args: &ConnectArgs) -> Result<(), Failure> {
    // tokio's multi-threaded runtime would bring nothing: all is one task.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(connect(args));
    // A name that still resolves, in a thread of its own, is not waited for.
    runtime.shutdown_background();
    match result? {
        None => Ok(()),
        Some(Limit::Attempts | Limit::Elapsed) => Err(Failure::GaveUp),
        Some(Limit::Verdict) => Err(Failure::Stopped),
    }
}

async fn connect(args: &ConnectArgs) -> Result<Option<Limit>, Failure> {
    let policy = policy_source::load(&args.policy)?;
    let seed = seed::given_or_drawn(args.seed)?;
    let connector = websocket(args)?.connector().map_err(Failure::usage)?;

    let clock = TokioClock::new();
    // A program that pipes lines in waits while the outbox is full: nothing is dropped.
    let outbox = OutboxLimits { overflow: Overflow::Wait, ..OutboxLimits::default() };
    // All else is known to be right by now: a mistyped flag costs nobody an old recording.
    let recorder = args.record.as_deref().map(recorder).transpose()?;
    let connection = redial_driver::Reconnecting::builder(clock, connector, policy, seed)
        .outbox(outbox)
        .recorder(recorder)
        .session(SessionConfig::default());
    Run::new(connection, clock, args, offer(args))?.run().await
}

/// Who names a session of the plain protocol wants that.
const fn offer(args: &ConnectArgs) -> Offer {
    if args.plain || args.session.is_some() { Offer::Nothing } else { Offer::Session }
}

fn recorder(path: &Path) -> Result<TraceRecorder<File>, Failure> {
    let file =
        File::create(path).map_err(|error| Failure::usage(format_args!("--record {}: {error}", path.display())))?;
    Ok(TraceRecorder::new(file))
}

fn websocket(args: &ConnectArgs) -> Result<redial_tokio::WebSocketBuilder, Failure> {
    let mut urls = args.urls.iter().map(|url| match &args.session {
        Some(session) => with_session(url, session),
        None => url.clone(),
    });
    let first = urls.next().unwrap_or_default();
    let mut builder = urls.fold(WebSocket::builder(first), |builder, url| builder.endpoint(url));
    if offer(args) == Offer::Session {
        builder = builder.subprotocol(SUBPROTOCOL);
    }
    args.header.iter().try_fold(builder, |builder, header| {
        let Some((name, value)) = header.split_once(':') else {
            return Err(Failure::usage(format_args!("--header {header}: allowed is NAME:VALUE")));
        };
        Ok(builder.header(name.trim(), value.trim()))
    })
}
