//! Messages over one connection on loopback, on each runtime, without Nagle's delay.

pub(crate) mod bare;
pub(crate) mod ezsockets;
pub(crate) mod fastwebsockets;
pub(crate) mod ours;
pub(crate) mod round;
pub(crate) mod rows;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod who;
pub(crate) mod wire;

pub(crate) use self::who::Who;

use self::server::LAST;
use crate::clocks::now;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Bytes;

/// A client under test.
pub(crate) trait Client: Send {
    /// One message, on its way when this returns.
    async fn send(&mut self, payload: Bytes);
    /// One message, on its way with the next flush.
    async fn feed(&mut self, payload: Bytes);
    /// Everything that was fed.
    async fn flush(&mut self);
    /// The length of the next message.
    fn receive(&mut self) -> impl Future<Output = usize> + Send;
    /// The close handshake: a client that is never closed is no whole program, and costs less than one.
    async fn close(&mut self);
}

/// Whoever does something with a client once it is connected.
pub(crate) trait Visitor {
    /// What it learns.
    type Output;
    /// Does it.
    async fn visit(self, client: impl Client + 'static) -> Self::Output;
}

/// The sizes of the messages, in bytes.
pub(crate) const SIZES: [usize; 3] = [64, 1024, 64 * 1024];

/// What is done with the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Sent one by one, not answered.
    OneWay,
    /// Fed, flushed after each window, not answered.
    OneWayFed,
    /// A window sent one by one, then its answers received.
    Echo,
    /// A window fed and flushed, then its answers received.
    EchoFed,
    /// One message in flight.
    PingPong,
}

impl Mode {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [Self::OneWay, Self::OneWayFed, Self::Echo, Self::EchoFed, Self::PingPong];

    /// The name in tables and arguments.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OneWay => "one-way",
            Self::OneWayFed => "one-way, fed",
            Self::Echo => "echo",
            Self::EchoFed => "echo, fed",
            Self::PingPong => "ping-pong",
        }
    }

    /// Messages between two waits.
    fn window(self, size: usize) -> u64 {
        match self {
            Self::PingPong => 1,
            // 8 KiB of payload: a window's answers fit any read buffer, so one read brings them all. But one message at least.
            Self::OneWay | Self::OneWayFed | Self::Echo | Self::EchoFed => (8192 / size as u64).max(1),
        }
    }
}

/// One client doing one thing with messages of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) who: Who,
    pub(crate) mode: Mode,
    pub(crate) size: usize,
}

impl Case {
    /// Whether a gate is about it: ours and the bare client with the same settings, and the bare default's ping-pong.
    pub(crate) fn is_gated(self) -> bool {
        match self.who {
            Who::Ours(_) | Who::Bare(_) => true,
            Who::BareDefault => self.mode == Mode::PingPong && self.size <= 1024,
            // What a session costs is promised for messages of 1 KiB.
            Who::Session => self.size == 1024,
            Who::BarePlain | Who::Ezsockets | Who::Fastwebsockets => false,
        }
    }

    /// As an argument: `who/mode/size`.
    pub(crate) fn argument(self) -> String {
        format!("{}/{}/{}", self.who.name(), self.mode.name(), self.size)
    }

    /// The case of an argument.
    pub(crate) fn parse(argument: &str) -> Option<Self> {
        let mut parts = argument.split('/');
        let (who, mode, size) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            who: Who::parse(who)?,
            mode: Mode::ALL.into_iter().find(|known| known.name() == mode)?,
            size: size.parse().ok()?,
        })
    }

    /// Connects, moves `n` messages (a whole number of windows) and makes sure that the server has them. Notes how long
    /// each window took, if told to.
    pub(crate) fn run(self, server: SocketAddr, n: u64, times: Option<&mut Vec<Duration>>) {
        let path = match self.mode {
            Mode::OneWay | Mode::OneWayFed => "sink".to_owned(),
            Mode::Echo | Mode::EchoFed | Mode::PingPong => format!("echo/{}", self.mode.window(self.size)),
        };
        self.who.runtime().block_on(self.who.meet(server, &path, Exchange { case: self, n, times }));
    }
}

/// Moves messages.
struct Exchange<'a> {
    case: Case,
    n: u64,
    times: Option<&'a mut Vec<Duration>>,
}

impl Visitor for Exchange<'_> {
    type Output = ();

    async fn visit(mut self, mut client: impl Client + 'static) {
        let Case { mode, size, .. } = self.case;
        let payload = Bytes::from(vec![0; size]);
        let window = mode.window(size);
        for _ in 0..self.n / window {
            let start = self.times.is_some().then(now);
            for _ in 0..window {
                match mode {
                    Mode::OneWay | Mode::Echo | Mode::PingPong => client.send(payload.clone()).await,
                    Mode::OneWayFed | Mode::EchoFed => client.feed(payload.clone()).await,
                }
            }
            match mode {
                Mode::OneWayFed | Mode::EchoFed => client.flush().await,
                Mode::OneWay | Mode::Echo | Mode::PingPong => {}
            }
            match mode {
                Mode::OneWay | Mode::OneWayFed => {}
                Mode::Echo | Mode::EchoFed | Mode::PingPong => {
                    for _ in 0..window {
                        assert_eq!(client.receive().await, size);
                    }
                }
            }
            if let (Some(times), Some(start)) = (&mut self.times, start) {
                times.push(now() - start);
            }
        }
        client.send(Bytes::from_static(&[LAST])).await;
        assert_eq!(client.receive().await, 1);
        client.close().await;
    }
}
