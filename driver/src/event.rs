//! What the stream yields.

use redial::Notice;

use crate::outbox::OutboxLimit;

/// What comes from a [`Reconnecting`](crate::Reconnecting): messages and notices, in order.
///
/// While 1024 events wait to be read, each new one takes the place of the oldest that is no message. Messages are never
/// forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<M> {
    /// A message from the peer.
    Message(M),
    /// Something happened to the connection.
    Notice(Notice),
    /// A message of ours was given up without being sent. Where more than 1024 are given up between two reads the oldest
    /// go unreported; [`Status::outbox_dropped`](crate::Status::outbox_dropped) counts all that the outbox gave up.
    Dropped {
        /// The message.
        message: M,
        /// Why.
        reason: DropReason,
    },
}

impl<M> Event<M> {
    /// The peer's message, if this is one.
    ///
    /// ```
    /// use redial_driver::Event;
    /// assert_eq!(Event::Message("hello").into_message(), Some("hello"));
    /// ```
    #[must_use]
    pub fn into_message(self) -> Option<M> {
        match self {
            Self::Message(message) => Some(message),
            Self::Notice(_) | Self::Dropped { .. } => None,
        }
    }
}

/// Why a message was given up without being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DropReason {
    /// The outbox was at this limit and a newer message took its place
    /// ([`Overflow::DropOldest`](crate::Overflow::DropOldest)).
    OutboxFull(OutboxLimit),
    /// It was meant for one connection ([`Reconnecting::transmit`](crate::Reconnecting::transmit)), and that one ended.
    ConnectionLost,
}
