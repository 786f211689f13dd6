//! Powers of the multiplier in fixed-point arithmetic, the same on every platform.
//!
//! `core` has no `powf`, its result may differ from one libm to the next, and repeated rounding to whole microseconds
//! would drift. So the delay before clamping is kept with 64 binary digits behind the point.

/// The backoff multiplier: whole part and 2⁻⁶⁴ths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Multiplier {
    whole: u64,
    fraction: u64,
}

impl Multiplier {
    /// `multiplier` is finite and at least 1.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub(crate) fn new(multiplier: f64) -> Self {
        let whole = multiplier as u64; // saturates
        let fraction = ((multiplier - whole as f64) * TWO_POW_64) as u64;
        Self { whole, fraction }
    }
}

const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

/// The schedule's delay before clamping: baseDelay × multiplier^(n−1), in microseconds and 2⁻⁶⁴ths of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub(crate) struct Growth {
    micros: u64,
    fraction: u64,
}

impl Growth {
    pub(crate) const fn from_micros(micros: u64) -> Self {
        Self { micros, fraction: 0 }
    }

    /// The nearest microsecond, halves up. 1.7 as a binary number is a little less than 1.7, which would turn the half
    /// of 1005 µs × 1.7 down: so what is short of a half by less than 2⁻¹⁶ µs counts as one.
    const fn rounded(self) -> u64 {
        const ALMOST_HALF: u64 = (1 << 63) - (1 << 48);
        self.micros.saturating_add((self.fraction >= ALMOST_HALF) as u64)
    }

    /// Whether the delay has reached `cap` microseconds, so that it need not grow any more.
    pub(crate) const fn has_reached(self, cap: u64) -> bool {
        self.micros >= cap
    }

    /// The present delay; from now on, the next retry's.
    #[inline]
    pub(crate) fn step(&mut self, by: Multiplier) -> u64 {
        if self.fraction == 0 && by.fraction == 0 {
            // As where the delay doubles.
            let micros = self.micros;
            self.micros = micros.saturating_mul(by.whole);
            micros
        } else {
            self.step_fraction(by)
        }
    }

    #[inline(never)] // so that the short way saves no registers
    fn step_fraction(&mut self, by: Multiplier) -> u64 {
        let rounded = self.rounded();
        *self = self.times(by);
        rounded
    }

    /// The product, saturating at 2⁶⁴ µs.
    #[allow(clippy::cast_possible_truncation)]
    fn times(self, by: Multiplier) -> Self {
        let (m, f) = (u128::from(self.micros), u128::from(self.fraction));
        let (w, p) = (u128::from(by.whole), u128::from(by.fraction));
        // (m + f/2⁶⁴) × (w + p/2⁶⁴), each product below 2¹²⁸.
        let (mp, fw) = (m.wrapping_mul(p), f.wrapping_mul(w));
        let fractions = u128::from(mp as u64).wrapping_add(u128::from(fw as u64)).wrapping_add(f.wrapping_mul(p) >> 64);
        let micros =
            m.wrapping_mul(w).saturating_add(mp >> 64).saturating_add(fw >> 64).saturating_add(fractions >> 64);
        match u64::try_from(micros) {
            Ok(micros) => Self { micros, fraction: fractions as u64 },
            Err(_) => Self::from_micros(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nth(base: u64, multiplier: f64, n: u32) -> u64 {
        let by = Multiplier::new(multiplier);
        (1..n).fold(Growth::from_micros(base), |growth, _| growth.times(by)).rounded()
    }

    #[test]
    fn whole_and_dyadic_multipliers_are_exact() {
        assert_eq!(nth(1_000_000, 2.0, 40), 1_000_000 << 39);
        assert_eq!(nth(1_000_000, 1.5, 8), 17_085_938); // 17 085 937.5
        assert_eq!(nth(7, 1.0, 1_000_000), 7);
    }

    #[test]
    fn decimal_halves_round_up() {
        assert_eq!(nth(1005, 1.7, 2), 1709); // 1708.5
        assert_eq!(nth(1500, 1.7, 4), 7370); // 7369.5
        assert_eq!(nth(500, 1.1, 4), 666); // 665.5
        assert_eq!(nth(1000, 1.6, 4), 4096);
    }

    #[test]
    fn a_small_multiplier_does_not_drift() {
        // 10⁹ × (1 + 2⁻²⁰)^(10⁶) = 2 595 226 670.281…, computed with 60 decimal digits.
        assert_eq!(nth(1_000_000_000, 1.0 + 1.0 / 1_048_576.0, 1_000_001), 2_595_226_670);
    }

    #[test]
    fn growth_saturates() {
        assert_eq!(nth(1, 1e300, 3), u64::MAX);
        assert_eq!(nth(u64::MAX, 1.5, 3), u64::MAX);
        assert_eq!(nth(0, 1e300, 9), 0);
    }
}
