//! The CPU time of idle clients that ask their server for a pong every second.

use crate::children::ask;
use crate::clocks::cpu;
use crate::idle::raise_limit;
use crate::messages::bare::{self, Socket};
use crate::messages::server::{Server, pings};
use crate::messages::{Who, ezsockets, ours};
use crate::runtimes::Runtime;
use ::ezsockets::{ClientConfig, SocketConfig};
use futures_util::future::{Either, select};
use futures_util::stream::poll_fn;
use futures_util::{SinkExt, Stream, StreamExt};
use redial_async_std::AsyncIo;
use redial_tokio::{Micros, Policy, Tokio};
use std::net::SocketAddr;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// Clients of one process.
pub(crate) const CLIENTS: usize = 10_000;
/// Between the pings of a client.
const INTERVAL: Duration = Duration::from_secs(1);

/// Who can do it: fastwebsockets has neither pings of its own nor a `Stream` to wait on beside a timer.
pub(crate) const WHO: [Who; 7] = [
    Who::Bare(Runtime::Tokio),
    Who::Ours(Runtime::Tokio),
    Who::Ezsockets,
    Who::Bare(Runtime::AsyncStd),
    Who::Ours(Runtime::AsyncStd),
    Who::Bare(Runtime::Smol),
    Who::Ours(Runtime::Smol),
];

/// What was counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heartbeats {
    /// Pings that came to the server, for each client and second.
    pub(crate) pings: f64,
    /// CPU time for each of them, in microseconds.
    pub(crate) cpu: f64,
    /// Share of one processor that all clients together take.
    pub(crate) share: f64,
}

/// Measures for so long, in a process of its own, with a server of its own: `bench heartbeats WHO SERVER CLIENTS SECONDS`.
pub(crate) fn measure(who: Who, clients: usize, seconds: u64) -> Heartbeats {
    let server = Server::start();
    let (server, clients, seconds) = (server.address().to_string(), clients.to_string(), seconds.to_string());
    let [pings, cpu, share] = ask(&["heartbeats", who.name(), &server, &clients, &seconds]);
    Heartbeats { pings, cpu, share }
}

/// `bench heartbeats`: prints what a heartbeat costs.
pub(crate) fn print(who: Who, server: SocketAddr, clients: usize, seconds: u64) {
    raise_limit();
    let runtime = who.runtime();
    let url = format!("ws://{server}/sink");
    let (pinged, used) = runtime.block_on(async {
        for _ in 0..clients {
            connect(who, &url, server).await;
        }
        runtime.sleep(2 * INTERVAL).await;
        let before = (pings(server), cpu());
        runtime.sleep(Duration::from_secs(seconds)).await;
        let used = cpu() - before.1;
        (pings(server) - before.0, used.as_secs_f64())
    });
    let seconds = seconds as f64;
    println!("{} {} {}", pinged / clients as f64 / seconds, 1e6 * used / pinged, used / seconds);
}

async fn connect(who: Who, url: &str, server: SocketAddr) {
    let policy = || {
        let policy = Policy::resilient().to_builder().health_check_interval(Micros::from_secs(INTERVAL.as_secs()));
        policy.build().expect("a good policy")
    };
    match who {
        Who::Ours(Runtime::Tokio) => read(Runtime::Tokio, ours::connect::<Tokio>(url, policy()).await),
        Who::Ours(runtime @ (Runtime::AsyncStd | Runtime::Smol)) => {
            read(runtime, ours::connect::<AsyncIo>(url, policy()).await);
        }
        Who::Bare(Runtime::Tokio) => {
            let mut ticks = tokio::time::interval(INTERVAL);
            let ticks = poll_fn(move |cx| ticks.poll_tick(cx).map(Some));
            Runtime::Tokio.spawn(beat(ticks, bare::on_tokio(url).await.0));
        }
        Who::Bare(Runtime::AsyncStd) => {
            Runtime::AsyncStd.spawn(beat(smol::Timer::interval(INTERVAL), bare::on_async_std(url, server).await.0));
        }
        Who::Bare(Runtime::Smol) => {
            Runtime::Smol.spawn(beat(smol::Timer::interval(INTERVAL), bare::on_smol(url, server).await.0));
        }
        Who::Ezsockets => {
            let settings = SocketConfig { heartbeat: INTERVAL, ..SocketConfig::default() };
            let mut client = ezsockets::connect_with(ClientConfig::new(url).socket_config(settings)).await;
            Runtime::Tokio.spawn(async move { client.connected().await });
        }
        Who::Session | Who::BareDefault | Who::BarePlain | Who::Fastwebsockets => {
            panic!("{} has no heartbeats here", who.name())
        }
    }
}

/// A task that reads.
fn read<T>(runtime: Runtime, mut client: impl Stream<Item = T> + Send + Unpin + 'static) {
    runtime.spawn(async move { while client.next().await.is_some() {} });
}

/// The least that a user of a bare client writes: reads, and pings at every tick.
async fn beat<T>(mut ticks: impl Stream<Item = T> + Unpin, mut socket: impl Socket) {
    loop {
        let ticked = match select(ticks.next(), socket.next()).await {
            Either::Left(_) => true,
            Either::Right((Some(Ok(_)), _)) => false,
            Either::Right(_) => return,
        };
        if ticked {
            socket.send(Message::Ping(Bytes::from_static(b"heartbeat"))).await.expect("open");
        }
    }
}
