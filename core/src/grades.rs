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
    pub(crate) const fn micros(self) -> Micros {
        let half = 1 << (Self::FRACTION_BITS - 1);
        Micros::from_micros((self.0.wrapping_add(half) >> Self::FRACTION_BITS).unsigned_abs())
    }

    /// `bound` × `factor`, rounded to the nearest 2⁻¹⁶ µs: so 50 ms × 1.1 is 55 ms exactly.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn scaled(bound: Micros, factor: f64) -> Self {
        const ONE: f64 = 65_536.0;
        Self((bound.as_micros() as f64 * factor * ONE + 0.5) as i64)
    }
}

/// One set of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Table {
    excellent: Smoothed,
    good: Smoothed,
    poor: Smoothed,
}

impl Table {
    fn new(bounds: &QualityBounds, factor: f64) -> Self {
        Self {
            excellent: Smoothed::scaled(bounds.excellent, factor),
            good: Smoothed::scaled(bounds.good, factor),
            poor: Smoothed::scaled(bounds.poor, factor),
        }
    }

    fn grade(&self, latency: Smoothed) -> Quality {
        if latency < self.excellent {
            Quality::Excellent
        } else if latency < self.good {
            Quality::Good
        } else if latency <= self.poor {
            Quality::Poor
        } else {
            Quality::Disconnected
        }
    }
}

/// The bounds for a first sample, for getting worse and for getting better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GradeBounds {
    first: Table,
    worse: Table,
    better: Table,
}

impl GradeBounds {
    pub(crate) fn new(bounds: &QualityBounds) -> Self {
        Self {
            first: Table::new(bounds, 1.0),
            worse: Table::new(bounds, 1.0 + bounds.hysteresis),
            better: Table::new(bounds, 1.0 - bounds.hysteresis),
        }
    }

    /// The grade of `latency` after `before`, which is `None` at a connection's first sample.
    pub(crate) fn grade(&self, before: Option<Quality>, latency: Smoothed) -> Quality {
        let Some(before) = before else {
            return self.first.grade(latency);
        };
        let worse = self.worse.grade(latency);
        if rank(worse) > rank(before) {
            return worse;
        }
        let better = self.better.grade(latency);
        if rank(better) < rank(before) { better } else { before }
    }
}

const fn rank(quality: Quality) -> u8 {
    match quality {
        Quality::Excellent => 0,
        Quality::Good => 1,
        Quality::Poor => 2,
        Quality::Disconnected => 3,
    }
}
