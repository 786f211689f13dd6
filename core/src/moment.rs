//! Time as the machine counts it.

use crate::time::{Micros, Timestamp};

/// A point in time in the machine's own count: signed, because a machine restored from a snapshot may have been open
/// for longer than its new clock runs; and with a point that never comes, because a deadline that there is not, or that
/// arithmetic can't reach, is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub(crate) struct Moment(i64);

impl Moment {
    /// Later than every other moment.
    pub(crate) const NEVER: Self = Self(i64::MAX);
    /// Earlier than every other moment.
    pub(crate) const EVER: Self = Self(i64::MIN);
    const LAST: Self = Self(i64::MAX - 1);

    pub(crate) fn at(timestamp: Timestamp) -> Self {
        i64::try_from(timestamp.as_micros()).map_or(Self::LAST, |micros| Self(micros).min(Self::LAST))
    }

    /// The caller's timestamp for it: before the origin is at the origin.
    pub(crate) const fn timestamp(self) -> Timestamp {
        Timestamp::from_micros(if self.0 < 0 { 0 } else { self.0.unsigned_abs() })
    }

    /// `None` for never.
    pub(crate) fn deadline(self) -> Option<Timestamp> {
        (self != Self::NEVER).then(|| self.timestamp())
    }

    pub(crate) const fn after(self, span: Micros) -> Self {
        Self(self.0.saturating_add_unsigned(span.as_micros()))
    }

    /// How much later this is than `earlier`; zero if it is not later.
    pub(crate) const fn since(self, earlier: Self) -> Micros {
        Micros::from_micros(if self.0 > earlier.0 { self.0.wrapping_sub(earlier.0) as u64 } else { 0 })
    }

    /// The same moment on a clock that stands `by` microseconds higher. Ever stays ever, and never never.
    #[must_use]
    pub(crate) fn shifted(self, by: i64) -> Self {
        if self == Self::NEVER || self == Self::EVER { self } else { Self(self.0.saturating_add(by)).min(Self::LAST) }
    }

    /// The shift that turns the origin into this moment.
    pub(crate) const fn offset(self) -> i64 {
        self.0
    }
}
