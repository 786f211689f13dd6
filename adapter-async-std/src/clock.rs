//! The clock.

use futures_timer::Delay;
use redial::Timestamp;
use redial_driver::{Clock, Suspended};
use std::time::{Duration, Instant};

/// The monotonic clock, and the time that the computer slept: microseconds since it was made.
///
/// Sleeps need no runtime: they are futures-timer's, which has a thread for them. async-io has timers too, but while one is
/// set, every wait for I/O pays for it with an allocation; and a connection has one set all the time, for its pings.
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

    fn awake(&self) -> Duration {
        now().saturating_duration_since(self.origin)
    }
}

impl Default for AsyncIoClock {
    fn default() -> Self {
        Self::new()
    }
}

/// A clock may read the time.
#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}

impl Clock for AsyncIoClock {
    type Sleep = Delay;

    fn now(&self) -> Timestamp {
        self.suspended.timestamp(self.awake())
    }

    /// Does not end early, but for one of more than 30 years, which ends then: further on some platforms overflow.
    fn sleep_until(&self, at: Timestamp) -> Delay {
        const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);
        Delay::new(self.suspended.awake_at(at).saturating_sub(self.awake()).min(FAR))
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
