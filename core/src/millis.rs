//! The contract's JSON numbers: milliseconds with up to three decimals, so that microseconds survive.

use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::time::{Micros, Timestamp};

const ALLOWED: &str = "milliseconds, 0 or more, with at most three decimals";

/// A span that no policy could hold is written as the longest that one can, so that whatever is written can be read again.
/// Points in time have no such end.
impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_micros(self.as_micros().min(Self::MAX_POLICY.as_micros()), serializer)
    }
}

/// What is so late that a number of JSON can't hold its microseconds goes without them.
fn serialize_micros<S: Serializer>(micros: u64, serializer: S) -> Result<S::Ok, S::Error> {
    if micros % 1000 == 0 || micros > Micros::MAX_POLICY.as_micros() {
        serializer.serialize_u64(micros / 1000)
    } else {
        serializer.serialize_f64(Micros::from_micros(micros).as_millis_f64())
    }
}

/// A longer span than a policy can hold is read as the longest, too: so it is the same when it is written and read again.
impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Millis).map(|micros| micros.min(Self::MAX_POLICY))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_micros(self.as_micros(), serializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Millis).map(|micros| Self::from_micros(micros.as_micros()))
    }
}

struct Millis;

impl Visitor<'_> for Millis {
    type Value = Micros;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ALLOWED)
    }

    fn visit_u64<E: Error>(self, millis: u64) -> Result<Micros, E> {
        let micros = millis.checked_mul(1000);
        micros.map(Micros::from_micros).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(millis), &self))
    }

    fn visit_f64<E: Error>(self, millis: f64) -> Result<Micros, E> {
        Micros::from_millis_f64(millis).ok_or_else(|| E::invalid_value(Unexpected::Float(millis), &self))
    }
}

/// A number that is written without `.0` where it is whole.
#[derive(Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = self.0 as u32;
        if f64::from(whole) == self.0 { serializer.serialize_u32(whole) } else { serializer.serialize_f64(self.0) }
    }
}
