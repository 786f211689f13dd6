//! Time as the machine counts it.

use crate::time::{Micros, Timestamp};

/// A point in time in the machine's own count: signed, because a machine restored from a snapshot may have been open
/// for longer than its new clock runs; and with a point that never comes, because a deadline that there is not, or that
/// arithmetic can't reach, is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64);

impl Moment {
    /// Later than every other moment.
    pub(crate) const NEVER: Self = Self(i64::MAX);
    /// Earlier than every other moment.
    pub(crate) const EVER: Self = Self(i64::MIN);
    const LAST: Self = Self(i64::MAX - 1);
    /// The moment of a snapshot, from which its moments count.
    pub(crate) const ORIGIN: Self = Self(0);

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
        // Cheaper than the standard saturating addition of a signed and an unsigned number.
        let left = Self::NEVER.0.wrapping_sub(self.0) as u64;
        if span.as_micros() < left { Self(self.0.wrapping_add_unsigned(span.as_micros())) } else { Self::NEVER }
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

/// In a snapshot: milliseconds, or one of the words `ever` and `never`.
#[cfg(feature = "serde")]
mod json {
    use core::fmt;

    use serde::de::{Deserialize, Deserializer, Error, Visitor};
    use serde::ser::{Serialize, Serializer};

    use super::Moment;
    use crate::time::Micros;

    impl Serialize for Moment {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let span = Micros::from_micros(self.0.unsigned_abs());
            match *self {
                Self::EVER => serializer.serialize_str("ever"),
                Self::NEVER => serializer.serialize_str("never"),
                // Not by way of a floating-point number where that can be helped, or where it could not be read again.
                Self(micros) if micros % 1000 == 0 || span > Micros::MAX_POLICY => {
                    serializer.serialize_i64(micros / 1000)
                }
                Self(micros) if micros < 0 => serializer.serialize_f64(-span.as_millis_f64()),
                Self(_) => serializer.serialize_f64(span.as_millis_f64()),
            }
        }
    }

    impl<'de> Deserialize<'de> for Moment {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(MomentVisitor)
        }
    }

    struct MomentVisitor;

    impl Visitor<'_> for MomentVisitor {
        type Value = Moment;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("milliseconds with at most three decimals, \"ever\" or \"never\"")
        }

        fn visit_str<E: Error>(self, word: &str) -> Result<Moment, E> {
            match word {
                "ever" => Ok(Moment::EVER),
                "never" => Ok(Moment::NEVER),
                _ => Err(E::invalid_value(serde::de::Unexpected::Str(word), &self)),
            }
        }

        fn visit_i64<E: Error>(self, millis: i64) -> Result<Moment, E> {
            Ok(Moment(millis.saturating_mul(1000)).min(Moment::LAST))
        }

        fn visit_u64<E: Error>(self, millis: u64) -> Result<Moment, E> {
            self.visit_i64(i64::try_from(millis).unwrap_or(i64::MAX))
        }

        fn visit_f64<E: Error>(self, millis: f64) -> Result<Moment, E> {
            let span = Micros::from_millis_f64(millis.abs())
                .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Float(millis), &self))?;
            let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
            Ok(Moment(if millis < 0.0 { micros.saturating_neg() } else { micros }))
        }
    }
}
