//! What the store in memory holds.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use redial_session::{Payload, SessionId};
use tokio::time::Instant;

use super::due::Due;
use crate::store::clock::unix_millis;
use crate::store::{Effect, Ended, Past, Reason, SecretHash, StoreError, StoreSettings};

/// A session that lives.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) secret: SecretHash,
    pub(super) user: Option<String>,
    pub(super) alias: u64,
    pub(super) epoch: u64,
    pub(super) connected: bool,
    /// The number of the client's last committed message.
    pub(super) received: u64,
    /// The number of the last message that the client has acknowledged: the outbox begins with the next one.
    pub(super) acknowledged: u64,
    pub(super) outbox: VecDeque<Payload>,
    pub(super) bytes: usize,
    /// With its turn in each, in the order of its coming.
    rooms: Vec<(Arc<str>, u64)>,
}

impl Session {
    pub(super) const fn new(secret: SecretHash, user: Option<String>, alias: u64) -> Self {
        Self {
            secret,
            user,
            alias,
            epoch: 1,
            connected: true,
            received: 0,
            acknowledged: 0,
            outbox: VecDeque::new(),
            bytes: 0,
            rooms: Vec::new(),
        }
    }

    /// The number of the last message that was put into the outbox.
    pub(super) fn sent(&self) -> u64 {
        self.acknowledged + self.outbox.len() as u64
    }
}

#[derive(Debug, Default)]
pub(super) struct Room {
    /// By their turn.
    pub(super) members: BTreeMap<u64, SessionId>,
    turns: u64,
    pub(super) history: VecDeque<Past>,
    last: u64,
}

#[derive(Debug)]
pub(super) struct State {
    settings: StoreSettings,
    pub(super) sessions: HashMap<SessionId, Session>,
    pub(super) due: Due<SessionId>,
    pub(super) rooms: HashMap<Arc<str>, Room>,
    per_user: HashMap<String, usize>,
    /// Sessions that were ended, and why, so that their connections can be told.
    overflown: Due<SessionId>,
    /// Ended, but not yet reported.
    ended: VecDeque<Ended>,
    pub(super) waiting: u64,
    counts: HashMap<String, u64>,
    counts_due: Due<String>,
    /// Who is to hear of the transaction that runs.
    pub(super) news: Vec<SessionId>,
}

impl State {
    pub(super) fn new(settings: StoreSettings) -> Self {
        Self {
            settings,
            sessions: HashMap::new(),
            due: Due::default(),
            rooms: HashMap::new(),
            per_user: HashMap::new(),
            overflown: Due::default(),
            ended: VecDeque::new(),
            waiting: 0,
            counts: HashMap::new(),
            counts_due: Due::default(),
            news: Vec::new(),
        }
    }

    /// Why a session that is not there is not.
    pub(super) fn gone(&self, id: SessionId, now: Instant) -> StoreError {
        StoreError::Gone(if self.is_overflown(id, now) { Reason::Overflow } else { Reason::Unknown })
    }

    pub(super) fn is_overflown(&self, id: SessionId, now: Instant) -> bool {
        !self.overflown.is_due(&id, now)
    }

    pub(super) fn insert(&mut self, id: SessionId, session: Session) -> Result<(), StoreError> {
        if let Some(user) = &session.user {
            let most = self.settings.sessions_per_user;
            if self.per_user.get(user).copied().unwrap_or(0) >= most {
                return Err(StoreError::TooManySessions);
            }
            *self.per_user.entry(user.clone()).or_insert(0) += 1;
        }
        self.sessions.insert(id, session);
        Ok(())
    }

    /// Ends a session: nothing of it is left.
    pub(super) fn remove(&mut self, id: SessionId) -> Option<Ended> {
        let session = self.sessions.remove(&id)?;
        self.due.remove(&id);
        self.waiting -= session.outbox.len() as u64;
        self.news.push(id);
        if let Some(user) = &session.user {
            if let Some(count) = self.per_user.get_mut(user) {
                *count -= 1;
                if *count == 0 {
                    self.per_user.remove(user);
                }
            }
        }
        let rooms = session.rooms.iter().map(|(room, _)| room.to_string()).collect();
        for (room, turn) in session.rooms {
            self.leave_room(&room, turn);
        }
        Some(Ended { alias: session.alias, user: session.user, rooms })
    }

    /// Ends a session outside of [`end`](crate::store::SessionStore::end): it is reported later.
    pub(super) fn remove_and_report(&mut self, id: SessionId) {
        let ended = self.remove(id);
        self.ended.extend(ended);
    }

    /// The next session to be reported: ended before, or now, because its time has passed.
    pub(super) fn next_ended(&mut self, now: Instant) -> Option<Ended> {
        if let Some(ended) = self.ended.pop_front() {
            return Some(ended);
        }
        let id = self.due.pop(now)?;
        self.remove(id)
    }

    /// Forgets what only time makes needless.
    pub(super) fn sweep(&mut self, now: Instant, most: usize) {
        for _ in 0..most {
            let Some(key) = self.counts_due.pop(now) else { break };
            self.counts.remove(&key);
        }
        for _ in 0..most {
            if self.overflown.pop(now).is_none() {
                break;
            }
        }
    }

    pub(super) fn count(&mut self, key: &str, now: Instant) -> u64 {
        if self.counts_due.is_due(&key.to_owned(), now) {
            self.counts.remove(key);
        }
        self.counts_due.set(key.to_owned(), now + self.settings.ttl);
        let count = self.counts.entry(key.to_owned()).or_insert(0);
        *count += 1;
        *count
    }

    pub(super) fn acknowledge(&mut self, id: SessionId, up_to: u64) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let news = up_to.min(session.sent()).saturating_sub(session.acknowledged);
        for payload in session.outbox.drain(..usize::try_from(news).unwrap_or(0)) {
            session.bytes -= payload.len();
        }
        if session.outbox.capacity() > 64 && session.outbox.len() < session.outbox.capacity() / 4 {
            session.outbox.shrink_to(session.outbox.len() * 2);
        }
        session.acknowledged += news;
        self.waiting -= news;
    }

    /// Does all of them, for this session or for none.
    pub(super) fn run(&mut self, own: Option<SessionId>, effects: Vec<Effect>, now: Instant) {
        for effect in effects {
            match effect {
                Effect::Reply(payload) => {
                    if let Some(own) = own {
                        self.put(own, &alone(&payload), now);
                    }
                }
                Effect::Broadcast { room, payload, to_self, keep } => {
                    let except = if to_self { None } else { own };
                    self.broadcast(&room, &alone(&payload), except, keep, now);
                }
                Effect::Join(room) => {
                    if let Some(own) = own {
                        self.join(own, room);
                    }
                }
                Effect::Leave(room) => {
                    if let Some(own) = own {
                        self.leave(own, &room);
                    }
                }
            }
        }
    }

    fn put(&mut self, id: SessionId, payload: &Payload, now: Instant) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let bytes = session.bytes.saturating_add(payload.len());
        if session.outbox.len() >= self.settings.outbox_messages || bytes > self.settings.outbox_bytes {
            self.overflown.set(id, now + self.settings.ttl);
            self.remove_and_report(id);
        } else {
            session.outbox.push_back(payload.clone());
            session.bytes = bytes;
            self.waiting += 1;
            self.news.push(id);
        }
    }

    fn broadcast(&mut self, name: &str, payload: &Payload, except: Option<SessionId>, keep: bool, now: Instant) {
        if keep && self.settings.history_messages > 0 {
            if !self.rooms.contains_key(name) {
                self.rooms.insert(name.into(), Room::default());
            }
            if let Some(room) = self.rooms.get_mut(name) {
                room.last += 1;
                room.history.push_back(Past { number: room.last, at_millis: unix_millis(), payload: payload.clone() });
                if room.history.len() > self.settings.history_messages {
                    room.history.pop_front();
                }
            }
        }
        let Some(room) = self.rooms.get(name) else { return };
        // Who overflows leaves the room meanwhile.
        let members: Vec<_> = room.members.values().copied().filter(|id| Some(*id) != except).collect();
        for id in members {
            self.put(id, payload, now);
        }
    }

    fn join(&mut self, id: SessionId, name: String) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.rooms.iter().any(|(room, _)| **room == *name) {
            return;
        }
        let name = self.rooms.get_key_value(&*name).map_or_else(|| Arc::from(name), |(name, _)| Arc::clone(name));
        let room = self.rooms.entry(Arc::clone(&name)).or_default();
        room.turns += 1;
        room.members.insert(room.turns, id);
        session.rooms.push((name, room.turns));
    }

    fn leave(&mut self, id: SessionId, name: &str) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(at) = session.rooms.iter().position(|(room, _)| **room == *name) else { return };
        let (name, turn) = session.rooms.remove(at);
        self.leave_room(&name, turn);
    }

    fn leave_room(&mut self, name: &str, turn: u64) {
        let Some(room) = self.rooms.get_mut(name) else { return };
        room.members.remove(&turn);
        if room.members.is_empty() && room.history.is_empty() {
            self.rooms.remove(name);
        }
    }
}

/// The same bytes in a piece of memory of their own: a message that waits for long must not hold the buffer that it was
/// read into.
fn alone(payload: &Payload) -> Payload {
    let bytes = Bytes::copy_from_slice(payload.bytes());
    if payload.is_text() {
        Payload::from_utf8(bytes.clone()).unwrap_or_else(|_| Payload::binary(bytes))
    } else {
        Payload::binary(bytes)
    }
}
