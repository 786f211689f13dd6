//! What a client may keep, and for how long it tries.

use crate::acks::AckPolicy;

/// What a client may keep, and for how long it tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// The most messages in the outbox, those included that were sent and are not acknowledged; by default 1024.
    pub messages: usize,
    /// The most bytes of payload in it; by default 1 MiB.
    pub bytes: usize,
    /// What happens to a message that would pass a limit; by default it is rejected.
    pub overflow: Overflow,
    /// On how many connections in a row the session may be asked for without an answer before a new one is asked for, by
    /// default 10: it may be the session itself that brings the server down. 0: it is never asked for again.
    pub resume_tries: u32,
    /// When what was received is acknowledged.
    pub acks: AckPolicy,
}

/// What happens to a message that would pass a limit of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// It is rejected. Who would rather wait asks [`Client::has_room`](crate::Client::has_room) first.
    Reject,
    /// The oldest that were never sent make place, and are reported. Where there are none, or not enough, it is rejected: a
    /// message that was sent may have arrived.
    DropOldest,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            messages: 1024,
            bytes: 1 << 20,
            overflow: Overflow::Reject,
            resume_tries: 10,
            acks: AckPolicy::default(),
        }
    }
}
