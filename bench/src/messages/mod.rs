//! Messages over one connection on loopback, on a current_thread runtime, without Nagle's delay.

pub(crate) mod bare;
pub(crate) mod ezsockets;
pub(crate) mod fastwebsockets;
pub(crate) mod ours;
pub(crate) mod server;

use self::server::LAST;
use std::net::SocketAddr;
use tokio_tungstenite::tungstenite::Bytes;

/// A client under test.
pub(crate) trait Client {
    /// One message, on its way when this returns.
    async fn send(&mut self, payload: Bytes);
    /// One message, on its way with the next flush.
    async fn feed(&mut self, payload: Bytes);
    /// Everything that was fed.
    async fn flush(&mut self);
    /// The length of the next message.
    async fn receive(&mut self) -> usize;
    /// The close handshake: a client that is never closed is no whole program, and costs less than one.
    async fn close(&mut self);
}

/// The clients, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// redial-tokio as it comes.
    Ours,
    /// tokio-tungstenite 0.30 as it comes: a read buffer of 128 KiB.
    BareDefault,
    /// The same with redial-tokio's settings: 14 KiB.
    Bare,
    /// The same over a bare TCP stream, without the choice between TCP and TLS.
    BarePlain,
    /// ezsockets 0.7.2, on tokio-tungstenite 0.26.2.
    Ezsockets,
    /// fastwebsockets 0.10.0 behind a handshake of our own.
    Fastwebsockets,
}

impl Who {
    /// All of them.
    pub(crate) const ALL: [Self; 6] =
        [Self::BarePlain, Self::Bare, Self::Ours, Self::BareDefault, Self::Fastwebsockets, Self::Ezsockets];

    /// The client of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|who| who.name() == name)
    }

    /// The name in tables and arguments.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "redial-tokio",
            Self::BareDefault => "tokio-tungstenite 0.30, default",
            Self::Bare => "tokio-tungstenite 0.30, 14 KiB",
            Self::BarePlain => "tokio-tungstenite 0.30, 14 KiB, no TLS",
            Self::Ezsockets => "ezsockets 0.7.2",
            Self::Fastwebsockets => "fastwebsockets 0.10",
        }
    }
}

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
    const fn window(self, size: usize) -> u64 {
        match self {
            Self::PingPong => 1,
            // 8 KiB of payload: a window's answers fit any read buffer, so one read brings them all.
            Self::OneWay | Self::OneWayFed | Self::Echo | Self::EchoFed => 8192 / size as u64,
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
            Who::Ours | Who::Bare => true,
            Who::BareDefault => self.mode == Mode::PingPong,
            Who::BarePlain | Who::Ezsockets | Who::Fastwebsockets => false,
        }
    }

    /// Whether a gate is about its rate.
    pub(crate) fn is_rated(self) -> bool {
        self.size == 64
            && match self.who {
                Who::Ours => self.mode == Mode::OneWayFed,
                Who::Bare => self.mode == Mode::OneWay,
                Who::BareDefault | Who::BarePlain | Who::Ezsockets | Who::Fastwebsockets => false,
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

    /// Connects, moves `n` messages (a whole number of windows) and makes sure that the server has them.
    pub(crate) fn run(self, server: SocketAddr, n: u64) {
        let path = match self.mode {
            Mode::OneWay | Mode::OneWayFed => "sink".to_owned(),
            Mode::Echo | Mode::EchoFed | Mode::PingPong => format!("echo/{}", self.mode.window(self.size)),
        };
        let url = format!("ws://{server}/{path}");
        runtime().block_on(async {
            match self.who {
                Who::Ours => self.exchange(ours::connect(&url).await, n).await,
                Who::BareDefault => self.exchange(bare::connect(&url, None).await, n).await,
                Who::Bare => self.exchange(bare::connect(&url, Some(bare::READ_BUFFER)).await, n).await,
                Who::BarePlain => self.exchange(bare::connect_plain(&url, server).await, n).await,
                Who::Ezsockets => self.exchange(ezsockets::connect(&url).await, n).await,
                Who::Fastwebsockets => self.exchange(fastwebsockets::connect(server, &path).await, n).await,
            }
        });
    }

    async fn exchange(self, mut client: impl Client, n: u64) {
        let payload = Bytes::from(vec![0; self.size]);
        let window = self.mode.window(self.size);
        for _ in 0..n / window {
            for _ in 0..window {
                match self.mode {
                    Mode::OneWay | Mode::Echo | Mode::PingPong => client.send(payload.clone()).await,
                    Mode::OneWayFed | Mode::EchoFed => client.feed(payload.clone()).await,
                }
            }
            match self.mode {
                Mode::OneWayFed | Mode::EchoFed => client.flush().await,
                Mode::OneWay | Mode::Echo | Mode::PingPong => {}
            }
            match self.mode {
                Mode::OneWay | Mode::OneWayFed => {}
                Mode::Echo | Mode::EchoFed | Mode::PingPong => {
                    for _ in 0..window {
                        assert_eq!(client.receive().await, self.size);
                    }
                }
            }
        }
        client.send(Bytes::from_static(&[LAST])).await;
        assert_eq!(client.receive().await, 1);
        client.close().await;
    }
}

/// The runtime of every client.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
