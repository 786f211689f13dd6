//! What a store is, told as simply as it can be: lists, looked through from end to end.

use redial_server::store::{Committed, Effect, Ended, Member, Reason, StoreError, StoreSettings};

use crate::laws::{alias, text};

#[derive(Debug)]
pub(crate) struct Session {
    n: u16,
    user: Option<String>,
    pub(crate) epoch: u64,
    connected: bool,
    expires: u64,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) acknowledged: u64,
    outbox: Vec<(u64, String)>,
}

#[derive(Debug)]
pub(crate) struct Model {
    settings: StoreSettings,
    pub(crate) now: u64,
    pub(crate) sessions: Vec<Session>,
    /// Room and session, in the order of their coming.
    members: Vec<(String, u16)>,
    /// Room, number, text.
    history: Vec<(String, u64, String)>,
    overflown: Vec<(u16, u64)>,
    ended: Vec<Ended>,
    counts: Vec<(String, u64, u64)>,
}

type Answer<T> = Result<T, StoreError>;

impl Model {
    pub(crate) fn new(settings: StoreSettings) -> Self {
        Self {
            settings,
            now: 0,
            sessions: Vec::new(),
            members: Vec::new(),
            history: Vec::new(),
            overflown: Vec::new(),
            ended: Vec::new(),
            counts: Vec::new(),
        }
    }

    fn ttl(&self) -> u64 {
        u64::try_from(self.settings.ttl.as_millis()).unwrap()
    }

    pub(crate) fn session(&mut self, n: u16) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.n == n)
    }

    fn gone(&self, n: u16) -> StoreError {
        let overflown = self.overflown.iter().any(|(other, until)| *other == n && *until > self.now);
        StoreError::Gone(if overflown { Reason::Overflow } else { Reason::Unknown })
    }

    fn held(&mut self, n: u16, epoch: u64) -> Answer<&mut Session> {
        let gone = self.gone(n);
        let session = self.session(n).ok_or(gone)?;
        if session.epoch == epoch { Ok(session) } else { Err(StoreError::Superseded) }
    }

    fn remove(&mut self, n: u16) -> Ended {
        let at = self.sessions.iter().position(|session| session.n == n).unwrap();
        let session = self.sessions.remove(at);
        let rooms = self.members.iter().filter(|member| member.1 == n).map(|member| member.0.clone()).collect();
        self.members.retain(|member| member.1 != n);
        Ended { alias: alias(n), user: session.user, rooms }
    }

    pub(crate) fn create(&mut self, n: u16, user: Option<String>) -> Answer<()> {
        if self.session(n).is_some() {
            return Ok(());
        }
        let gone = self.gone(n);
        if gone == StoreError::Gone(Reason::Overflow) {
            return Err(gone);
        }
        let others = self.sessions.iter().filter(|session| user.is_some() && session.user == user).count();
        if user.is_some() && others >= self.settings.sessions_per_user {
            return Err(StoreError::TooManySessions);
        }
        let expires = self.now + self.ttl() * 5 / 4;
        self.sessions.push(Session {
            n,
            user,
            epoch: 1,
            connected: true,
            expires,
            received: 0,
            sent: 0,
            acknowledged: 0,
            outbox: Vec::new(),
        });
        Ok(())
    }

    /// The number of the last message received.
    pub(crate) fn claim(&mut self, n: u16, right: bool, received: u64) -> Option<u64> {
        let (now, until) = (self.now, self.now + self.ttl() * 5 / 4);
        let session = self.session(n)?;
        if !right || session.expires <= now {
            return None;
        }
        if received < session.acknowledged {
            return None;
        }
        if received > session.sent {
            let ended = self.remove(n);
            self.ended.push(ended);
            return None;
        }
        session.epoch += 1;
        session.connected = true;
        session.expires = until;
        session.acknowledge(received);
        Some(session.received)
    }

    pub(crate) fn commit(&mut self, n: u16, epoch: u64, messages: &[Committed]) -> Answer<()> {
        let received = self.held(n, epoch)?.received;
        let mut last = received;
        for message in messages {
            if message.number > last + 1 {
                return Err(StoreError::Gap { expected: received + 1 });
            }
            last = last.max(message.number);
        }
        self.held(n, epoch)?.received = last;
        let mut done = received;
        for message in messages.iter().filter(|message| message.number > received) {
            if message.number > done {
                done = message.number;
                self.run(Some(n), &message.effects);
            }
        }
        self.held(n, epoch).map(|_| ())
    }

    pub(crate) fn apply(&mut self, n: Option<u16>, effects: &[Effect]) -> Answer<()> {
        let alive = |model: &mut Self| match n {
            Some(n) if model.session(n).is_none() => Err(model.gone(n)),
            _ => Ok(()),
        };
        alive(self)?;
        self.run(n, effects);
        alive(self)
    }

    fn run(&mut self, own: Option<u16>, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Reply(payload) => own.into_iter().for_each(|own| self.put(own, text(payload))),
                Effect::Broadcast { room, payload, to_self, keep } => {
                    if *keep {
                        let number = self.history.iter().filter(|past| past.0 == *room).map(|past| past.1).max();
                        self.history.push((room.clone(), number.unwrap_or(0) + 1, text(payload)));
                        let kept = self.history.iter().filter(|past| past.0 == *room).count();
                        if kept > self.settings.history_messages {
                            let oldest = self.history.iter().position(|past| past.0 == *room).unwrap();
                            self.history.remove(oldest);
                        }
                    }
                    for (name, n) in self.members.clone() {
                        if name == *room && (*to_self || Some(n) != own) {
                            self.put(n, text(payload));
                        }
                    }
                }
                Effect::Join(room) => {
                    let Some(own) = own.filter(|own| self.session(*own).is_some()) else { continue };
                    let member = (room.clone(), own);
                    if !self.members.contains(&member) {
                        self.members.push(member);
                    }
                }
                Effect::Leave(room) => self.members.retain(|member| (&member.0, Some(member.1)) != (room, own)),
            }
        }
    }

    fn put(&mut self, n: u16, text: String) {
        let (settings, until) = (self.settings, self.now + self.ttl());
        let Some(session) = self.session(n) else { return };
        let bytes: usize = session.outbox.iter().map(|(_, text)| text.len()).sum();
        if session.outbox.len() == settings.outbox_messages || bytes + text.len() > settings.outbox_bytes {
            self.overflown.push((n, until));
            let ended = self.remove(n);
            self.ended.push(ended);
        } else {
            session.sent += 1;
            session.outbox.push((session.sent, text));
        }
    }

    pub(crate) fn read(&mut self, n: u16, epoch: u64, after: u64, most: usize, bytes: usize) -> Answer<Vec<String>> {
        let mut lines = Vec::new();
        let mut total = 0;
        let session = self.held(n, epoch)?;
        if after > session.sent {
            return Err(StoreError::Gone(Reason::Unknown));
        }
        for (number, text) in session.outbox.iter().filter(|message| message.0 > after).take(most) {
            lines.push(format!("{number} {text}"));
            total += text.len();
            if total >= bytes {
                break;
            }
        }
        Ok(lines)
    }

    pub(crate) fn acknowledge(&mut self, n: u16, epoch: u64, up_to: u64) -> Answer<()> {
        let session = self.held(n, epoch)?;
        if up_to > session.sent {
            return Err(StoreError::Gone(Reason::Unknown));
        }
        session.acknowledge(up_to);
        Ok(())
    }

    pub(crate) fn keep(&mut self, n: u16, epoch: u64) {
        let until = self.now + self.ttl() * 5 / 4;
        match self.held(n, epoch) {
            Ok(session) if session.connected => session.expires = until,
            _ => {}
        }
    }

    pub(crate) fn release(&mut self, n: u16, epoch: u64) {
        let until = self.now + self.ttl();
        match self.held(n, epoch) {
            Ok(session) if session.connected => (session.connected, session.expires) = (false, until),
            _ => {}
        }
    }

    pub(crate) fn end(&mut self, n: u16, epoch: u64) -> Option<Ended> {
        self.held(n, epoch).ok()?;
        Some(self.remove(n))
    }

    pub(crate) fn expire(&mut self) -> Vec<Ended> {
        let due = self.sessions.iter().filter(|session| session.expires <= self.now).map(|session| session.n);
        let mut all = std::mem::take(&mut self.ended);
        for n in due.collect::<Vec<_>>() {
            all.push(self.remove(n));
        }
        all
    }

    pub(crate) fn history(&self, room: &str, before: Option<u64>, most: usize) -> Vec<String> {
        let before = before.unwrap_or(u64::MAX);
        let past = self.history.iter().filter(|past| past.0 == room && past.1 < before);
        let mut newest: Vec<_> = past.rev().take(most).map(|past| format!("{} {}", past.1, past.2)).collect();
        newest.reverse();
        newest
    }

    pub(crate) fn members(&mut self, room: &str) -> Vec<Member> {
        let members: Vec<_> = self.members.iter().filter(|member| member.0 == room).map(|member| member.1).collect();
        let member = |n| {
            let session = self.session(n).unwrap();
            Member { alias: alias(n), user: session.user.clone(), connected: session.connected }
        };
        members.into_iter().map(member).collect()
    }

    pub(crate) fn count(&mut self, key: &str) -> u64 {
        let now = self.now;
        self.counts.retain(|count| count.2 > now);
        let at = self.counts.iter().position(|count| count.0 == key);
        let count = at.map_or(1, |at| self.counts.remove(at).1 + 1);
        self.counts.push((key.to_owned(), count, now + self.ttl()));
        count
    }

    /// Sessions, and messages that wait.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let waiting: usize = self.sessions.iter().map(|session| session.outbox.len()).sum();
        (self.sessions.len() as u64, waiting as u64)
    }
}

impl Session {
    fn acknowledge(&mut self, up_to: u64) {
        self.acknowledged = self.acknowledged.max(up_to);
        self.outbox.retain(|(number, _)| *number > up_to);
    }
}
