//! Sessions in this process' memory.

mod due;
mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use redial_session::SessionId;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::listeners::Listeners;
use super::{
    Change, Claim, Committed, Effect, Ended, Lease, Member, NewSession, Outgoing, Past, Reason, Resumed, SecretHash,
    SessionStore, StoreError, StoreSettings, Totals, fresh,
};
use state::{Session, State};

/// Sessions in this process' memory: they end with it.
///
/// Each transaction is made under one lock, and none waits for anything. A message that many are to get is in memory once.
#[derive(Debug)]
pub struct MemoryStore {
    settings: StoreSettings,
    state: Mutex<State>,
    listeners: Listeners,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new(settings: StoreSettings) -> Self {
        Self { settings, state: Mutex::new(State::new(settings)), listeners: Listeners::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the transaction, and tells whom it concerns: under the lock still, so that news come in order.
    fn finish(&self, mut state: MutexGuard<'_, State>) {
        let news = std::mem::take(&mut state.news);
        self.listeners.tell_of(news);
    }

    /// When a session whose connection is there now passes, if nobody hears of it again.
    fn kept_until(&self, now: Instant) -> Instant {
        now + self.settings.ttl + self.settings.ttl / 4
    }
}

/// Its session, if the lease stands.
fn held(state: &mut State, lease: Lease, now: Instant) -> Result<&mut Session, StoreError> {
    // Looked up twice, for the borrow checker's sake, where it is gone only.
    if !state.sessions.contains_key(&lease.session) {
        return Err(state.gone(lease.session, now));
    }
    match state.sessions.get_mut(&lease.session) {
        Some(session) if session.epoch == lease.epoch => Ok(session),
        Some(session) if session.epoch < lease.epoch => Err(StoreError::Gone(Reason::Unknown)),
        _ => Err(StoreError::Superseded),
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    fn settings(&self) -> &StoreSettings {
        &self.settings
    }

    async fn create(&self, new: NewSession) -> Result<Lease, StoreError> {
        let now = Instant::now();
        let mut state = self.lock();
        let lease = Lease { session: new.id, epoch: 1 };
        if let Some(session) = state.sessions.get(&new.id) {
            return if session.secret == new.secret { Ok(lease) } else { Err(StoreError::Gone(Reason::Unknown)) };
        }
        if state.is_overflown(new.id, now) {
            return Err(StoreError::Gone(Reason::Overflow));
        }
        state.insert(new.id, Session::new(new.secret, new.user, new.alias))?;
        state.due.set(new.id, self.kept_until(now));
        Ok(lease)
    }

    async fn claim(&self, id: SessionId, secret: SecretHash, received: u64) -> Result<Claim, StoreError> {
        let now = Instant::now();
        let mut state = self.lock();
        let due = state.due.is_due(&id, now);
        let Some(session) = state.sessions.get_mut(&id) else { return Ok(Claim::Unknown) };
        if session.secret != secret || due {
            return Ok(Claim::Unknown);
        }
        if received < session.acknowledged {
            return Ok(Claim::Unknown);
        }
        if received > session.sent() {
            state.remove_and_report(id);
            self.finish(state);
            return Ok(Claim::Unknown);
        }
        session.epoch += 1;
        session.connected = true;
        let resumed = Resumed {
            lease: Lease { session: id, epoch: session.epoch },
            received: session.received,
            user: session.user.clone(),
            alias: session.alias,
        };
        state.acknowledge(id, received);
        state.due.set(id, self.kept_until(now));
        state.news.push(id);
        self.finish(state);
        Ok(Claim::Resumed(resumed))
    }

    async fn commit(&self, lease: Lease, messages: Vec<Committed>) -> Result<(), StoreError> {
        let now = Instant::now();
        let mut state = self.lock();
        let session = held(&mut state, lease, now)?;
        let (messages, last) = fresh(messages, session.received)?;
        session.received = last;
        for message in messages {
            state.run(Some(lease.session), message.effects, now);
        }
        let outcome = held(&mut state, lease, now).map(|_| ());
        self.finish(state);
        outcome
    }

    async fn apply(&self, session: Option<SessionId>, effects: Vec<Effect>) -> Result<(), StoreError> {
        let now = Instant::now();
        let mut state = self.lock();
        let alive = |state: &State| match session {
            Some(id) if !state.sessions.contains_key(&id) => Err(state.gone(id, now)),
            _ => Ok(()),
        };
        alive(&state)?;
        state.run(session, effects, now);
        let outcome = alive(&state);
        self.finish(state);
        outcome
    }

    async fn read(
        &self,
        lease: Lease,
        after: u64,
        most_messages: usize,
        most_bytes: usize,
    ) -> Result<Vec<Outgoing>, StoreError> {
        let mut state = self.lock();
        let session = held(&mut state, lease, Instant::now())?;
        if after > session.sent() {
            return Err(StoreError::Gone(Reason::Unknown));
        }
        let known = usize::try_from(after.saturating_sub(session.acknowledged)).unwrap_or(usize::MAX);
        let mut messages = Vec::new();
        let mut bytes = 0;
        let first = session.acknowledged + 1;
        for (number, payload) in (first..).zip(&session.outbox).skip(known).take(most_messages) {
            messages.push(Outgoing { number, payload: payload.clone() });
            bytes += payload.len();
            if bytes >= most_bytes {
                break;
            }
        }
        Ok(messages)
    }

    async fn acknowledge(&self, lease: Lease, up_to: u64) -> Result<(), StoreError> {
        let mut state = self.lock();
        if up_to > held(&mut state, lease, Instant::now())?.sent() {
            return Err(StoreError::Gone(Reason::Unknown));
        }
        state.acknowledge(lease.session, up_to);
        Ok(())
    }

    async fn keep(&self, leases: &[Lease]) -> Result<(), StoreError> {
        let now = Instant::now();
        let until = self.kept_until(now);
        // So many at once that the lock is cheap, so few that nobody waits for long.
        for leases in leases.chunks(256) {
            let mut state = self.lock();
            for lease in leases {
                if held(&mut state, *lease, now).is_ok_and(|session| session.connected) {
                    state.due.set(lease.session, until);
                }
            }
        }
        Ok(())
    }

    async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        let now = Instant::now();
        let mut state = self.lock();
        match held(&mut state, lease, now) {
            Ok(session) if session.connected => session.connected = false,
            _ => return Ok(()),
        }
        state.due.set(lease.session, now + self.settings.ttl);
        Ok(())
    }

    async fn end(&self, lease: Lease) -> Result<Option<Ended>, StoreError> {
        let mut state = self.lock();
        if held(&mut state, lease, Instant::now()).is_err() {
            return Ok(None);
        }
        let ended = state.remove(lease.session);
        self.finish(state);
        Ok(ended)
    }

    async fn expire(&self, most: usize) -> Result<Vec<Ended>, StoreError> {
        let now = Instant::now();
        let mut state = self.lock();
        state.sweep(now, most);
        let mut all = Vec::new();
        while all.len() < most {
            let Some(ended) = state.next_ended(now) else { break };
            all.push(ended);
        }
        self.finish(state);
        Ok(all)
    }

    async fn history(&self, room: &str, before: Option<u64>, most: usize) -> Result<Vec<Past>, StoreError> {
        let state = self.lock();
        let Some(room) = state.rooms.get(room) else { return Ok(Vec::new()) };
        let end = before.map_or(room.history.len(), |before| room.history.partition_point(|past| past.number < before));
        Ok(room.history.range(end.saturating_sub(most)..end).cloned().collect())
    }

    async fn members(&self, room: &str) -> Result<Vec<Member>, StoreError> {
        let state = self.lock();
        let Some(room) = state.rooms.get(room) else { return Ok(Vec::new()) };
        let sessions = room.members.values().filter_map(|id| state.sessions.get(id));
        let member = |s: &Session| Member { alias: s.alias, user: s.user.clone(), connected: s.connected };
        Ok(sessions.map(member).collect())
    }

    async fn count(&self, key: &str) -> Result<u64, StoreError> {
        Ok(self.lock().count(key, Instant::now()))
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        let state = self.lock();
        Ok(Totals { sessions: state.sessions.len() as u64, outbox_messages: Some(state.waiting) })
    }

    fn changes(&self) -> UnboundedReceiver<Change> {
        self.listeners.add()
    }
}
