//! How a session is kept.

use redial_session::{AckPolicy, ClientConfig, SavedSession};

use crate::outbox::{OutboxLimits, Overflow};

/// How a session is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// On how many connections in a row the session may be asked for without an answer before a new one is asked for, by
    /// default 10: it may be the session itself that brings the server down.
    pub resume_tries: u32,
    /// When what was received is acknowledged.
    pub acks: AckPolicy,
    /// A session that began elsewhere, to go on with.
    pub saved: Option<SavedSession>,
}

impl Default for SessionConfig {
    fn default() -> Self {
        let ClientConfig { resume_tries, acks, .. } = ClientConfig::default();
        Self { resume_tries, acks, saved: None }
    }
}

impl SessionConfig {
    pub(crate) const fn client(&self, outbox: OutboxLimits) -> ClientConfig {
        ClientConfig {
            messages: outbox.messages,
            bytes: outbox.bytes,
            overflow: match outbox.overflow {
                // Waiting is the sink's affair.
                Overflow::Reject | Overflow::Wait => redial_session::Overflow::Reject,
                Overflow::DropOldest => redial_session::Overflow::DropOldest,
            },
            resume_tries: self.resume_tries,
            acks: self.acks,
        }
    }
}
