//! Why a message was not taken.

use std::fmt;

use redial::Cause;

use crate::outbox::OutboxLimit;

/// Why a message was not taken. All but one case give the message back.
///
/// It says nothing about later messages: the sink can be used again.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError<M> {
    /// The connection is not open and the outbox is full.
    Full {
        /// The message.
        message: M,
        /// The limit that was met.
        limit: OutboxLimit,
    },
    /// The phase is closed or failed (or the [`Reconnecting`](crate::Reconnecting) is gone): without a `start` or a
    /// `reconnect` nothing will ever be sent.
    Finished {
        /// The message.
        message: M,
    },
    /// There is no connection to transmit it on.
    NotConnected {
        /// The message.
        message: M,
    },
    /// The transport failed while it took the message, which is gone with the connection.
    Broken {
        /// What the transport's error stands for.
        cause: Cause,
    },
}

impl<M> SendError<M> {
    /// The message, where it can be given back.
    ///
    /// ```
    /// use redial_driver::SendError;
    /// assert_eq!(SendError::Finished { message: "hello" }.into_message(), Some("hello"));
    /// ```
    #[must_use]
    pub fn into_message(self) -> Option<M> {
        match self {
            Self::Full { message, .. } | Self::Finished { message } | Self::NotConnected { message } => Some(message),
            Self::Broken { .. } => None,
        }
    }
}

impl<M> fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { limit: OutboxLimit::Messages, .. } => {
                f.write_str("the outbox holds as many messages as it may")
            }
            Self::Full { limit: OutboxLimit::Bytes, .. } => f.write_str("the outbox holds as many bytes as it may"),
            Self::Finished { .. } => f.write_str("the connection was ended for good"),
            Self::NotConnected { .. } => f.write_str("there is no connection"),
            Self::Broken { cause } => write!(f, "the connection broke: {cause}"),
        }
    }
}

/// Without the message, which need not be `Debug`.
impl<M> fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { limit, .. } => f.debug_struct("Full").field("limit", limit).finish_non_exhaustive(),
            Self::Finished { .. } => f.debug_struct("Finished").finish_non_exhaustive(),
            Self::NotConnected { .. } => f.debug_struct("NotConnected").finish_non_exhaustive(),
            Self::Broken { cause } => f.debug_struct("Broken").field("cause", cause).finish(),
        }
    }
}

impl<M> std::error::Error for SendError<M> {}
