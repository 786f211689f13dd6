//! Points in time and spans of time, in whole microseconds.
//!
//! The machine never asks what time it is: every input brings a [`Timestamp`]. std's `Instant` is not used because it
//! panics on `wasm32-unknown-unknown`, can't be serialised and has no constant zero.

use core::fmt;
use core::time::Duration;

/// A point in time: microseconds since an origin that the caller chooses (process start, page load, 0 in a test).
///
/// There is no `now()` and no `-`: the order of two timestamps matters, so the one operation is
/// [`saturating_since`](Self::saturating_since). The machine tells points apart up to 2⁶³ − 2 µs (292,000 years after
/// the origin); whatever is later acts as that point.
///
/// ```
/// use redial::{Micros, Timestamp};
/// let start = Timestamp::from_millis(5);
/// assert_eq!(Timestamp::from_millis(7).saturating_since(start), Micros::from_millis(2));
/// assert_eq!(start.saturating_since(Timestamp::from_millis(7)), Micros::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The origin itself.
    pub const ZERO: Self = Self(0);

    /// So many microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// So many milliseconds after the origin, saturating at the last representable microsecond.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How much later this is than `earlier`; zero if it is not later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Micros {
        Micros(self.0.saturating_sub(earlier.0))
    }

    /// The point `span` later, saturating at the last representable microsecond.
    #[must_use]
    pub const fn saturating_add(self, span: Micros) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// A span of time in whole microseconds.
///
/// The policy's spans end at [`Micros::MAX_POLICY`]; a span that is measured (a latency, an uptime) may be any.
///
/// ```
/// use core::time::Duration;
/// use redial::Micros;
/// assert_eq!(Micros::from(Duration::from_millis(1500)), Micros::from_millis(1500));
/// assert_eq!(Micros::from_micros(731_204).to_string(), "731.204 ms");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(u64);

impl Micros {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span that a policy or a hint can hold: 2⁵³ µs (285 years), the largest span whose microseconds
    /// survive in a JSON number.
    pub const MAX_POLICY: Self = Self(1 << 53);

    /// So many microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// So many milliseconds, saturating.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// So many seconds, saturating.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// The span in microseconds.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The span in milliseconds; three decimals are exact up to 2⁵² µs.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// So many milliseconds, if that is a whole number of microseconds from 0 to 2⁵³; `None` otherwise.
    ///
    /// ```
    /// use redial::Micros;
    /// assert_eq!(Micros::from_millis_f64(731.204), Some(Micros::from_micros(731_204)));
    /// assert_eq!(Micros::from_millis_f64(0.0001), None);
    /// ```
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn from_millis_f64(millis: f64) -> Option<Self> {
        let below = (millis * 1000.0) as u64; // saturates; NaN becomes 0
        // Division is correctly rounded, and so was the number when it was read: they agree exactly where the number
        // has no more than three decimals.
        #[allow(clippy::float_cmp)]
        [below, below.saturating_add(1)]
            .into_iter()
            .map(Self)
            .find(|micros| micros.as_millis_f64() == millis && *micros <= Self::MAX_POLICY)
    }

    /// The sum, saturating.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; zero where `other` is longer.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl From<Duration> for Micros {
    /// Rounded to the nearest microsecond, halves up; saturates above 2⁶⁴ − 1 µs.
    fn from(duration: Duration) -> Self {
        let nanos = duration.as_nanos().saturating_add(500);
        let micros = nanos.checked_div(1000).unwrap_or_default();
        Self(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

impl From<Micros> for Duration {
    fn from(span: Micros) -> Self {
        Self::from_micros(span.0)
    }
}

/// A span or none, in eight bytes: the longest span, which no rule can have, stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(from = "Option<Micros>", into = "Option<Micros>")
)]
pub(crate) struct OptionalMicros(Micros);

impl OptionalMicros {
    pub(crate) const NONE: Self = Self(Micros(u64::MAX));

    pub(crate) const fn some(span: Micros) -> Self {
        Self(Micros(if span.0 == u64::MAX { u64::MAX - 1 } else { span.0 }))
    }

    pub(crate) const fn get(self) -> Option<Micros> {
        if self.0.0 == u64::MAX { None } else { Some(self.0) }
    }
}

impl From<Option<Micros>> for OptionalMicros {
    fn from(span: Option<Micros>) -> Self {
        span.map_or(Self::NONE, Self::some)
    }
}

impl From<OptionalMicros> for Option<Micros> {
    fn from(span: OptionalMicros) -> Self {
        span.get()
    }
}

/// Milliseconds with at most three decimals: `1000 ms`, `12.5 ms`.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", MillisText(self.0))
    }
}

/// Microseconds written as milliseconds without trailing zeros, in integer arithmetic.
struct MillisText(u64);

impl fmt::Display for MillisText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        match (rest, rest % 100, rest % 10) {
            (0, _, _) => write!(f, "{whole}"),
            (_, 0, _) => write!(f, "{whole}.{}", rest / 100),
            (_, _, 0) => write!(f, "{whole}.{:02}", rest / 10),
            _ => write!(f, "{whole}.{rest:03}"),
        }
    }
}
