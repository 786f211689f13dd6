//! How a delay is drawn from the schedule.

/// How a delay is drawn from the schedule's `raw` delay. Both bounds are clamped to `minDelay` and `maxDelay` first and
/// the draw is uniform between them: so no delay passes the cap, and the spread survives at it.
///
/// Full, equal and decorrelated are those of Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// The raw delay itself. Clients that lost the same server come back in the same instant.
    None,
    /// From `minDelay` to the raw delay.
    Full,
    /// From half the raw delay to the raw delay.
    Equal,
    /// From `baseDelay` to three times the delay before; the first "before" is `baseDelay`.
    Decorrelated,
    /// From raw × (1 − r) to raw × (1 + r), with r from 0 to 1.
    Ratio(f64),
}

/// The ratio of a jitter in fixed-point arithmetic, so that no delay converts a floating-point number: 2⁻⁶³rds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share(u64);

impl Share {
    const WHOLE: u64 = 1 << 63;

    /// None for a jitter without a ratio.
    ///
    /// Three tenths as a binary number is a little less, which would make it two of ten: so the ratio is raised by 2⁻⁵² of
    /// itself, which is less than a microsecond up to a share of 142 years.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
    pub(crate) fn new(jitter: Jitter) -> Self {
        match jitter {
            Jitter::Ratio(ratio) => {
                let exact = (ratio * Self::WHOLE as f64) as u64;
                Self(exact.saturating_add(exact >> 52).saturating_add(1).min(Self::WHOLE))
            }
            Jitter::None | Jitter::Full | Jitter::Equal | Jitter::Decorrelated => Self(0),
        }
    }

    /// That share of `micros` (2⁵³ at most), rounded down.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) const fn of(self, micros: u64) -> u64 {
        ((self.0 as u128).wrapping_mul(micros as u128) >> 63) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(ratio: f64, micros: u64) -> u64 {
        Share::new(Jitter::Ratio(ratio)).of(micros)
    }

    #[test]
    fn decimal_ratios_are_exact() {
        assert_eq!(share(0.3, 10), 3);
        assert_eq!(share(0.1, 30_000_000), 3_000_000);
        assert_eq!(share(0.25, 30_000_001), 7_500_000);
        assert_eq!(share(0.999, 86_400_000_000), 86_313_600_000);
    }

    #[test]
    fn nothing_and_the_whole() {
        for micros in [0, 1, 30_000_000, 1 << 53] {
            assert_eq!(share(0.0, micros), 0);
            assert_eq!(share(1.0, micros), micros);
        }
    }
}
