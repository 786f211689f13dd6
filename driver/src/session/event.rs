//! What a session yields.

use redial::Notice;
use redial_session::{ClientEvent, Payload};

/// What comes from a [`Session`](crate::Session), in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A message from the peer: once each and in order, as long as the session lasts.
    Message(Payload),
    /// Something happened to the connection.
    Notice(Notice),
    /// Something happened to the session, or to a message of ours.
    Session(ClientEvent),
}

impl SessionEvent {
    /// The peer's message, if this is one.
    #[must_use]
    pub fn into_message(self) -> Option<Payload> {
        match self {
            Self::Message(message) => Some(message),
            Self::Notice(_) | Self::Session(_) => None,
        }
    }
}

/// What the server of the present connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `redial.v1`: nothing is lost.
    Session,
    /// Plain messages: what is on its way when the connection dies is gone.
    Plain,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStatus {
    /// What the server speaks; `None` while no connection is ready.
    pub protocol: Option<Protocol>,
    /// Messages in the outbox, those included that were sent and are not acknowledged.
    pub pending: usize,
    /// Bytes of payload in the outbox.
    pub pending_bytes: usize,
    /// Messages that were sent and are not acknowledged.
    pub in_flight: usize,
    /// Messages that were ever dropped.
    pub dropped: u64,
}
