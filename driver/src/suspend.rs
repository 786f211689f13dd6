//! The time that a computer was suspended, for clocks that stop meanwhile.

use std::time::Duration;

use redial::Timestamp;

/// What a clock that stops while the computer sleeps needs in order to go on: the time slept since this was made.
///
/// - Linux and Android: what `CLOCK_BOOTTIME` has gained on `CLOCK_MONOTONIC`, on which `std::time::Instant` stands, in steps
///   of 100 ms or more.
/// - Windows: nothing, and nothing is missing: its monotonic clock goes on by itself.
/// - macOS and iOS: nothing: `Instant` stops there, and the wake itself goes unnoticed. On other platforms it is as their
///   monotonic clock.
///
/// ```
/// use redial_driver::Suspended;
/// use std::time::Duration;
/// let suspended = Suspended::new();
/// assert_eq!(suspended.timestamp(Duration::from_millis(5)).as_micros(), 5000); // unless it slept just now
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Suspended {
    /// What [`slept::in_all`] said when this was made.
    before: Duration,
}

impl Suspended {
    /// Counts from now on.
    #[must_use]
    pub fn new() -> Self {
        Self { before: slept::in_all() }
    }

    /// The time of a clock that has run for so long since this was made, awake.
    #[must_use]
    pub fn timestamp(&self, awake: Duration) -> Timestamp {
        timestamp(awake, self.so_far())
    }

    /// How long the clock will have run then, awake, if the computer sleeps no more.
    #[must_use]
    pub fn awake_at(&self, at: Timestamp) -> Duration {
        awake_at(at, self.so_far())
    }

    fn so_far(&self) -> Duration {
        slept::in_all().saturating_sub(self.before)
    }
}

impl Default for Suspended {
    fn default() -> Self {
        Self::new()
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

/// The time slept in all, as far as it can be told.
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

/// Here the monotonic clock counts it, or nobody does.
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
