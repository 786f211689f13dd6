//! What the client knows of its messages, which are numbered from 1, and when it is time for the next.

use std::ops::RangeInclusive;

use redial::{Micros, Timestamp};

/// Which messages were sent, acknowledged, or are in doubt.
///
/// A connection delivers in order and the outbox is a queue. So all that is still open is one stretch of numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    sent: u32,
    /// All up to this one were acknowledged or are in doubt (or were passed over, which nobody should have done).
    settled: u32,
    in_doubt: Vec<RangeInclusive<u32>>,
}

/// The most messages that may be open: as long as nothing resends them, one who cares leaves no more unacknowledged than
/// he can bear to lose at once. The outbox has place for as many, so none is ever refused.
pub(super) const MOST_OPEN: u32 = 500;

impl Ledger {
    /// The number of the next message, if it is due and may be sent.
    pub(super) fn next(&self, due: u32) -> Option<u32> {
        let open = self.sent.saturating_sub(self.settled);
        (self.sent < due && open < MOST_OPEN).then(|| self.sent.saturating_add(1))
    }

    /// The next message was taken: it waits in the outbox, or a connection has it.
    pub(super) fn on_sent(&mut self) {
        self.sent = self.sent.saturating_add(1);
    }

    /// The server has it. One that was passed over on the way is reported by nobody: the account will tell.
    pub(super) fn on_acknowledged(&mut self, number: u32) {
        self.settled = self.settled.max(number.min(self.sent));
    }

    /// A connection is gone, and `waiting` messages are in the outbox still. The others that were not acknowledged it took
    /// with it: perhaps they arrived, perhaps not. To send them again might deliver them twice, so they are reported.
    ///
    /// A session layer, which numbers messages on the wire and asks the server what it has, will resolve the doubt.
    pub(super) fn on_lost(&mut self, waiting: u32) -> Option<RangeInclusive<u32>> {
        let handed_over = self.sent.saturating_sub(waiting);
        if handed_over <= self.settled {
            return None;
        }
        let doubtful = self.settled.saturating_add(1)..=handed_over;
        self.settled = handed_over;
        self.in_doubt.push(doubtful.clone());
        Some(doubtful)
    }

    /// The last so many were handed back by the outbox: they were never sent.
    pub(super) fn on_taken_back(&mut self, messages: u32) {
        self.sent = self.sent.saturating_sub(messages);
    }

    pub(super) const fn sent(&self) -> u32 {
        self.sent
    }

    /// Whether nothing is open.
    pub(super) const fn is_settled(&self) -> bool {
        self.settled >= self.sent
    }

    pub(super) fn in_doubt(&self) -> &[RangeInclusive<u32>] {
        &self.in_doubt
    }
}

/// How many messages are due: a share of those left, spread evenly over a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    before: u32,
    share: u32,
    since: Timestamp,
    over: Micros,
}

impl Pace {
    /// `before` are due already; of the others up to `total`, one part in `parts` will be.
    pub(super) fn new(before: u32, total: u32, parts: u32, since: Timestamp, over: impl Into<Micros>) -> Self {
        let share = total.saturating_sub(before).div_ceil(parts.max(1));
        Self { before, share, since, over: over.into() }
    }

    /// All are due at once.
    pub(super) const fn all(total: u32) -> Self {
        Self { before: total, share: 0, since: Timestamp::ZERO, over: Micros::ZERO }
    }

    /// How many are due by now, of all.
    pub(super) fn due(&self, now: Timestamp) -> u32 {
        let elapsed = now.saturating_since(self.since).min(self.over).as_micros();
        let part = u64::from(self.share).saturating_mul(elapsed).checked_div(self.over.as_micros());
        let part = part.and_then(|part| u32::try_from(part).ok()).unwrap_or(self.share);
        self.before.saturating_add(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(messages: u32) -> Ledger {
        let mut ledger = Ledger::default();
        while let Some(number) = ledger.next(messages) {
            assert_eq!(number, ledger.sent() + 1);
            ledger.on_sent();
        }
        ledger
    }

    #[test]
    fn what_a_lost_connection_had_taken_is_in_doubt_and_what_waits_is_not() {
        let mut ledger = sent(10);
        ledger.on_acknowledged(4);
        assert_eq!(ledger.on_lost(3), Some(5..=7));
        assert!(!ledger.is_settled());
        ledger.on_acknowledged(8);
        ledger.on_acknowledged(10);
        assert!(ledger.is_settled());
        assert_eq!(ledger.in_doubt(), [5..=7]);
    }

    #[test]
    fn a_connection_that_took_nothing_leaves_no_doubt() {
        let mut ledger = sent(10);
        assert_eq!(ledger.on_lost(10), None);
        ledger.on_acknowledged(10);
        assert_eq!(ledger.on_lost(0), None);
        assert_eq!(ledger.in_doubt(), []);
    }

    #[test]
    fn a_message_that_was_passed_over_is_not_taken_for_reported() {
        let mut ledger = sent(3);
        ledger.on_acknowledged(3); // 1 and 2 were not
        assert_eq!(ledger.on_lost(0), None);
    }

    #[test]
    fn what_the_outbox_hands_back_was_not_sent() {
        let mut ledger = sent(10);
        assert_eq!(ledger.on_lost(4), Some(1..=6));
        ledger.on_taken_back(4);
        assert_eq!(ledger.sent(), 6);
        assert!(ledger.is_settled());
    }

    #[test]
    fn no_more_are_open_than_may_be() {
        let mut ledger = sent(u32::MAX);
        assert_eq!(ledger.sent(), MOST_OPEN);
        ledger.on_acknowledged(1);
        assert_eq!(ledger.next(u32::MAX), Some(MOST_OPEN + 1));
    }

    #[test]
    fn messages_are_due_evenly_and_never_more_than_the_share() {
        let at = Timestamp::from_millis;
        let pace = Pace::new(10, 110, 4, at(1000), Micros::from_millis(500));
        assert_eq!([0, 1000, 1020, 1250, 1500, 9000].map(|now| pace.due(at(now))), [10, 10, 11, 22, 35, 35]);
        // The last part has the rest, and there may be fewer messages than parts.
        assert_eq!(Pace::new(35, 110, 1, at(0), Micros::ZERO).due(at(0)), 110);
        assert_eq!(Pace::new(0, 1, 7, at(0), Micros::from_millis(1)).due(at(1)), 1);
        assert_eq!(Pace::new(1, 1, 6, at(0), Micros::from_millis(1)).due(at(9)), 1);
        assert_eq!(Pace::all(7).due(at(0)), 7);
    }
}
