//! Who a session is, and what proves it.

use core::fmt;

/// The length of an id and of a secret: 128 bits, which nobody guesses (RFC 4122's random UUIDs have 122).
pub const ID_BYTES: usize = 16;

/// Names a session. 128 random bits, chosen by the server.
///
/// It is shown nowhere: its `Debug` prints no bit of it, so that it does not come into a log by mistake.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; ID_BYTES]);

/// Proves that a client is the one that the session was made for. 128 random bits, issued with the session's id.
///
/// A server keeps a hash of it and compares hashes. Its `Debug` prints no bit of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; ID_BYTES]);

impl SessionId {
    /// The id of these bytes, from a generator that nobody can predict.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes, as they are sent and stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }
}

impl Secret {
    /// The secret of these bytes, from a generator that nobody can predict.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes, as they are sent.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
