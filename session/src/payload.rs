//! What a message carries.

use alloc::string::String;
use core::fmt;
use core::str;

use bytes::Bytes;

/// What a message carries: text or bytes, as in a WebSocket. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Payload {
    /// UTF-8 where it is text.
    bytes: Bytes,
    text: bool,
}

/// The bytes are no UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

impl Payload {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { bytes: Bytes::from(text.into()), text: true }
    }

    /// Bytes.
    #[must_use]
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), text: false }
    }

    /// The text that these bytes are.
    ///
    /// # Errors
    /// If they are no UTF-8.
    pub fn from_utf8(bytes: Bytes) -> Result<Self, NotUtf8> {
        match str::from_utf8(&bytes) {
            Ok(_) => Ok(Self { bytes, text: true }),
            Err(_) => Err(NotUtf8),
        }
    }

    /// Whether it is a text.
    #[must_use]
    pub const fn is_text(&self) -> bool {
        self.text
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        // Checked when it was made; looking again is what there is without unsafe code.
        if self.text { str::from_utf8(&self.bytes).ok() } else { None }
    }

    /// The bytes, of a text too.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The bytes, of a text too.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// Its kind and its length: what a user says is not for logs.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.text { "Text" } else { "Binary" };
        write!(f, "{kind}({} B)", self.bytes.len())
    }
}

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes are no UTF-8")
    }
}

impl core::error::Error for NotUtf8 {}
