//! tokio's clock.

use redial::Timestamp;
use redial_driver::{Clock, Suspended};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// tokio's clock, and the time that the computer slept: microseconds since it was made.
///
/// It reads `tokio::time::Instant`, so a test's paused time works. Sleeps need a runtime with its timer enabled.
///
/// # While the computer sleeps
/// [`now`](Clock::now) goes on where [`Suspended`] can tell the time slept, so that a connection notices the wake. The gain is
/// the computer's, not the test's: tests on paused time see none of it, unless the computer sleeps.
///
/// A [`sleep_until`](Clock::sleep_until) under way is tokio's timer, which stops where tokio's clock does: it ends late by
/// the time slept.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    origin: Instant,
    suspended: Suspended,
}

impl TokioClock {
    /// A clock whose origin is now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now(), suspended: Suspended::new() }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    type Sleep = Sleep;

    fn now(&self) -> Timestamp {
        self.suspended.timestamp(Instant::now().saturating_duration_since(self.origin))
    }

    /// Never ends early: tokio rounds up to its next millisecond.
    fn sleep_until(&self, at: Timestamp) -> Sleep {
        // What tokio itself takes for "far away" (`Instant::far_future`); beyond it some platforms overflow.
        const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);
        let awake = self.suspended.awake_at(at);
        tokio::time::sleep_until(self.origin.checked_add(awake).unwrap_or_else(|| self.origin + FAR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sleeps_round_up_and_may_be_very_long() {
        let clock = TokioClock::new();
        for micros in [1, 999, 1000, 1001, 2500] {
            let at = Timestamp::from_micros(clock.now().as_micros() + micros);
            clock.sleep_until(at).await;
            assert!(clock.now() >= at, "{:?} < {at:?}", clock.now());
        }
        let far = clock.sleep_until(Timestamp::from_micros(u64::MAX));
        let day = Duration::from_secs(86_400);
        assert!(tokio::time::timeout(day, far).await.is_err());
        assert!(clock.now() >= Timestamp::from_millis(86_400_000));
    }
}
