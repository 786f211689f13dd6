//! Servers and their store: what `docs/protocol.md` says of a server, in memory.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use redial::{Micros, Timestamp};
use redial_session::{
    Advice, EndReason, Frame, FromClient, Greeting, Outcome, Payload, ProtocolError, Secret, Server, SessionId, Welcome,
};

use super::{Setup, numbered, serial};

#[derive(Debug)]
pub(crate) struct ServerSide {
    setup: Setup,
    store: BTreeMap<SessionId, Stored>,
    sessions: u8,
    pushed: u64,
    connection: Option<Connection>,
    /// Stands until the next greeting.
    older: Option<Connection>,
    /// Every message that any session committed: by its serial.
    committed: Vec<u64>,
    /// The store has forgotten a part of a session once.
    pub(crate) amnesia: bool,
}

#[derive(Debug)]
struct Stored {
    secret: Secret,
    committed: u64,
    acknowledged: u64,
    /// From the one after the last acknowledged.
    outbox: VecDeque<Payload>,
    /// All that were ever pushed; those that the client got first.
    pushes: Vec<u64>,
    got: usize,
}

#[derive(Debug, Default)]
struct Connection {
    greeted: Option<(SessionId, Server)>,
    /// Received, and not yet safe.
    received: VecDeque<(u64, Payload)>,
    /// Payload bytes that were pushed and not written.
    waiting: usize,
}

impl ServerSide {
    pub(crate) fn new(setup: Setup) -> Self {
        Self {
            setup,
            store: BTreeMap::new(),
            sessions: 0,
            pushed: 0,
            connection: None,
            older: None,
            committed: Vec::new(),
            amnesia: false,
        }
    }

    /// The older connection, if it still stands, goes on committing until its session is claimed.
    pub(crate) fn accept(&mut self) {
        self.older = self.connection.take().or_else(|| self.older.take());
        self.connection = Some(Connection::default());
    }

    pub(crate) fn hang_up(&mut self) {
        self.connection = None;
    }

    pub(crate) fn crash(&mut self) {
        (self.connection, self.older) = (None, None);
    }

    pub(crate) fn push(&mut self, length: usize) {
        let Some((id, stored)) = self.store.iter_mut().next_back() else { return };
        self.pushed += 1;
        let payload = numbered(self.pushed, length, false);
        stored.pushes.push(self.pushed);
        stored.outbox.push_back(payload.clone());
        if let Some(Connection { greeted: Some((of, server)), waiting, .. }) = &mut self.connection {
            if of == id {
                let before = server.queued_bytes();
                server.push(payload);
                *waiting += server.queued_bytes() - before;
            }
        }
    }

    pub(crate) fn commit(&mut self, now: Timestamp, most: usize) {
        for connection in [&mut self.older, &mut self.connection].into_iter().flatten() {
            Self::commit_of(connection, &mut self.store, &mut self.committed, now, most);
        }
    }

    fn commit_of(
        connection: &mut Connection,
        store: &mut BTreeMap<SessionId, Stored>,
        all: &mut Vec<u64>,
        now: Timestamp,
        most: usize,
    ) {
        let Connection { greeted: Some((id, server)), received, waiting } = connection else { return };
        for _ in 0..most {
            let Some((number, payload)) = received.pop_front() else { return };
            let Some(stored) = store.get_mut(id) else {
                *waiting = 0;
                return server.end(EndReason::Gone);
            };
            if number > stored.committed {
                assert_eq!(number, stored.committed + 1, "in-order: the store sees a gap");
                stored.committed = number;
                let serial = serial(&payload);
                let last = all.last().copied().unwrap_or(0);
                assert!(serial > last, "once-in-order: {serial} is committed after {last}");
                all.push(serial);
            }
            server.committed(now, number);
        }
    }

    pub(crate) fn forget(&mut self) {
        self.store.clear();
    }

    /// The store was restored from a copy that is a little old.
    pub(crate) fn half_forget(&mut self) {
        if let Some(stored) = self.store.values_mut().next_back().filter(|stored| stored.committed > 0) {
            stored.committed -= 1;
            self.committed.pop();
            self.amnesia = true;
        }
        self.crash();
    }

    pub(crate) fn ping(&mut self, id: u64) {
        if let Some((_, server)) = self.connection.as_mut().and_then(|connection| connection.greeted.as_mut()) {
            server.ping(id);
        }
    }

    pub(crate) fn go_away(&mut self) {
        if let Some((_, server)) = self.connection.as_mut().and_then(|connection| connection.greeted.as_mut()) {
            server.going_away(Advice { spread: Some(Micros::from_millis(5)), ..Advice::default() });
        }
    }

    pub(crate) fn end(&mut self, reason: EndReason) {
        if let Some(Connection { greeted: Some((id, server)), waiting, .. }) = &mut self.connection {
            server.end(reason);
            *waiting = 0;
            self.store.remove(id);
        }
    }

    pub(crate) fn write(&mut self, now: Timestamp) -> Option<Bytes> {
        let Connection { greeted, waiting, .. } = self.connection.as_mut()?;
        let (id, server) = greeted.as_mut()?;
        let Some(frame) = server.transmit(now) else {
            let at = server.deadline();
            assert!(at.is_none_or(|at| at > now), "no-busy-loop: the server's {at:?} at {now:?}");
            return None;
        };
        let told = match Frame::decode(frame.clone()).expect("what we write is a frame") {
            Frame::Message { received, payload, .. } => {
                *waiting -= payload.len();
                Some(received)
            }
            Frame::Ack { received } => Some(received),
            _ => None,
        };
        if let (Some(told), Some(stored), false) = (told, self.store.get(id), self.amnesia) {
            assert!(told <= stored.committed, "only-what-is-safe: {told} told, {} committed", stored.committed);
        }
        Some(frame)
    }

    pub(crate) fn read(&mut self, frame: Bytes) -> Result<(), ProtocolError> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let Some((id, server)) = &mut connection.greeted else {
            return self.greet(Greeting::decode(frame)?);
        };
        match server.receive(frame)? {
            FromClient::Message { number, payload } => connection.received.push_back((number, payload)),
            FromClient::End => {
                self.store.remove(id);
            }
            FromClient::Pong(_) | FromClient::Nothing => {}
        }
        if let Some(stored) = self.store.get_mut(id) {
            stored.acknowledge(server.acknowledged());
        }
        Ok(())
    }

    fn greet(&mut self, greeting: Greeting) -> Result<(), ProtocolError> {
        let (resumed, outcome) = match greeting {
            Greeting::Start => (None, Outcome::New),
            Greeting::Resume { id, secret, received } => (self.claim(id, secret, received), Outcome::Replaced),
        };
        let (id, outcome) = match resumed {
            Some(id) => (id, Outcome::Resumed),
            None => (self.create(), outcome),
        };
        let stored = &self.store[&id];
        let welcome = Welcome {
            outcome,
            id,
            secret: stored.secret,
            received: stored.committed,
            ttl: Micros::from_secs(60),
            most_payload: self.setup.most_payload,
        };
        let mut server = Server::new(self.setup.server_acks, welcome, stored.acknowledged);
        stored.outbox.iter().cloned().for_each(|payload| server.push(payload));
        let waiting = stored.outbox.iter().map(Payload::len).sum();
        self.older = None;
        self.connection = Some(Connection { greeted: Some((id, server)), received: VecDeque::new(), waiting });
        Ok(())
    }

    fn claim(&mut self, id: SessionId, secret: Secret, received: u64) -> Option<SessionId> {
        let stored = self.store.get_mut(&id).filter(|stored| stored.secret == secret)?;
        let last = stored.acknowledged + stored.outbox.len() as u64;
        assert!((stored.acknowledged..=last).contains(&received), "claims-are-true: {received} of {last}");
        stored.acknowledge(received);
        Some(id)
    }

    fn create(&mut self) -> SessionId {
        self.sessions = self.sessions.checked_add(1).expect("fewer sessions than moves");
        let (id, secret) = (SessionId::from_bytes([self.sessions; 16]), Secret::from_bytes([!self.sessions; 16]));
        let stored =
            Stored { secret, committed: 0, acknowledged: 0, outbox: VecDeque::new(), pushes: Vec::new(), got: 0 };
        self.store.insert(id, stored);
        id
    }

    /// The client got this one, on the present connection.
    pub(crate) fn on_got(&mut self, payload: &Payload) {
        let Some(Connection { greeted: Some((id, _)), .. }) = &self.connection else {
            return; // it was on its way when the connection ended
        };
        if let Some(stored) = self.store.get_mut(id) {
            assert_eq!(stored.pushes.get(stored.got), Some(&serial(payload)), "once-in-order: to the client");
            stored.got += 1;
        }
    }

    pub(crate) fn was_committed(&self, serial: u64) -> bool {
        self.committed.binary_search(&serial).is_ok()
    }

    pub(crate) fn committed_count(&self) -> usize {
        self.committed.len()
    }

    pub(crate) fn assert_queue_is_bounded(&self) {
        if let Some(Connection { greeted: Some((id, server)), waiting, .. }) = &self.connection {
            assert_eq!(server.queued_bytes(), *waiting, "server-queue: what was pushed and not written");
            if let Some(stored) = self.store.get(id) {
                assert_eq!(server.next_number(), stored.pushes.len() as u64 + 1, "server-queue: numbers");
            }
        }
    }

    /// By the client of the present connection.
    pub(crate) fn assert_all_was_got(&self) {
        let Some(Connection { greeted: Some((id, server)), .. }) = &self.connection else {
            panic!("everything-comes-out: there is no connection")
        };
        let stored = &self.store[id];
        assert_eq!(stored.got, stored.pushes.len(), "everything-comes-out: to the client");
        assert!(stored.outbox.is_empty(), "everything-comes-out: {:?} is not acknowledged: {server:?}", stored.outbox);
    }
}

impl Stored {
    fn acknowledge(&mut self, number: u64) {
        while self.acknowledged < number {
            self.outbox.pop_front().expect("no more than was sent");
            self.acknowledged += 1;
        }
    }
}
