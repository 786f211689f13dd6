//! The hand-written floor: what the same features cost without a library.

use std::time::Duration;

/// Any factor, full or equal jitter, a cap, an attempt limit; whole nanoseconds, wyrand, multiply-shift draw.
#[derive(Clone, Debug)]
pub(crate) struct Floor {
    rng: u64,
    base: u64,
    current: u64,
    cap: u64,
    /// In 2⁻¹⁶ths.
    factor: u32,
    left: u32,
    equal: bool,
}

impl Floor {
    /// A floor for `limit` delays from `base` to `cap`, doubling.
    pub(crate) fn new(base: Duration, cap: Duration, limit: u32, equal: bool, seed: u64) -> Self {
        let (base, cap) = (base.as_nanos() as u64, cap.as_nanos() as u64);
        Self { rng: seed, base, current: base, cap, factor: 2 << 16, left: limit, equal }
    }

    /// The next delay; `None` once the limit is met.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let raw = self.current;
        let grown = ((u128::from(raw) * u128::from(self.factor)) >> 16) as u64;
        self.current = grown.min(self.cap);
        let low = if self.equal { raw / 2 } else { 0 };
        let span = u128::from(raw - low + 1);
        Some(Duration::from_nanos(low + ((u128::from(self.draw()) * span) >> 64) as u64))
    }

    /// Back to the start, as after a success.
    #[inline]
    pub(crate) fn reset(&mut self, limit: u32) {
        (self.current, self.left) = (self.base, limit);
    }

    /// wyrand (Wang Yi, wyhash).
    #[inline]
    fn draw(&mut self) -> u64 {
        self.rng = self.rng.wrapping_add(0xa076_1d64_78bd_642f);
        let product = u128::from(self.rng) * u128::from(self.rng ^ 0xe703_7ed1_a0b4_28db);
        (product >> 64) as u64 ^ product as u64
    }
}
