//! Reads traces; whatever is wrong is named with its line.

use core::fmt;
use core::num::NonZeroU32;
use std::borrow::ToOwned;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{Event, Header, Line, Trace};
use crate::input::Input;
use crate::output::{Command, Output};
use crate::policy::Policy;
use crate::time::Timestamp;

/// What is wrong with a trace, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    line: usize,
    problem: String,
}

impl TraceError {
    /// serde quotes what it was given: a control character in it would break the one line that an error is.
    fn new(line: usize, problem: &str) -> Self {
        Self { line, problem: problem.replace(char::is_control, "\u{fffd}") }
    }

    /// The line, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trace line {}: {}", self.line, self.problem)
    }
}

impl core::error::Error for TraceError {}

impl Trace {
    /// Reads a whole trace. Empty lines are passed over.
    ///
    /// # Errors
    /// The first line that is not of the trace format, with what is allowed there.
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let number = |index: usize| index.saturating_add(1);

        let header = match lines.next() {
            Some((index, line)) => Header::parse(line).map_err(|problem| TraceError::new(number(index), &problem))?,
            None => return Err(TraceError::new(1, "a header is missing")),
        };
        let lines = lines.map(|(index, line)| {
            let parsed = parse_event(line);
            parsed
                .map(|(at, event)| Line { at, event, number: number(index) })
                .map_err(|problem| TraceError::new(number(index), &problem))
        });
        Ok(Self { header, lines: lines.collect::<Result<Vec<_>, _>>()? })
    }
}

impl Header {
    fn parse(line: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            redial: u64,
            #[serde(default)]
            policy: Policy,
            seed: u64,
            #[serde(default = "one")]
            endpoints: NonZeroU32,
        }
        fn one() -> NonZeroU32 {
            NonZeroU32::MIN
        }

        let raw: Raw = read(object(line)?).map_err(|problem| {
            format!("{problem}; a header is {{\"redial\":1,\"policy\":{{…}},\"seed\":N,\"endpoints\":N}}")
        })?;
        if raw.redial != 1 {
            return Err(format!("redial: version {} is not allowed; allowed: 1", raw.redial));
        }
        Ok(Self { policy: raw.policy, seed: raw.seed, endpoints: raw.endpoints })
    }
}

fn parse_event(line: &str) -> Result<(Timestamp, Event), String> {
    const COMMANDS: [&str; 3] = ["dial", "hangUp", "ping"];

    let mut fields = object(line)?;
    let at = fields.remove("at").ok_or("the key at is missing")?;
    let at: Timestamp = serde_json::from_value(at).map_err(|error| format!("at: {error}"))?;
    let event = match (fields.get("input"), fields.get("output")) {
        (Some(_), None) => Event::Input(read_input(fields)?),
        (None, Some(Value::String(kind))) if COMMANDS.contains(&kind.as_str()) => {
            Event::Output(Output::Command(read::<Command>(fields)?))
        }
        (None, Some(_)) => Event::Output(Output::Notice(read(fields)?)),
        (Some(_), Some(_)) | (None, None) => return Err("one of the keys input and output is needed".to_owned()),
    };
    Ok((at, event))
}

/// serde passes over keys that a variant without fields does not have; here each must be one that the input has.
fn read_input(fields: Map<String, Value>) -> Result<Input, String> {
    let input: Input = read(fields.clone())?;
    let Ok(Value::Object(known)) = serde_json::to_value(input) else {
        return Ok(input);
    };
    match superfluous(&fields, &known) {
        Some(key) => Err(format!("the key {key} is not one of this input; allowed: {}", keys(&known))),
        None => Ok(input),
    }
}

/// The first key, of the object or of one within it, that the object as we would write it does not have. A key that is
/// null, or that says what goes without saying, may be left out by us.
fn superfluous(given: &Map<String, Value>, known: &Map<String, Value>) -> Option<String> {
    given.iter().find_map(|(key, value)| match (value, known.get(key)) {
        (Value::Object(inner), Some(Value::Object(known))) => superfluous(inner, known),
        (Value::Null | Value::Bool(false), None) | (_, Some(_)) => None,
        (_, None) => Some(key.clone()),
    })
}

fn keys(object: &Map<String, Value>) -> String {
    object.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn object(line: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str::<Strict>(line) {
        Ok(Strict(Value::Object(fields))) => Ok(fields),
        Ok(Strict(_)) => Err("a line is a JSON object".to_owned()),
        Err(error) => Err(format!("no JSON object: {error}")),
    }
}

fn read<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())
}

/// Any JSON in which no object has a key twice: the first or the last, nobody knows which was meant.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((key, Strict(value))) = map.next_entry::<String, Strict>()? {
            if fields.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {key} stands twice")));
            }
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}
