//! Resumable delivery over any message transport.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod acks;
mod error;
mod frame;
mod id;
mod number;
mod payload;
mod server;

pub use acks::AckPolicy;
pub use error::{FrameError, ProtocolError, close_code};
pub use frame::{Advice, EndReason, Frame, Outcome, SUBPROTOCOL, Welcome};
pub use id::{ID_BYTES, Secret, SessionId};
pub use number::MAX_NUMBER;
pub use payload::{NotUtf8, Payload};
pub use server::{FromClient, Greeting, Server};
