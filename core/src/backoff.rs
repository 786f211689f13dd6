//! The delays of failures in a row.

use crate::policy::{Growth, Jitter, Policy};
use crate::rng::WyRand;
use crate::time::Micros;

/// The delays of failures in a row: the machine's own schedule, for use alone.
///
/// It never ends, allocates nothing and reads no clock; hints, the dial budget and the limits are the machine's.
///
/// ```
/// use redial::{Backoff, Jitter, Micros, Policy};
/// let policy = Policy::builder().jitter(Jitter::None).build()?;
/// let mut backoff = Backoff::new(&policy, 7);
/// let delays = [(); 4].map(|()| backoff.next_delay(&policy).jittered);
/// assert_eq!(delays, [1000, 2000, 4000, 5000].map(Micros::from_millis));
/// # Ok::<(), redial::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    schedule: Schedule,
    rng: WyRand,
}

/// One delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// baseDelay × multiplier^(n−1), within `minDelay` and `maxDelay`, to the nearest microsecond.
    pub raw: Micros,
    /// What jitter made of it.
    pub jittered: Micros,
}

impl Backoff {
    /// A schedule at its start. The seed is asked for, because one default seed would give every device the same
    /// "jitter".
    #[must_use]
    pub fn new(policy: &Policy, seed: u64) -> Self {
        Self { schedule: Schedule::new(policy), rng: WyRand::new(seed) }
    }

    /// The delay before the next retry.
    #[inline(always)] // the call would cost a quarter of the delay
    pub fn next_delay(&mut self, policy: &Policy) -> Delay {
        self.schedule.next_delay(policy, &mut self.rng)
    }

    /// Back to the start; the random numbers go on.
    #[inline]
    pub fn reset(&mut self, policy: &Policy) {
        self.schedule = Schedule::new(policy);
    }
}

/// Where a row of failures stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub(crate) struct Schedule {
    next: Growth,
    /// The delay before, for decorrelated jitter.
    previous: Micros,
}

impl Schedule {
    pub(crate) fn new(policy: &Policy) -> Self {
        let base = policy.base_delay();
        Self { next: Growth::from_micros(base.as_micros()), previous: base }
    }

    #[inline(always)]
    pub(crate) fn next_delay(&mut self, policy: &Policy, rng: &mut WyRand) -> Delay {
        let (least, most) = (policy.min_delay().as_micros(), policy.max_delay().as_micros());
        let clamp = |micros: u64| micros.max(least).min(most);

        // Less than the cap is not rounded to more than it.
        let raw = if self.next.has_reached(most) { most } else { self.next.step(policy.multiplier()).max(least) };

        // Both ends are clamped before the draw, so the draw needs no clamping and its spread survives at the cap.
        let (low, high) = match policy.jitter() {
            Jitter::None => (raw, raw),
            Jitter::Full => (least, raw),
            Jitter::Equal => (raw.div_ceil(2).max(least), raw),
            // No delay is longer than 2⁵³ µs: nothing wraps.
            Jitter::Decorrelated => {
                (clamp(policy.base_delay().as_micros()), self.previous.as_micros().wrapping_mul(3).min(most))
            }
            Jitter::Ratio(_) => {
                let share = policy.share().of(raw);
                (raw.wrapping_sub(share).max(least), raw.wrapping_add(share).min(most))
            }
        };
        let jittered = if low < high { rng.between(low, high) } else { low };
        self.previous = Micros::from_micros(jittered);
        Delay { raw: Micros::from_micros(raw), jittered: Micros::from_micros(jittered) }
    }
}
