//! How good a connection is: RFC 6298's smoothed latency, and grades with hysteresis on it.

use crate::policy::QualityBounds;
use crate::time::Micros;
use crate::words::Quality;

/// RFC 6298's SRTT (section 2, alpha = 1/8) in 2⁻¹⁶ths of a microsecond.
///
/// Whole microseconds would lose up to 7 µs for good, because a difference below 8 µs would move nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub(crate) struct Smoothed(i64);

impl Smoothed {
    const FRACTION_BITS: u32 = 16;
    const ONE: f64 = 65_536.0;
    /// The longest latency that is told apart: 2⁴⁶ µs (2.2 years), so that no step overflows.
    const LONGEST: u64 = 1 << 46;

    /// The first sample sets it.
    #[allow(clippy::cast_possible_wrap)] // 62 bits at most
    pub(crate) fn first(sample: Micros) -> Self {
        let micros = sample.as_micros().min(Self::LONGEST);
        Self((micros << Self::FRACTION_BITS) as i64)
    }

    /// Each later one moves it by an eighth of the difference.
    #[must_use]
    pub(crate) fn with(self, sample: Micros) -> Self {
        let difference = Self::first(sample).0.wrapping_sub(self.0);
        // Half a unit before the shift: rounding to the nearest keeps the error from drifting to one side.
        Self(self.0.wrapping_add(difference.wrapping_add(4) >> 3))
    }

    /// The nearest microsecond, halves up.
    #[allow(clippy::cast_sign_loss)] // latencies are not negative
    pub(crate) const fn micros(self) -> Micros {
        let half = 1 << (Self::FRACTION_BITS - 1);
        Micros::from_micros((self.0.wrapping_add(half) >> Self::FRACTION_BITS) as u64)
    }

    /// Below `bound` × `factor`, rounded to the nearest 2⁻¹⁶ µs: so 50 ms × 1.1 is 55 ms exactly.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_wrap)] // bounds and latencies are far below 2⁶³
    fn is_below(self, bound: Micros, factor: f64) -> bool {
        (self.0 as f64) + 0.5 < (bound.as_micros() as i64 as f64) * Self::ONE * factor
    }

    /// The same, or at it.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_wrap)]
    fn is_within(self, bound: Micros, factor: f64) -> bool {
        (self.0 as f64) - 0.5 < (bound.as_micros() as i64 as f64) * Self::ONE * factor
    }
}

/// A smoothed latency or none, in eight bytes: latencies are not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub(crate) struct OptionalSmoothed(Smoothed);

impl OptionalSmoothed {
    pub(crate) const NONE: Self = Self(Smoothed(-1));

    pub(crate) const fn get(self) -> Option<Smoothed> {
        if self.0.0 < 0 { None } else { Some(self.0) }
    }
}

impl From<Smoothed> for OptionalSmoothed {
    fn from(smoothed: Smoothed) -> Self {
        Self(smoothed)
    }
}

/// The grade of `latency` after `before`, which is `None` at a connection's first sample.
pub(crate) fn grade(bounds: &QualityBounds, before: Option<Quality>, latency: Smoothed) -> Quality {
    let Some(before) = before else {
        return by_table(bounds, 1.0, latency);
    };
    let (harder, easier) = (1.0 + bounds.hysteresis, 1.0 - bounds.hysteresis);
    // The two bounds of the present grade decide whether it changes; where to, the moved table.
    let (got_worse, got_better) = match before {
        Quality::Excellent => (!latency.is_below(bounds.excellent, harder), false),
        Quality::Good => (!latency.is_below(bounds.good, harder), latency.is_below(bounds.excellent, easier)),
        Quality::Poor => (!latency.is_within(bounds.poor, harder), latency.is_below(bounds.good, easier)),
        Quality::Disconnected => (false, latency.is_within(bounds.poor, easier)),
    };
    if got_worse {
        by_table(bounds, harder, latency)
    } else if got_better {
        by_table(bounds, easier, latency)
    } else {
        before
    }
}

/// The table, with all bounds moved by `factor`.
fn by_table(bounds: &QualityBounds, factor: f64, latency: Smoothed) -> Quality {
    if latency.is_below(bounds.excellent, factor) {
        Quality::Excellent
    } else if latency.is_below(bounds.good, factor) {
        Quality::Good
    } else if latency.is_within(bounds.poor, factor) {
        Quality::Poor
    } else {
        Quality::Disconnected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smoothed(micros: u64) -> Smoothed {
        Smoothed::first(Micros::from_micros(micros))
    }

    #[test]
    fn the_first_sample_takes_the_tables_grade() {
        let grade = |micros| grade(&QualityBounds::default(), None, smoothed(micros));
        assert_eq!(grade(49_999), Quality::Excellent);
        assert_eq!(grade(50_000), Quality::Good);
        assert_eq!(grade(99_999), Quality::Good);
        assert_eq!(grade(100_000), Quality::Poor);
        assert_eq!(grade(200_000), Quality::Poor);
        assert_eq!(grade(200_001), Quality::Disconnected);
    }

    #[test]
    fn later_grades_change_only_past_the_moved_bounds() {
        let grade = |before, micros| grade(&QualityBounds::default(), Some(before), smoothed(micros));
        assert_eq!(grade(Quality::Excellent, 54_999), Quality::Excellent);
        assert_eq!(grade(Quality::Excellent, 55_000), Quality::Good);
        assert_eq!(grade(Quality::Good, 45_000), Quality::Good);
        assert_eq!(grade(Quality::Good, 44_999), Quality::Excellent);
        assert_eq!(grade(Quality::Poor, 220_000), Quality::Poor);
        assert_eq!(grade(Quality::Poor, 220_001), Quality::Disconnected);
        assert_eq!(grade(Quality::Disconnected, 180_001), Quality::Disconnected);
        assert_eq!(grade(Quality::Disconnected, 180_000), Quality::Poor);
        assert_eq!(grade(Quality::Excellent, 500_000), Quality::Disconnected);
        assert_eq!(grade(Quality::Disconnected, 1000), Quality::Excellent);
    }

    #[test]
    fn smoothing_is_exact_to_a_microsecond_over_many_samples() {
        // The same in 80 binary digits behind the point.
        let (mut ours, mut exact) = (smoothed(40_000), 40_000_i128 << 80);
        for n in 0..100_000_u64 {
            let sample = 20_000 + n.wrapping_mul(0x9e37_79b9) % 60_000;
            ours = ours.with(Micros::from_micros(sample));
            exact += ((i128::from(sample) << 80) - exact) / 8;
            let rounded = u64::try_from((exact + (1 << 79)) >> 80).unwrap();
            assert!(ours.micros().as_micros().abs_diff(rounded) <= 1);
        }
    }
}
