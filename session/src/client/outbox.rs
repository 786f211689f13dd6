//! The messages of a client that nobody has acknowledged yet: first those that were sent, then those that were not.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use redial::Timestamp;

use super::config::{ClientConfig, Overflow};
use super::event::{MessageId, OutboxLimit, SendError, Unacknowledged};
use crate::payload::Payload;

#[derive(Clone, Debug)]
struct Entry {
    id: MessageId,
    payload: Payload,
    deadline: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(super) struct Outbox {
    entries: VecDeque<Entry>,
    bytes: usize,
    most_messages: usize,
    most_bytes: usize,
    overflow: Overflow,
    /// So many at the front have a number in the session: they were sent at least once.
    numbered: usize,
    /// So many at the front were sent on the present connection.
    cursor: usize,
    /// No deadline of a message that was never sent is earlier.
    earliest: Option<Timestamp>,
}

/// What is to be sent next.
pub(super) enum Next<'a> {
    /// Again.
    Old(&'a Payload),
    /// For the first time.
    New(&'a Payload),
    Nothing,
}

impl Outbox {
    pub(super) const fn new(config: &ClientConfig) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            most_messages: config.messages,
            most_bytes: config.bytes,
            overflow: config.overflow,
            numbered: 0,
            cursor: 0,
            earliest: None,
        }
    }

    /// Puts a message at the end; gives those that had to make place for it.
    pub(super) fn push(
        &mut self,
        id: MessageId,
        payload: Payload,
        deadline: Option<Timestamp>,
    ) -> Result<Vec<Unacknowledged>, SendError> {
        let mut dropped = Vec::new();
        if let Some(limit) = self.met(payload.len()) {
            let droppable: usize = self.entries.range(self.numbered..).map(|entry| entry.payload.len()).sum();
            let no_help = payload.len() > self.most_bytes.saturating_sub(self.bytes.saturating_sub(droppable));
            let none = self.entries.len() == self.numbered;
            match self.overflow {
                Overflow::Reject => return Err(SendError { payload, limit }),
                Overflow::DropOldest if none || no_help => return Err(SendError { payload, limit }),
                Overflow::DropOldest => {
                    while self.met(payload.len()).is_some() {
                        let Some(oldest) = self.remove(self.numbered) else { break };
                        dropped.push(oldest);
                    }
                }
            }
        }
        self.bytes = self.bytes.saturating_add(payload.len());
        self.entries.push_back(Entry { id, payload, deadline });
        self.earliest = [self.earliest, deadline].into_iter().flatten().min();
        Ok(dropped)
    }

    /// One that has a number.
    pub(super) fn push_numbered(&mut self, id: MessageId, payload: Payload) {
        self.bytes = self.bytes.saturating_add(payload.len());
        self.entries.push_back(Entry { id, payload, deadline: None });
        self.numbered = self.entries.len();
    }

    /// Whether a message of so many bytes has place, and none is to be sent before it.
    pub(super) fn passes(&self, bytes: usize) -> bool {
        self.is_sent() && self.met(bytes).is_none()
    }

    /// One that passes, and is sent.
    pub(super) fn push_sent(&mut self, id: MessageId, payload: Payload) {
        self.push_numbered(id, payload);
        self.cursor = self.entries.len();
    }

    pub(super) fn next(&self) -> Next<'_> {
        match self.entries.get(self.cursor) {
            Some(entry) if self.cursor < self.numbered => Next::Old(&entry.payload),
            Some(entry) => Next::New(&entry.payload),
            None => Next::Nothing,
        }
    }

    /// It is sent.
    pub(super) fn advance(&mut self) {
        self.cursor = self.cursor.saturating_add(1).min(self.entries.len());
        self.numbered = self.numbered.max(self.cursor);
    }

    /// Takes the next one out: it is not to be sent, or sent and forgotten.
    pub(super) fn take_next(&mut self) -> Option<Unacknowledged> {
        self.remove(self.cursor)
    }

    /// On the next connection everything that was sent and is not acknowledged is sent again.
    pub(super) const fn rewind(&mut self) {
        self.cursor = 0;
    }

    /// The first `count` have arrived. Gives the last of them.
    pub(super) fn acknowledge(&mut self, count: usize) -> Option<MessageId> {
        let count = count.min(self.numbered);
        if count == 0 {
            return None;
        }
        let mut last = None;
        for entry in self.entries.drain(..count) {
            self.bytes = self.bytes.saturating_sub(entry.payload.len());
            last = Some(entry.id);
        }
        self.numbered -= count;
        self.cursor = self.cursor.saturating_sub(count);
        last
    }

    /// Takes out what was sent and not acknowledged.
    pub(super) fn take_numbered(&mut self) -> Vec<Unacknowledged> {
        let mut taken = Vec::with_capacity(self.numbered);
        while self.numbered > 0 {
            taken.extend(self.remove(0));
        }
        taken
    }

    /// Takes out everything.
    pub(super) fn take_all(&mut self) -> Vec<Unacknowledged> {
        let mut taken = Vec::with_capacity(self.entries.len());
        while let Some(entry) = self.remove(0) {
            taken.push(entry);
        }
        taken
    }

    /// Takes out what was never sent and whose deadline has come.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<Unacknowledged> {
        let mut expired = Vec::new();
        if self.earliest.is_none_or(|at| at > now) {
            return expired;
        }
        let mut index = self.numbered;
        let mut earliest: Option<Timestamp> = None;
        while let Some(entry) = self.entries.get(index) {
            match entry.deadline {
                Some(deadline) if deadline <= now => expired.extend(self.remove(index)),
                deadline => {
                    earliest = [earliest, deadline].into_iter().flatten().min();
                    index = index.saturating_add(1);
                }
            }
        }
        self.earliest = earliest;
        expired
    }

    /// When a deadline may come next.
    pub(super) const fn earliest(&self) -> Option<Timestamp> {
        self.earliest
    }

    pub(super) fn numbered(&self) -> impl Iterator<Item = &Payload> {
        self.entries.range(..self.numbered).map(|entry| &entry.payload)
    }

    /// How many were sent and are not acknowledged.
    pub(super) const fn in_flight(&self) -> usize {
        self.numbered
    }

    /// Whether everything was sent on the present connection.
    pub(super) fn is_sent(&self) -> bool {
        self.cursor >= self.entries.len()
    }

    /// The place of the next one to be sent.
    pub(super) const fn cursor(&self) -> usize {
        self.cursor
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether one more may come, as far as can be known before it does.
    pub(super) fn has_room(&self) -> bool {
        self.met(1).is_none()
    }

    fn met(&self, bytes: usize) -> Option<OutboxLimit> {
        if self.entries.len() >= self.most_messages {
            Some(OutboxLimit::Messages)
        } else if self.bytes.saturating_add(bytes) > self.most_bytes {
            Some(OutboxLimit::Bytes)
        } else {
            None
        }
    }

    fn remove(&mut self, index: usize) -> Option<Unacknowledged> {
        let Entry { id, payload, deadline: _ } = self.entries.remove(index)?;
        self.bytes = self.bytes.saturating_sub(payload.len());
        if index < self.numbered {
            self.numbered -= 1;
        }
        if index < self.cursor {
            self.cursor -= 1;
        }
        Some(Unacknowledged { id, payload })
    }
}
