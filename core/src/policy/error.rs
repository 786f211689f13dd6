//! One clear error: the key, the value, what is allowed.

use core::fmt::{self, Write};

use super::{Verdict, VerdictKey};

/// A value for a policy's key, before it is checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// JSON's `null`. The text `none` stands for it where a form has no null.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number.
    Number(f64),
    /// Any text.
    Text(&'a str),
}

impl<'a> Value<'a> {
    /// The value that a text from a flag or an environment variable stands for: a truth value, a number, or itself.
    ///
    /// ```
    /// use redial::Value;
    /// assert_eq!(Value::from_text("none"), Value::Text("none"));
    /// assert_eq!(Value::from_text("12.5"), Value::Number(12.5));
    /// ```
    #[must_use]
    pub fn from_text(text: &'a str) -> Self {
        match text {
            "null" => Self::Null,
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            // Rust's parser also takes "inf" and "nan", which are no numbers here.
            _ if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
                text.parse().map_or(Self::Text(text), Self::Number)
            }
            _ => Self::Text(text),
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value:?}"),
        }
    }
}

/// What is wrong with a policy: which key, which value, and what is allowed.
///
/// ```
/// use redial::{Policy, Value};
/// let error = Policy::builder().set("baseDelay", Value::Number(-1.0)).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "policy key baseDelay: -1 is not allowed; allowed: milliseconds from 0 to 9007199254740.992, at most three decimals"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyError {
    key: ShortText,
    value: Refused,
    allowed: &'static str,
    unknown_key: bool,
}

impl PolicyError {
    pub(crate) fn new(key: &str, value: Value<'_>, allowed: &'static str) -> Self {
        Self { key: ShortText::line(key), value: Refused::new(value), allowed, unknown_key: false }
    }

    pub(crate) fn unknown_key(key: &str, value: Value<'_>, allowed: &'static str) -> Self {
        Self { unknown_key: true, ..Self::new(key, value, allowed) }
    }

    pub(crate) fn verdict(key: VerdictKey, verdict: Verdict, allowed: &'static str) -> Self {
        let mut error = Self::new("verdicts.", Value::Text(verdict.as_str()), allowed);
        let (kind, number) = match key {
            VerdictKey::Close(code) => ("close:", code),
            VerdictKey::Http(status) => ("http:", status),
        };
        error.key.append(kind);
        error.key.append_number(number);
        error
    }

    /// The key, as in the contract's JSON, with a dot before a part: `quality.good`. Cut after 44 bytes.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_str()
    }

    /// The refused value. A text is cut after 44 bytes.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        match &self.value {
            Refused::Null => Value::Null,
            Refused::Bool(value) => Value::Bool(*value),
            Refused::Number(bytes) => Value::Number(f64::from_ne_bytes(*bytes)),
            Refused::Text(text) => Value::Text(text.as_str()),
        }
    }

    /// What is allowed instead.
    #[must_use]
    pub const fn allowed(&self) -> &'static str {
        self.allowed
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = ShortText::EMPTY;
        // The only error is our own "full", and what fits is there then.
        let _ = write!(value, "{}", self.value());
        let (key, value, allowed) = (self.key(), value.as_str(), self.allowed);
        if self.unknown_key {
            write!(f, "policy key {key} (given {value}) is not known; allowed: {allowed}")
        } else {
            write!(f, "policy key {key}: {value} is not allowed; allowed: {allowed}")
        }
    }
}

impl core::error::Error for PolicyError {}

/// The value as it was given: it is written out only where the error is, because a program that never does needs no code that
/// writes numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    Null,
    Bool(bool),
    /// As bytes, so that the whole error stays below 128.
    Number([u8; 8]),
    Text(ShortText),
}

impl Refused {
    fn new(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(value) => Self::Number(value.to_ne_bytes()),
            Value::Text(value) => Self::Text(ShortText::cut(value)),
        }
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(bytes) => f64::from_ne_bytes(*bytes).fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// A text cut to what fits, so that an error needs no allocator.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ShortText {
    bytes: [u8; Self::CAPACITY],
    len: u8,
}

impl ShortText {
    const CAPACITY: usize = 47;
    /// Room is kept for the three bytes of the ellipsis.
    const USED: usize = 44;
    const EMPTY: Self = Self { bytes: [0; Self::CAPACITY], len: 0 };

    /// The text on one line.
    fn line(text: &str) -> Self {
        let mut short = Self::EMPTY;
        // The only error is our own "full", and what fits is there then.
        let _ = short.write_str(text);
        short
    }

    /// The text as it is.
    fn cut(text: &str) -> Self {
        let mut short = Self::EMPTY;
        let _ = text.chars().try_for_each(|c| short.push(c));
        short
    }

    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    fn push(&mut self, c: char) -> fmt::Result {
        if usize::from(self.len).saturating_add(c.len_utf8()) > Self::USED {
            self.append("…");
            return Err(fmt::Error);
        }
        self.append(c.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn append(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.append_byte(byte));
    }

    fn append_byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(usize::from(self.len)) {
            *place = byte;
            self.len = self.len.saturating_add(1);
        }
    }

    #[allow(clippy::cast_possible_truncation)] // a digit
    fn append_number(&mut self, number: u16) {
        if number > 9 {
            self.append_number(number / 10);
        }
        self.append_byte(b'0'.wrapping_add((number % 10) as u8));
    }
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // A control character would break the one line that an error is.
        text.chars().try_for_each(|c| self.push(if c.is_control() { '\u{fffd}' } else { c }))
    }
}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}
