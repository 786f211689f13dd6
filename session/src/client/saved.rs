//! What a session needs to go on in another process, or after a page was loaded anew.

use alloc::vec::Vec;

use redial::Micros;

use crate::id::{Secret, SessionId};
use crate::payload::Payload;

/// A session, to go on elsewhere: [`Client::save`](crate::Client::save), [`Client::restore`](crate::Client::restore).
///
/// It holds the secret: who has it has the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSession {
    /// Which.
    pub id: SessionId,
    /// The proof.
    pub secret: Secret,
    /// The number of the last message that was received.
    pub received: u64,
    /// The number of the last message that the server has acknowledged.
    pub acknowledged: u64,
    /// How long the server keeps it.
    pub ttl: Micros,
    /// What was sent and not acknowledged, in order. Without them the session goes on all the same, but nobody will know
    /// whether they arrived.
    pub in_flight: Vec<Payload>,
}
