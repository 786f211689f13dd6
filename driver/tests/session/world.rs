//! A server of sessions in memory, and a transport that carries frames to it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::VecDeque;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::{Sink, Stream};
use redial::{Cause, Dial, Micros, NetworkDetail, Timestamp};
use redial_driver::testing::Sim;
use redial_driver::{Clock, Connect, Kind, OutboxLimits, Reconnecting, Session, SessionConfig, SessionTransport};
use redial_session::{
    AckPolicy, Advice, EndReason, Frame, FromClient, Greeting, Outcome, Payload, Secret, Server, SessionId, Welcome,
};

pub(crate) const ID: SessionId = SessionId::from_bytes([7; 16]);
const SECRET: Secret = Secret::from_bytes([9; 16]);

/// What the transport carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    Frame(Bytes),
    Plain(Payload),
    Close(u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Speaks {
    #[default]
    Session,
    Plain,
    Nothing,
}

/// The server and the network. One session at a time.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) speaks: Speaks,
    pub(crate) dials: Vec<Timestamp>,
    pub(crate) redirects: Vec<String>,
    /// The client's messages that were committed, of all sessions; plain ones too.
    pub(crate) arrived: Vec<String>,
    /// The server commits and answers nothing.
    pub(crate) deaf: bool,
    /// The transport takes nothing.
    pub(crate) blocked: bool,
    pub(crate) acks_heard: Vec<u64>,
    session: Option<Kept>,
    link: Option<Link>,
    links: u64,
    sim: Option<Sim>,
}

/// What the server knows of its session.
#[derive(Default)]
struct Kept {
    received: u64,
    acknowledged: u64,
    outbox: VecDeque<Payload>,
}

struct Link {
    id: u64,
    server: Option<Server>,
    to_client: VecDeque<Carried>,
    cut: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl World {
    pub(crate) fn new(sim: &Sim) -> Self {
        let world = Self::default();
        world.lock().sim = Some(sim.clone());
        world
    }

    pub(crate) fn session(
        &self,
        sim: &Sim,
        policy: redial::Policy,
        outbox: OutboxLimits,
    ) -> Session<redial_driver::testing::TestClock, Connector> {
        let connector = Connector(self.clone());
        Reconnecting::builder(sim.clock(), connector, policy, 7).outbox(outbox).session(SessionConfig::default())
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The connection ends in this moment. What was on its way is gone.
    pub(crate) fn cut(&self) {
        let mut state = self.lock();
        if let Some(link) = &mut state.link {
            link.to_client.clear();
            link.cut = true;
            link.wake();
        }
    }

    /// The server loses its memory.
    pub(crate) fn forget(&self) {
        self.lock().session = None;
    }

    pub(crate) fn has_session(&self) -> bool {
        self.lock().session.is_some()
    }

    pub(crate) fn set_deaf(&self, deaf: bool) {
        self.lock().deaf = deaf;
    }

    pub(crate) fn set_blocked(&self, blocked: bool) {
        let mut state = self.lock();
        state.blocked = blocked;
        if let Some(link) = &mut state.link {
            link.wake();
        }
    }

    /// The server sends a message.
    pub(crate) fn push(&self, text: &str) {
        let mut state = self.lock();
        if let Some(kept) = &mut state.session {
            kept.outbox.push_back(Payload::text(text));
        }
        if let Some(server) = state.link.as_mut().and_then(|link| link.server.as_mut()) {
            server.push(Payload::text(text));
        }
        state.flush();
    }

    pub(crate) fn going_away(&self, advice: Advice) {
        self.with_server(|server| server.going_away(advice));
    }

    pub(crate) fn end(&self, reason: EndReason) {
        self.with_server(|server| server.end(reason));
    }

    /// The server sends something else.
    pub(crate) fn say(&self, what: Carried) {
        let mut state = self.lock();
        if let Some(link) = &mut state.link {
            link.to_client.push_back(what);
            link.wake();
        }
    }

    fn with_server(&self, change: impl FnOnce(&mut Server)) {
        let mut state = self.lock();
        if let Some(server) = state.link.as_mut().and_then(|link| link.server.as_mut()) {
            change(server);
        }
        state.flush();
    }
}

impl Link {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()].into_iter().flatten() {
            waker.wake();
        }
    }
}

impl State {
    fn now(&self) -> Timestamp {
        self.sim.as_ref().unwrap().clock().now()
    }

    /// What the client wrote has come.
    fn take_in(&mut self, frame: Bytes) {
        if self.deaf {
            return;
        }
        let now = self.now();
        let link = self.link.as_mut().unwrap();
        let Some(server) = &mut link.server else {
            self.greet(frame);
            return;
        };
        if let Ok(Frame::Ack { received } | Frame::Message { received, .. }) = Frame::decode(frame.clone()) {
            self.acks_heard.push(received);
        }
        let kept = self.session.as_mut();
        match server.receive(frame).expect("the client keeps the protocol") {
            FromClient::Message { number, payload } => {
                self.arrived.push(payload.as_text().unwrap().to_owned());
                server.committed(now, number);
                kept.unwrap().received = number;
            }
            FromClient::End => self.session = None,
            FromClient::Nothing | FromClient::Pong(_) => {
                if let Some(kept) = kept {
                    while kept.acknowledged < server.acknowledged() {
                        kept.outbox.pop_front();
                        kept.acknowledged += 1;
                    }
                }
            }
        }
        self.flush();
    }

    fn greet(&mut self, frame: Bytes) {
        let greeting = Greeting::decode(frame).expect("the client greets first");
        let (outcome, acknowledged) = match (greeting, &mut self.session) {
            (Greeting::Resume { id, secret, received }, Some(kept)) if (id, secret) == (ID, SECRET) => {
                while kept.acknowledged < received {
                    kept.outbox.pop_front();
                    kept.acknowledged += 1;
                }
                (Outcome::Resumed, received)
            }
            (Greeting::Resume { .. }, _) => (Outcome::Replaced, 0),
            (Greeting::Start, _) => (Outcome::New, 0),
        };
        if outcome != Outcome::Resumed {
            self.session = Some(Kept::default());
        }
        let kept = self.session.as_ref().unwrap();
        let welcome = Welcome {
            outcome,
            id: ID,
            secret: SECRET,
            received: kept.received,
            ttl: Micros::from_secs(300),
            most_payload: 100,
        };
        let mut server = Server::new(AckPolicy::default(), welcome, acknowledged);
        for payload in &kept.outbox {
            server.push(payload.clone());
        }
        self.link.as_mut().unwrap().server = Some(server);
        self.flush();
    }

    fn flush(&mut self) {
        let now = self.now();
        let Some(link) = &mut self.link else { return };
        if let Some(server) = &mut link.server {
            // A server that acknowledges at once: its own timing is another test's.
            server.acknowledge_now();
            while let Some(frame) = server.transmit(now) {
                link.to_client.push_back(Carried::Frame(frame));
            }
        }
        link.wake();
    }
}

/// Dials the world.
pub(crate) struct Connector(World);

pub(crate) struct Connection {
    world: World,
    id: u64,
}

impl Connect for Connector {
    type Message = Carried;
    type Error = ();
    type Connection = Connection;
    type Connecting = Ready<Result<Connection, Cause>>;

    fn connect(&mut self, _: Dial) -> Self::Connecting {
        let mut state = self.0.lock();
        let now = state.now();
        state.dials.push(now);
        if state.speaks == Speaks::Nothing {
            return ready(Err(Cause::network(NetworkDetail::Refused)));
        }
        state.links += 1;
        let id = state.links;
        state.link =
            Some(Link { id, server: None, to_client: VecDeque::new(), cut: false, reader: None, writer: None });
        ready(Ok(Connection { world: self.0.clone(), id }))
    }

    fn inspect(&self, message: &Carried) -> Kind {
        match message {
            Carried::Frame(_) | Carried::Plain(_) => Kind::Data,
            Carried::Close(code) => Kind::Close(Cause::close(*code)),
        }
    }
}

impl SessionTransport for Connector {
    fn has_session(&self, _: &Connection) -> bool {
        self.0.lock().speaks == Speaks::Session
    }

    fn frame(&self, frame: Bytes) -> Carried {
        Carried::Frame(frame)
    }

    fn unframe(&self, message: Carried) -> Option<Bytes> {
        match message {
            Carried::Frame(frame) => Some(frame),
            Carried::Plain(_) | Carried::Close(_) => None,
        }
    }

    fn plain(&self, payload: Payload) -> Carried {
        Carried::Plain(payload)
    }

    fn unplain(&self, message: Carried) -> Option<Payload> {
        match message {
            Carried::Plain(payload) => Some(payload),
            Carried::Frame(_) | Carried::Close(_) => None,
        }
    }

    fn redirect(&mut self, url: &str) {
        self.0.lock().redirects.push(url.to_owned());
    }
}

impl Connection {
    /// The link, if it is still this one and stands.
    fn with<T>(&self, gone: T, run: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.world.lock();
        match &state.link {
            Some(link) if link.id == self.id && !link.cut => run(&mut state),
            _ => gone,
        }
    }
}

impl Stream for Connection {
    type Item = Result<Carried, ()>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.with(Poll::Ready(None), |state| {
            let link = state.link.as_mut().unwrap();
            match link.to_client.pop_front() {
                Some(message) => Poll::Ready(Some(Ok(message))),
                None => {
                    link.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
    }
}

impl Sink<Carried> for Connection {
    type Error = ();

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        self.with(Poll::Ready(Err(())), |state| {
            if state.blocked {
                state.link.as_mut().unwrap().writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(Ok(()))
        })
    }

    fn start_send(self: Pin<&mut Self>, message: Carried) -> Result<(), ()> {
        self.with(Err(()), |state| {
            match message {
                Carried::Frame(frame) => state.take_in(frame),
                Carried::Plain(payload) => state.arrived.push(payload.as_text().unwrap().to_owned()),
                Carried::Close(_) => {}
            }
            Ok(())
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        self.with(Poll::Ready(Err(())), |_| Poll::Ready(Ok(())))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Poll::Ready(Ok(()))
    }
}
