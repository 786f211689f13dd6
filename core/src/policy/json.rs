//! The policy as JSON or TOML, key by key through [`PolicyBuilder::set`], so that every form has the same errors.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::{Jitter, Policy, PolicyBuilder, Value};
use crate::millis::Number;
use crate::time::Micros;

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        PolicyBuilder::default().deserialize(deserializer)?.build().map_err(D::Error::custom)
    }
}

/// Reads keys over those that are set already: `preset.builder().deserialize(…)` lays a file over a preset.
impl<'de> DeserializeSeed<'de> for PolicyBuilder {
    type Value = Self;

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries { builder: &mut self, within: "" })?;
        Ok(self)
    }
}

/// The entries of the policy, or of one of its objects.
struct Entries<'b> {
    builder: &'b mut PolicyBuilder,
    within: &'b str,
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the policy's keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen: Vec<Cow<'de, str>> = Vec::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let key = match self.within {
                "" => name,
                within => format!("{within}.{name}").into(),
            };
            if seen.contains(&key) {
                return Err(A::Error::custom(format_args!("policy key {key} stands twice; allowed: once")));
            }
            seen.push(key.clone());
            map.next_value_seed(Entry { builder: self.builder, key: &key })?;
        }
        Ok(())
    }
}

/// The value of one key.
struct Entry<'b> {
    builder: &'b mut PolicyBuilder,
    key: &'b str,
}

impl Entry<'_> {
    fn set<E: Error>(self, value: Value<'_>) -> Result<(), E> {
        self.builder.set_in_place(self.key, value).map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[allow(clippy::cast_precision_loss)] // what a f64 can't hold is far out of every range
impl<'de> Visitor<'de> for Entry<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value for the policy key {}", self.key)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.set(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.set(Value::Number(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.set(Value::Number(value as f64))
    }

    /// TOML's integers may have more than 64 bits; serde's own error would quote a key as it stands.
    fn visit_i128<E: Error>(self, value: i128) -> Result<(), E> {
        self.set(Value::Number(value as f64))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<(), E> {
        self.set(Value::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.set(Value::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.set(Value::Text(value))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.set(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.set(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.set(Value::Text("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.builder.open_object(self.key).map_err(A::Error::custom)?;
        Entries { builder: self.builder, within: self.key }.visit_map(map)
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("baseDelay", &self.base_delay())?;
        map.serialize_entry("maxDelay", &self.max_delay())?;
        map.serialize_entry("minDelay", &self.min_delay())?;
        map.serialize_entry("backoffMultiplier", &Number(self.backoff_multiplier()))?;
        map.serialize_entry("jitter", &self.jitter())?;
        map.serialize_entry("maxAttempts", &self.max_attempts())?;
        map.serialize_entry("maxElapsed", &self.max_elapsed())?;
        map.serialize_entry("connectTimeout", &self.connect_timeout())?;
        map.serialize_entry("readyTimeout", &self.ready_timeout())?;
        map.serialize_entry("stableAfter", &self.stable_after())?;
        map.serialize_entry("autoReconnect", &self.auto_reconnect())?;
        map.serialize_entry("healthCheckInterval", &self.health_check_interval())?;
        map.serialize_entry("pingTimeout", &self.ping_timeout())?;
        map.serialize_entry("busyTimeout", &self.busy_timeout())?;
        let quality = self.quality();
        map.serialize_entry(
            "quality",
            &Quality {
                excellent: quality.excellent,
                good: quality.good,
                poor: quality.poor,
                hysteresis: Number(quality.hysteresis),
            },
        )?;
        let budget = self.dial_budget().map(|budget| Budget { burst: budget.burst, refill: budget.refill });
        map.serialize_entry("dialBudget", &budget)?;
        map.serialize_entry("failover", &self.failover())?;
        map.serialize_entry("maxRetryAfter", &self.max_retry_after())?;
        map.serialize_entry("onlineSpread", &self.online_spread())?;
        map.serialize_entry("wakeGap", &self.wake_gap())?;
        map.serialize_entry("verdicts", &self.verdicts())?;
        map.end()
    }
}

#[derive(Serialize)]
struct Quality {
    excellent: Micros,
    good: Micros,
    poor: Micros,
    hysteresis: Number,
}

#[derive(Serialize)]
struct Budget {
    burst: u32,
    refill: Micros,
}

impl Serialize for Jitter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Full => serializer.serialize_str("full"),
            Self::Equal => serializer.serialize_str("equal"),
            Self::Decorrelated => serializer.serialize_str("decorrelated"),
            Self::Ratio(ratio) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("ratio", &Number(*ratio))?;
                map.end()
            }
        }
    }
}

impl Serialize for super::Verdicts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, verdict)| (format!("{key}"), verdict)))
    }
}
