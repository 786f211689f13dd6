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

/// `ratio` (0 to 1) of `micros` (2⁵³ at most), rounded down. The product of floating-point numbers is correctly rounded, so
/// three tenths of 10 are 3, though 0.3 as a binary number is a little less.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]
#[inline(never)] // so that it makes no other jitter dearer
pub(crate) fn part(ratio: f64, micros: u64) -> u64 {
    (micros as i64 as f64 * ratio) as i64 as u64
}
