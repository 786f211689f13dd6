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

/// `ratio` (0 to 1) of `micros`, rounded down.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
#[inline(never)] // so that only this jitter pays for it
pub(crate) fn part(ratio: f64, micros: u64) -> u64 {
    const ONE: f64 = 9_223_372_036_854_775_808.0;
    // 0.3 as a binary number is a little less than 0.3, and three tenths of 10 µs are 3 µs: one part in 2⁵² more.
    const NUDGE: u64 = 1 << 11;
    let ratio = ((ratio * ONE) as u64).saturating_add(NUDGE).min(1 << 63);
    (u128::from(micros).wrapping_mul(u128::from(ratio)) >> 63) as u64
}
