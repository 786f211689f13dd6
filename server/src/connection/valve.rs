//! Keeps a client's own answers from overflowing its outbox.
//!
//! A client that comes back sends a thousand messages at once, and their answers may be more than its outbox holds. So no
//! more of them are committed while much of the outbox is unacknowledged: for a moment. It is not for ever, because only
//! what the client sends can show that it is there.

use std::collections::VecDeque;

use redial::{Micros, Timestamp};

use crate::store::StoreSettings;

/// How long commits wait for an acknowledgement: several times the delay of one.
const PATIENCE: Micros = Micros::from_millis(250);

/// What of the outbox the client has not acknowledged, as far as it has been read.
#[derive(Debug)]
pub(crate) struct Valve {
    most_messages: usize,
    most_bytes: usize,
    /// The lengths of the messages that were read and are not acknowledged.
    unacknowledged: VecDeque<usize>,
    bytes: usize,
    /// The number of the last message that is acknowledged.
    acknowledged: u64,
    /// The answers that were committed since the outbox was last read to its end.
    committed_messages: usize,
    committed_bytes: usize,
    /// Since when it has been closed.
    closed_at: Option<Timestamp>,
}

impl Valve {
    pub(crate) fn new(settings: &StoreSettings, acknowledged: u64) -> Self {
        Self {
            most_messages: (settings.outbox_messages / 4).max(1),
            most_bytes: (settings.outbox_bytes / 4).max(1),
            unacknowledged: VecDeque::new(),
            bytes: 0,
            acknowledged,
            committed_messages: 0,
            committed_bytes: 0,
            closed_at: None,
        }
    }

    /// How many answers may be committed at once, and how many bytes of them.
    pub(crate) fn batch(&self) -> (usize, usize) {
        ((self.most_messages / 2).max(1), self.most_bytes / 2)
    }

    pub(crate) fn on_commit(&mut self, messages: usize, bytes: usize) {
        self.closed_at = None;
        self.committed_messages += messages;
        self.committed_bytes += bytes;
    }

    pub(crate) fn on_read(&mut self, length: usize) {
        self.unacknowledged.push_back(length);
        self.bytes += length;
    }

    pub(crate) const fn on_read_to_the_end(&mut self) {
        self.committed_messages = 0;
        self.committed_bytes = 0;
    }

    pub(crate) fn on_acknowledged(&mut self, up_to: u64) {
        while self.acknowledged < up_to {
            self.acknowledged += 1;
            self.bytes -= self.unacknowledged.pop_front().unwrap_or(0);
            self.closed_at = None;
        }
    }

    /// Whether more may be committed now.
    pub(crate) fn is_open(&mut self, now: Timestamp) -> bool {
        let messages = self.unacknowledged.len() + self.committed_messages;
        if messages < self.most_messages && self.bytes + self.committed_bytes < self.most_bytes {
            self.closed_at = None;
            return true;
        }
        now >= self.closed_at.get_or_insert(now).saturating_add(PATIENCE)
    }

    /// When it opens though nothing happens.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.closed_at.map(|at| at.saturating_add(PATIENCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_closes_when_a_quarter_is_unacknowledged_and_opens_with_an_acknowledgement_or_after_a_moment() {
        let settings = StoreSettings { outbox_messages: 1000, outbox_bytes: 400, ..StoreSettings::default() };
        let mut valve = Valve::new(&settings, 7);
        let at = Timestamp::from_millis;
        assert_eq!(valve.batch(), (125, 50));
        valve.on_commit(1, 50);
        assert!(valve.is_open(at(0)));
        valve.on_commit(1, 50);
        assert!(!valve.is_open(at(1)));
        for _ in 0..2 {
            valve.on_read(49);
        }
        valve.on_read_to_the_end();
        assert!(valve.is_open(at(2)));
        valve.on_read(2);
        assert!(!valve.is_open(at(3)) && !valve.is_open(at(252)));
        assert_eq!(valve.deadline(), Some(at(253)));
        assert!(valve.is_open(at(253)));
        valve.on_commit(0, 0);
        assert!(!valve.is_open(at(254)));
        valve.on_acknowledged(8);
        assert!(valve.is_open(at(255)));
        assert_eq!(valve.deadline(), None);
    }
}
