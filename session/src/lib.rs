//! Resumable delivery over any message transport.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod id;
mod payload;

pub use id::{ID_BYTES, Secret, SessionId};
pub use payload::{NotUtf8, Payload};
