//! The clock.

use crate::alarm::{Sleep, now};
use redial::Timestamp;
use redial_driver::{Clock, Suspended};
use std::time::Instant;

/// The monotonic clock, and the time that the computer slept: microseconds since it was made.
///
/// Sleeps need no runtime: a thread of this crate's wakes whoever sleeps, so that no wait for I/O has to look after timers.
///
/// # While the computer sleeps
/// [`now`](Clock::now) goes on where [`Suspended`] can tell the time slept, so that a connection notices the wake.
///
/// A [`sleep_until`](Clock::sleep_until) under way stops where the monotonic clock does: it ends late by the time slept.
#[derive(Clone, Copy, Debug)]
pub struct AsyncIoClock {
    origin: Instant,
    suspended: Suspended,
}

impl AsyncIoClock {
    /// A clock whose origin is now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: now(), suspended: Suspended::new() }
    }
}

impl Default for AsyncIoClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for AsyncIoClock {
    type Sleep = Sleep;

    fn now(&self) -> Timestamp {
        self.suspended.timestamp(now().saturating_duration_since(self.origin))
    }

    /// Never ends early.
    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let awake = self.suspended.awake_at(at);
        // A time that the platform can't express never comes.
        Sleep::until(self.origin.checked_add(awake))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_do_not_end_early_and_may_be_very_long() {
        let clock = AsyncIoClock::new();
        for micros in [1, 999, 1000, 1001, 2500] {
            let at = Timestamp::from_micros(clock.now().as_micros() + micros);
            async_io::block_on(clock.sleep_until(at));
            assert!(clock.now() >= at, "{:?} < {at:?}", clock.now());
        }
        let far = clock.sleep_until(Timestamp::from_micros(u64::MAX));
        let first = futures_util::future::select(far, clock.sleep_until(clock.now()));
        assert!(matches!(async_io::block_on(first), futures_util::future::Either::Right(_)));
    }

    #[test]
    fn a_time_that_has_passed_is_done_at_once() {
        let clock = AsyncIoClock::new();
        async_io::block_on(clock.sleep_until(Timestamp::ZERO));
    }
}
