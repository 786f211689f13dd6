//! The scripted transport: dials with known outcomes, and the far end of each connection.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use futures_sink::Sink;
use redial::{Cause, Dial, Micros, NetworkDetail, PingId, Timestamp};

use super::TestClock;
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

/// The far end of a connection.
#[derive(Clone)]
pub struct Peer {
    pipe: Arc<Mutex<Pipe>>,
    clock: TestClock,
}

#[derive(Default)]
#[allow(clippy::struct_excessive_bools)]
struct Pipe {
    to_client: VecDeque<Result<Message, TestError>>,
    ended: bool,
    endless: Option<Message>,
    /// Written into the connection's buffer.
    buffered: Vec<Message>,
    /// Flushed, so that the peer has it.
    arrived: Vec<Message>,
    flushes: usize,
    echo: bool,
    answers: bool,
    latency: Micros,
    blocked: bool,
    room: Option<usize>,
    broken: bool,
    closed: Option<Timestamp>,
    aborted: Option<Timestamp>,
    gone: Option<Timestamp>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Peer {
    /// Sends the client a message.
    pub fn send(&self, message: Message) {
        self.change(|pipe| pipe.to_client.push_back(Ok(message)));
    }

    /// The connection ends without a close frame, after what was sent.
    pub fn end(&self) {
        self.change(|pipe| pipe.ended = true);
    }

    /// The connection fails, after what was sent; writing fails at once.
    pub fn fail(&self) {
        self.change(|pipe| {
            pipe.to_client.push_back(Err(TestError));
            pipe.broken = true;
        });
    }

    /// There is always one more of this message to read.
    pub fn endless(&self, message: Option<Message>) {
        self.change(|pipe| pipe.endless = message);
    }

    /// Answers neither pings nor closes any more.
    pub fn go_silent(&self) {
        self.change(|pipe| pipe.answers = false);
    }

    /// Pongs take this long from now on.
    pub fn set_latency(&self, latency: Micros) {
        self.change(|pipe| pipe.latency = latency);
    }

    /// Whether the connection takes and flushes nothing more.
    pub fn block(&self, blocked: bool) {
        self.change(|pipe| pipe.blocked = blocked);
    }

    /// The connection's buffer takes so many messages more.
    pub fn set_room(&self, room: usize) {
        self.change(|pipe| pipe.room = Some(room));
    }

    /// The user's messages that have arrived: written and flushed.
    #[must_use]
    pub fn arrived(&self) -> Vec<Message> {
        let user = |message: &&Message| matches!(message, Message::Data(_) | Message::Blob(_));
        self.lock().arrived.iter().filter(user).cloned().collect()
    }

    /// The pings that have arrived.
    #[must_use]
    pub fn pings(&self) -> usize {
        self.lock().arrived.iter().filter(|message| matches!(message, Message::Ping(_))).count()
    }

    /// What is written and not flushed.
    #[must_use]
    pub fn buffered(&self) -> Vec<Message> {
        self.lock().buffered.clone()
    }

    /// How often something was flushed.
    #[must_use]
    pub fn flushes(&self) -> usize {
        self.lock().flushes
    }

    /// What the client has still to read.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.lock().to_client.len()
    }

    /// When the client began the close handshake.
    #[must_use]
    pub fn closed(&self) -> Option<Timestamp> {
        self.lock().closed
    }

    /// When the client aborted the connection.
    #[must_use]
    pub fn aborted(&self) -> Option<Timestamp> {
        self.lock().aborted
    }

    /// When the client dropped the connection.
    #[must_use]
    pub fn gone(&self) -> Option<Timestamp> {
        self.lock().gone
    }

    fn is_in_use(&self) -> bool {
        let pipe = self.lock();
        pipe.gone.is_none() && pipe.closed.is_none() && !pipe.ended
    }

    fn change(&self, change: impl FnOnce(&mut Pipe)) {
        let mut pipe = self.lock();
        change(&mut pipe);
        let wakers = [pipe.reader.take(), pipe.writer.take()];
        drop(pipe);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Pipe> {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer_later(&self, message: Message, after: Micros) {
        if after == Micros::ZERO {
            self.send(message);
        } else {
            let peer = self.clone();
            self.clock.at(self.clock.peek().saturating_add(after), move || peer.send(message));
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("gone", &self.gone()).finish_non_exhaustive()
    }
}

/// The near end of a connection.
#[derive(Debug)]
pub struct TestConnection {
    peer: Peer,
}

impl Stream for TestConnection {
    type Item = Result<Message, TestError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut pipe = self.peer.lock();
        if let Some(item) = pipe.to_client.pop_front() {
            return Poll::Ready(Some(item));
        }
        if let Some(message) = &pipe.endless {
            return Poll::Ready(Some(Ok(message.clone())));
        }
        if pipe.ended {
            return Poll::Ready(None);
        }
        pipe.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Sink<Message> for TestConnection {
    type Error = TestError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TestError>> {
        let mut pipe = self.peer.lock();
        if pipe.broken {
            return Poll::Ready(Err(TestError));
        }
        if pipe.blocked || pipe.room == Some(0) {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), TestError> {
        let mut pipe = self.peer.lock();
        if pipe.broken {
            return Err(TestError);
        }
        if let Some(room) = &mut pipe.room {
            *room = room.saturating_sub(1);
        }
        pipe.buffered.push(message);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TestError>> {
        let mut pipe = self.peer.lock();
        if pipe.broken {
            return Poll::Ready(Err(TestError));
        }
        if pipe.buffered.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if pipe.blocked {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.flushes += 1;
        let flushed = std::mem::take(&mut pipe.buffered);
        let (echo, answers, latency) = (pipe.echo, pipe.answers, pipe.latency);
        pipe.arrived.extend(flushed.iter().cloned());
        drop(pipe);
        for message in flushed {
            match message {
                Message::Ping(id) if answers => self.peer.answer_later(Message::Pong(id), latency),
                Message::Data(_) | Message::Blob(_) if echo => self.peer.send(message),
                Message::Data(_)
                | Message::Blob(_)
                | Message::Ping(_)
                | Message::Pong(_)
                | Message::Noise
                | Message::Close(_) => {}
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TestError>> {
        let now = self.peer.clock.peek();
        let mut pipe = self.peer.lock();
        if pipe.blocked {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.closed.get_or_insert(now);
        let answers = pipe.answers;
        drop(pipe);
        if answers {
            self.peer.end();
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for TestConnection {
    fn drop(&mut self) {
        let now = self.peer.clock.peek();
        self.peer.lock().gone.get_or_insert(now);
    }
}
