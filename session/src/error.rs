//! What can be wrong with what the peer sends.

use core::fmt;

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// There are no bytes at all.
    Empty,
    /// The first byte, below 0x80, is the type of no frame.
    Type(u8),
    /// It ends too soon.
    Short,
    /// Something follows its end.
    Long,
    /// A number is not in the shortest form, or above [`MAX_NUMBER`](crate::MAX_NUMBER).
    Number,
    /// The number of a message is 0; the first is 1.
    Zero,
    /// A text is no UTF-8.
    NotUtf8,
    /// A byte that stands for a choice (an outcome, a reason, a set of flags) stands for none.
    Choice(u8),
}

/// Why the peer can't be understood on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// It sent no frame.
    Frame(FrameError),
    /// It sent a frame, of this type, that has no place here.
    Unexpected(u8),
    /// A message is missing before this one: the connection has lost something. The session can be resumed on another.
    Gap {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// It claims to have received messages that were never sent, or fewer than it acknowledged before.
    Offset {
        /// What it claims.
        claimed: u64,
        /// The least that can be true.
        least: u64,
        /// The most that can be true.
        most: u64,
    },
}

/// The close codes of `redial.v1` (RFC 6455, section 7.4.2: 4000 to 4999 are for private use).
pub mod close_code {
    /// The peer broke the protocol (RFC 6455, section 7.4.1). Another try would break it again.
    pub const PROTOCOL: u16 = 1002;
    /// The first frame did not come in time.
    pub const GREETING_TIMEOUT: u16 = 4408;
    /// Another connection has resumed the session.
    pub const SUPERSEDED: u16 = 4409;
    /// The session has ended.
    pub const ENDED: u16 = 4410;
    /// Numbers don't fit: something was lost on the way. Resuming mends it.
    pub const OUT_OF_STEP: u16 = 4416;
}

impl ProtocolError {
    /// The code to close the connection with.
    ///
    /// ```
    /// use redial_session::{ProtocolError, close_code};
    /// assert_eq!(ProtocolError::Gap { expected: 3, got: 5 }.close_code(), close_code::OUT_OF_STEP);
    /// ```
    #[must_use]
    pub const fn close_code(&self) -> u16 {
        match self {
            Self::Frame(_) | Self::Unexpected(_) => close_code::PROTOCOL,
            Self::Gap { .. } | Self::Offset { .. } => close_code::OUT_OF_STEP,
        }
    }
}

impl From<FrameError> for ProtocolError {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a frame without a byte"),
            Self::Type(kind) => write!(f, "0x{kind:02x} is the type of no frame"),
            Self::Short => f.write_str("a frame that ends too soon"),
            Self::Long => f.write_str("a frame with something after its end"),
            Self::Number => f.write_str("a number that is not in its shortest form or above 2^53 - 1"),
            Self::Zero => f.write_str("a message with number 0; the first is 1"),
            Self::NotUtf8 => f.write_str("a text that is no UTF-8"),
            Self::Choice(byte) => write!(f, "0x{byte:02x} stands for nothing here"),
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(error) => error.fmt(f),
            Self::Unexpected(kind) => write!(f, "a frame of type 0x{kind:02x} has no place here"),
            Self::Gap { expected, got } => write!(f, "message {got} came where {expected} should have come"),
            Self::Offset { claimed, least, most } => {
                write!(f, "the peer claims {claimed} received messages; possible: {least} to {most}")
            }
        }
    }
}

impl core::error::Error for FrameError {}
impl core::error::Error for ProtocolError {}
