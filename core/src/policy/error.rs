//! One clear error: the key, the value, what is allowed.

use core::fmt::{self, Write};

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
    value: ShortText,
    allowed: &'static str,
    unknown_key: bool,
}

impl PolicyError {
    pub(crate) fn new(key: impl fmt::Display, value: impl fmt::Display, allowed: &'static str) -> Self {
        Self { key: ShortText::new(key), value: ShortText::new(value), allowed, unknown_key: false }
    }

    pub(crate) fn unknown_key(key: &str, value: Value<'_>, allowed: &'static str) -> Self {
        Self { unknown_key: true, ..Self::new(key, value, allowed) }
    }

    /// The key, as in the contract's JSON, with a dot before a part: `quality.good`. Cut after 44 bytes.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_str()
    }

    /// The refused value, as text. Cut after 44 bytes.
    #[must_use]
    pub fn value(&self) -> &str {
        self.value.as_str()
    }

    /// What is allowed instead.
    #[must_use]
    pub const fn allowed(&self) -> &'static str {
        self.allowed
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, value, allowed) = (self.key(), self.value(), self.allowed);
        if self.unknown_key {
            write!(f, "policy key {key} (given {value}) is not known; allowed: {allowed}")
        } else {
            write!(f, "policy key {key}: {value} is not allowed; allowed: {allowed}")
        }
    }
}

impl core::error::Error for PolicyError {}

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

    fn new(text: impl fmt::Display) -> Self {
        let mut short = Self { bytes: [0; Self::CAPACITY], len: 0 };
        // The only error is our own "full", and what fits is there then.
        let _ = write!(short, "{text}");
        short
    }

    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    fn append(&mut self, text: &str) {
        for byte in text.bytes() {
            if let Some(place) = self.bytes.get_mut(usize::from(self.len)) {
                *place = byte;
                self.len = self.len.saturating_add(1);
            }
        }
    }
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            // A control character would break the one line that an error is.
            let c = if c.is_control() { '\u{fffd}' } else { c };
            if usize::from(self.len).saturating_add(c.len_utf8()) > Self::USED {
                self.append("…");
                return Err(fmt::Error);
            }
            self.append(c.encode_utf8(&mut [0; 4]));
        }
        Ok(())
    }
}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}
