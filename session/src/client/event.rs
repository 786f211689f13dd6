//! What a client has to say.

use alloc::vec::Vec;
use core::fmt;

use redial::Micros;

use crate::frame::{Advice, EndReason};
use crate::payload::Payload;

/// Names a message of this client's, over all sessions: 1, 2, 3 … in the order in which they were given to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// What happened to the session or to a message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// A new session has begun.
    Started {
        /// How long the server keeps it while no connection stands.
        ttl: Micros,
    },
    /// The session goes on.
    Resumed {
        /// How many of our messages are being sent again.
        replayed: usize,
    },
    /// The server speaks no `redial.v1`: what is sent from now on is sent as it is, once, and nobody acknowledges it.
    Plain,
    /// The receipt: the server has this message for good, and so all given before it that no other event has named, but for
    /// those that went out plainly, for which there are no receipts.
    Delivered {
        /// The last of them.
        up_to: MessageId,
    },
    /// A message was given up without ever being sent.
    Dropped {
        /// Which.
        id: MessageId,
        /// What it carried.
        payload: Payload,
        /// Why.
        reason: GivenUp,
    },
    /// The session is over. What was never sent stays in the outbox, for the next one.
    Lost(SessionLost),
    /// The server says that this connection will end soon.
    GoingAway(Advice),
}

/// The end of a session, and what became of its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionLost {
    /// Why.
    pub reason: LossReason,
    /// What was sent and not acknowledged, oldest first: nobody knows whether the server had it. Every other message was
    /// delivered, reported as dropped, or is still in the outbox.
    pub in_doubt: Vec<Unacknowledged>,
}

/// A message that was sent and not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unacknowledged {
    /// Which.
    pub id: MessageId,
    /// What it carried.
    pub payload: Payload,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossReason {
    /// The server does not know it any more: its time has passed, or the server has lost its memory.
    Unknown,
    /// The server said so.
    Ended(EndReason),
    /// It was asked for on as many connections in a row as [`ClientConfig::resume_tries`](crate::ClientConfig::resume_tries)
    /// allows, and none answered.
    NoAnswer,
    /// The server speaks no `redial.v1` any more.
    Plain,
    /// The server says that it has received fewer messages than it acknowledged before, or more than were sent: it has lost
    /// its memory in part.
    OutOfStep,
    /// The user wanted it no more.
    User,
}

/// Why a message was given up without ever being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GivenUp {
    /// Its deadline has passed.
    Expired,
    /// A newer one took its place ([`Overflow::DropOldest`](crate::Overflow::DropOldest)).
    Overflow,
    /// The server takes no message of its size.
    TooLarge {
        /// The most bytes of payload that it takes.
        most: u64,
    },
}

/// Why a message was not taken. It comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    /// The message.
    pub payload: Payload,
    /// The limit that it would pass.
    pub limit: OutboxLimit,
}

/// Which limit of the outbox was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutboxLimit {
    /// [`ClientConfig::messages`](crate::ClientConfig::messages).
    Messages,
    /// [`ClientConfig::bytes`](crate::ClientConfig::bytes).
    Bytes,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.limit {
            OutboxLimit::Messages => "the outbox holds as many messages as it may",
            OutboxLimit::Bytes => "the outbox holds as many bytes as it may",
        })
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "the server does not know it any more",
            Self::Ended(EndReason::Done) => "the server has ended it",
            Self::Ended(EndReason::Superseded) => "another connection has resumed it",
            Self::Ended(EndReason::Overflow) => "too many messages waited for this client",
            Self::Ended(EndReason::Gone) => "the server has lost it",
            Self::NoAnswer => "no server answered for it",
            Self::Plain => "the server speaks no redial.v1 any more",
            Self::OutOfStep => "the server has lost a part of it",
            Self::User => "it was ended here",
        })
    }
}

impl core::error::Error for SendError {}
