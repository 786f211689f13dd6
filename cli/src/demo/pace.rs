//! When it is time for the next message.

use redial::{Micros, Timestamp};

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
