//! The machine is not tied to WebSockets: lines over plain TCP, with a ping of the application's own.
//!
//! `cargo run -p redial-examples --bin tcp_lines` runs to its end by itself: its server hangs up after every third line.

#![allow(clippy::wildcard_enum_match_arm)] // events are many and may become more: a reader takes what it needs

use futures_util::{SinkExt, StreamExt, future::BoxFuture};
use redial_tokio::redial_driver::{Connect, Event, Kind, Reconnecting};
use redial_tokio::{Cause, Dial, Micros, NetworkDetail, Notice, PingId, Policy, TokioClock};
use std::error::Error;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::{Framed, LinesCodec, LinesCodecError};

type Lines = Framed<TcpStream, LinesCodec>;

/// A connector is an address and what the lines mean. Without pings, a closure `|dial| async { … }` would do.
struct TcpLines(SocketAddr);

impl Connect for TcpLines {
    type Message = String;
    type Error = LinesCodecError;
    type Connection = Lines;
    type Connecting = BoxFuture<'static, Result<Lines, Cause>>;

    fn connect(&mut self, _dial: Dial) -> Self::Connecting {
        let addr = self.0;
        Box::pin(async move {
            let stream = TcpStream::connect(addr).await;
            let stream = stream.map_err(|_| Cause::network(NetworkDetail::Refused))?;
            Ok(Framed::new(stream, LinesCodec::new()))
        })
    }

    fn ping(&self, ping: PingId) -> Option<String> {
        Some(format!("ping {ping}"))
    }

    fn inspect(&self, line: &String) -> Kind {
        let id = line.strip_prefix("pong ").and_then(|id| id.parse().ok());
        id.map_or(Kind::Data, |id| Kind::Pong(PingId(id)))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let server = tokio::spawn(serve(listener));

    let policy = Policy::builder()
        .base_delay(Micros::from_millis(50))
        .health_check_interval(Micros::from_millis(20))
        .stable_after(Micros::from_millis(10))
        .build()?;
    let mut lines = Reconnecting::builder(TokioClock::new(), TcpLines(addr), policy, 7).build();
    let mut unanswered = 1..=10;
    while let Some(event) = lines.next().await {
        match event {
            Event::Message(line) => {
                println!("{line}");
                unanswered.next();
                if let Some(n) = unanswered.clone().next() {
                    lines.send(format!("line {n}")).await?;
                }
            }
            // What was not answered is said again: a line may be lost with its connection.
            Event::Notice(Notice::Opened { downtime, .. }) => {
                println!("-- open after {downtime}");
                if let Some(n) = unanswered.clone().next() {
                    lines.send(format!("line {n}")).await?;
                }
            }
            Event::Notice(Notice::Lost { cause, uptime, .. }) => println!("-- lost after {uptime}: {cause}"),
            Event::Notice(Notice::HealthCheck { latency, .. }) => {
                println!("-- latency {latency}");
                if unanswered.is_empty() {
                    lines.stop();
                }
            }
            _ => {}
        }
    }
    server.abort();
    if unanswered.is_empty() { Ok(()) } else { Err("not every line was answered".into()) }
}

/// Answers pings and lines; hangs up after the third line.
async fn serve(listener: TcpListener) -> Result<(), LinesCodecError> {
    loop {
        let (stream, _) = listener.accept().await?;
        let mut lines: Lines = Framed::new(stream, LinesCodec::new());
        let mut left = 3;
        while left > 0 {
            let Some(Ok(line)) = lines.next().await else { break };
            match line.strip_prefix("ping ") {
                Some(id) => lines.send(format!("pong {id}")).await?,
                None => {
                    left -= 1;
                    lines.send(line.to_uppercase()).await?;
                }
            }
        }
    }
}
