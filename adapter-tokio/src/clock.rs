//! tokio's clock.

use redial::Timestamp;
use redial_driver::Clock;
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// tokio's clock, and the time that the computer slept: microseconds since it was made.
///
/// It reads `tokio::time::Instant`, so a test's paused time works. Sleeps need a runtime with its timer enabled.
///
/// # While the computer sleeps
/// [`now`](Clock::now) goes on, so that a connection notices the wake:
/// - Linux and Android: tokio's clock (`CLOCK_MONOTONIC`) stops, so what `CLOCK_BOOTTIME` has gained on it is added, in
///   steps of 100 ms or more. The gain is the computer's, not the test's: tests on paused time see none of it, unless the
///   computer sleeps.
/// - Windows: tokio's clock goes on by itself.
/// - macOS and iOS: tokio's clock stops (`mach_absolute_time`), and nothing is added: the wake itself goes unnoticed. On other
///   platforms it is as their monotonic clock.
///
/// A [`sleep_until`](Clock::sleep_until) under way is tokio's timer, which stops where tokio's clock does: it ends late by
/// the time slept.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    origin: Instant,
    /// What [`slept::in_all`] said at the origin.
    slept_before: Duration,
}

impl TokioClock {
    /// A clock whose origin is now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now(), slept_before: slept::in_all() }
    }

    /// How long the computer has slept since the origin.
    fn slept(&self) -> Duration {
        slept::in_all().saturating_sub(self.slept_before)
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
        let awake = Instant::now().saturating_duration_since(self.origin);
        timestamp(awake, self.slept())
    }

    /// Never ends early: tokio rounds up to its next millisecond.
    fn sleep_until(&self, at: Timestamp) -> Sleep {
        // What tokio itself takes for "far away" (`Instant::far_future`); beyond it some platforms overflow.
        const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);
        let awake = awake_at(at, self.slept());
        tokio::time::sleep_until(self.origin.checked_add(awake).unwrap_or_else(|| self.origin + FAR))
    }
}

/// Now, after so long awake and so long asleep.
fn timestamp(awake: Duration, slept: Duration) -> Timestamp {
    let micros = awake.saturating_add(slept).as_micros();
    Timestamp::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

/// How long the computer will have been awake then, if it sleeps no more.
const fn awake_at(at: Timestamp, slept: Duration) -> Duration {
    Duration::from_micros(at.as_micros()).saturating_sub(slept)
}

/// The time slept, which tokio's clock leaves out.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod slept {
    use rustix::time::{ClockId, clock_gettime};
    use std::sync::{Mutex, PoisonError};
    use std::time::Duration;

    /// What all clocks of this process count: it never goes back, whoever reads.
    static COUNTED: Mutex<Option<Duration>> = Mutex::new(None);

    /// How long the computer has slept since it was started, as far as it counts.
    pub(super) fn in_all() -> Duration {
        let gain = gain();
        let mut counted = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
        let now = match *counted {
            Some(before) => count(before, gain),
            // The first is what later ones are measured by: if this thread was held up in it, another corrects it.
            None => gain.max(self::gain()).max(self::gain()),
        };
        *counted = Some(now);
        now
    }

    /// What is counted after this gain, if `before` was counted until now.
    ///
    /// The two clocks are not read at once, so the gain is inexact by the time between the readings: less than 100 ms more is
    /// no sleep. A shorter one is counted together with the next.
    pub(super) fn count(before: Duration, gain: Duration) -> Duration {
        const NOTED: Duration = Duration::from_millis(100);
        if gain.saturating_sub(before) < NOTED { before } else { gain }
    }

    /// What boot time is ahead of monotonic time. Boot time is read first: a thread that is held up in between finds the gain
    /// too small, which the next reading corrects, and never too large.
    fn gain() -> Duration {
        let boot = read(ClockId::Boottime);
        boot.saturating_sub(read(ClockId::Monotonic))
    }

    /// Neither clock is ever negative.
    fn read(clock: ClockId) -> Duration {
        Duration::try_from(clock_gettime(clock)).unwrap_or_default()
    }
}

/// Here tokio's clock counts it, or nobody does.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod slept {
    use std::time::Duration;

    pub(super) const fn in_all() -> Duration {
        Duration::ZERO
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

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn sleep_is_counted_and_jitter_is_not() {
        const MS: fn(u64) -> Duration = Duration::from_millis;
        let mut counted = MS(5000);
        for (gain, expected) in [
            (5000, 5000),
            (5099, 5000),     // jitter
            (4000, 5000),     // a thread held up between the readings
            (5100, 5100),     // slept
            (65_000, 65_000), // slept for longer
            (64_999, 65_000), // jitter again: time does not go back
            (65_060, 65_000), // a short sleep,
            (65_120, 65_120), // and another: together they count
        ] {
            counted = slept::count(counted, MS(gain));
            assert_eq!(counted, MS(expected), "gain {gain} ms");
        }
    }

    #[test]
    fn the_time_slept_is_added_to_now_and_taken_from_sleeps() {
        const MS: fn(u64) -> Duration = Duration::from_millis;
        let now = timestamp(MS(1000), MS(10_000));
        assert_eq!(now, Timestamp::from_millis(11_000));
        assert_eq!(awake_at(Timestamp::from_millis(11_500), MS(10_000)), MS(1500));
        assert_eq!(awake_at(Timestamp::from_millis(9000), MS(10_000)), MS(0));
        assert_eq!(timestamp(Duration::MAX, MS(1)), Timestamp::from_micros(u64::MAX));
    }
}
