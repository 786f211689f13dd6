//! The scripted transport: dials with known outcomes.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redial::{Cause, Dial, Micros, NetworkDetail, PingId, Timestamp};

use super::{Peer, TestClock, TestConnection};
use crate::clock::Clock;
use crate::connect::{Connect, Kind};

/// What the scripted transport carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A user's message of 8 bytes.
    Data(u64),
    /// A user's message of so many bytes.
    Blob(usize),
    /// A ping.
    Ping(u64),
    /// The answer to a ping.
    Pong(u64),
    /// Traffic without meaning.
    Noise,
    /// A close frame.
    Close(u16),
}

/// The outcome of one dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// It opens at once.
    Accept,
    /// It opens after this time.
    AcceptAfter(Micros),
    /// It fails at once.
    Fail(Cause),
    /// It fails after this time.
    FailAfter(Micros, Cause),
    /// It opens, and ends in the same instant.
    AcceptAndDrop,
    /// It is never answered.
    Never,
}

/// The network that a [`TestConnector`] dials into. Its clones are the same network.
#[derive(Clone, Default)]
pub struct Net {
    clock: TestClock,
    state: Arc<Mutex<NetState>>,
}

#[derive(Default)]
struct NetState {
    script: VecDeque<Script>,
    otherwise: Option<Script>,
    dials: Vec<(Timestamp, Dial)>,
    peers: Vec<Peer>,
    dialling: usize,
    most_at_once: usize,
    endpoints: u32,
    echo: bool,
    pings: Option<bool>,
}

impl Net {
    /// The network's clock.
    #[must_use]
    pub fn clock(&self) -> TestClock {
        self.clock.clone()
    }

    /// A connector that dials here.
    #[must_use]
    pub fn connector(&self) -> TestConnector {
        TestConnector { net: self.clone() }
    }

    /// The outcomes of the next dials; after them every dial opens at once, or as [`otherwise`](Self::otherwise) says.
    pub fn script(&self, script: impl IntoIterator<Item = Script>) {
        self.lock().script.extend(script);
    }

    /// The outcome of each dial that the script says nothing about.
    pub fn otherwise(&self, script: Script) {
        self.lock().otherwise = Some(script);
    }

    /// From now on connections send every message of the user's back.
    pub fn echo(&self) {
        self.lock().echo = true;
    }

    /// A transport that has no pings.
    pub fn without_pings(&self) {
        self.lock().pings = Some(false);
    }

    /// So many endpoints.
    pub fn endpoints(&self, endpoints: u32) {
        self.lock().endpoints = endpoints;
    }

    /// The dials so far, with their times.
    #[must_use]
    pub fn dials(&self) -> Vec<(Timestamp, Dial)> {
        self.lock().dials.clone()
    }

    /// The most dials and connections that were ever alive at once, those that were being closed not counted.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.lock().most_at_once
    }

    /// The far end of the n-th connection, from 0.
    ///
    /// # Panics
    /// If there is none yet.
    #[must_use]
    pub fn peer(&self, n: usize) -> Peer {
        self.lock().peers[n].clone()
    }

    /// How many connections were opened.
    #[must_use]
    pub fn opened(&self) -> usize {
        self.lock().peers.len()
    }

    fn lock(&self) -> MutexGuard<'_, NetState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> TestConnection {
        let mut state = self.lock();
        let peer = Peer { pipe: Arc::default(), clock: self.clock() };
        peer.lock().echo = state.echo;
        peer.lock().answers = true;
        state.peers.push(peer.clone());
        drop(state);
        TestConnection { peer }
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").field("opened", &self.opened()).finish_non_exhaustive()
    }
}

/// Dials into a [`Net`].
#[derive(Clone, Debug)]
pub struct TestConnector {
    net: Net,
}

/// The scripted transport's only error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestError;

impl Connect for TestConnector {
    type Message = Message;
    type Error = TestError;
    type Connection = TestConnection;
    type Connecting = Pin<Box<dyn Future<Output = Result<TestConnection, Cause>> + Send>>;

    fn connect(&mut self, dial: Dial) -> Self::Connecting {
        let net = self.net.clone();
        let mut state = net.lock();
        state.dials.push((net.clock.peek(), dial));
        let script = state.script.pop_front().or(state.otherwise).unwrap_or(Script::Accept);
        drop(state);
        Box::pin(async move {
            let _under_way = UnderWay::begin(&net);
            let sleep = |span| net.clock.sleep_until(net.clock.peek().saturating_add(span));
            match script {
                Script::Accept => Ok(net.open()),
                Script::AcceptAfter(span) => {
                    sleep(span).await;
                    Ok(net.open())
                }
                Script::Fail(cause) => Err(cause),
                Script::FailAfter(span, cause) => {
                    sleep(span).await;
                    Err(cause)
                }
                Script::AcceptAndDrop => {
                    let connection = net.open();
                    connection.peer.end();
                    Ok(connection)
                }
                Script::Never => std::future::pending().await,
            }
        })
    }

    fn endpoints(&self) -> NonZeroU32 {
        NonZeroU32::new(self.net.lock().endpoints).unwrap_or(NonZeroU32::MIN)
    }

    fn inspect(&self, message: &Message) -> Kind {
        match message {
            Message::Data(_) | Message::Blob(_) => Kind::Data,
            Message::Pong(ping) => Kind::Pong(PingId(*ping)),
            Message::Ping(_) | Message::Noise => Kind::Control,
            Message::Close(code) => Kind::Close(Cause::close(*code)),
        }
    }

    fn ping(&self, ping: PingId) -> Option<Message> {
        self.net.lock().pings.unwrap_or(true).then_some(Message::Ping(ping.0))
    }

    fn size(&self, message: &Message) -> usize {
        match message {
            Message::Blob(bytes) => *bytes,
            Message::Data(_) | Message::Ping(_) | Message::Pong(_) | Message::Noise | Message::Close(_) => 8,
        }
    }

    fn failure(&self, _: &TestError) -> Cause {
        Cause::network(NetworkDetail::Reset)
    }

    fn abort(&self, connection: TestConnection) {
        connection.peer.lock().aborted = Some(self.net.clock.peek());
    }
}

/// Counts the dials under way and the connections in use.
struct UnderWay(Net);

impl UnderWay {
    fn begin(net: &Net) -> Self {
        let mut state = net.lock();
        state.dialling += 1;
        let alive = state.dialling + state.peers.iter().filter(|peer| peer.is_in_use()).count();
        state.most_at_once = state.most_at_once.max(alive);
        drop(state);
        Self(net.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().dialling -= 1;
    }
}
