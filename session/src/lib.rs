//! Resumable delivery over any message transport: what was sent before a connection died is sent again on the next one, once
//! each, in order.
//!
//! Both halves are pure: [`Client`] and [`Server`] do no I/O and ask no clock. Frames and times go in, frames and events
//! come out. `redial-driver` drives the client's half, `redial-server` the server's. The frames are
//! those of `redial.v1`, a WebSocket subprotocol that `docs/protocol.md` writes down for implementations in other languages.
//!
//! # What it promises
//! While client and server keep their memory of a session, every message given to one side comes out of the other, once, in
//! order, whatever connections do. When the session is over before that, the client says so and hands back what it had
//! sent and nobody had acknowledged ([`SessionLost`]); everything else was delivered, handed back, or is sent in the next
//! session. Nothing is lost silently, as long as somebody reads the events: of those that only say what was dropped, the oldest
//! are forgotten where more than a thousand wait, and [`Client::dropped`] counts them all.
//!
//! # Bounds
//! A client keeps at most [`ClientConfig::messages`] and [`ClientConfig::bytes`], sent or not. A [`Server`] keeps what was pushed
//! and not yet transmitted; its owner pushes no more than fits.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod acks;
mod client;
mod error;
mod frame;
mod id;
mod number;
mod payload;
mod server;

pub use acks::AckPolicy;
pub use client::{
    Client, ClientConfig, ClientEvent, FromServer, GivenUp, LossReason, MessageId, OutboxLimit, Overflow, SavedSession,
    SendError, SessionLost, Transmit, Unacknowledged,
};
pub use error::{FrameError, ProtocolError, close_code};
pub use frame::{Advice, EndReason, Frame, Outcome, SUBPROTOCOL, Welcome};
pub use id::{ID_BYTES, Secret, SessionId};
pub use number::MAX_NUMBER;
pub use payload::{NotUtf8, Payload};
pub use server::{FromClient, Greeting, Server};
