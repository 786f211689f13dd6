//! What has come in one direction, and what the peer has been told of it.

use redial::{Micros, Timestamp};

use crate::error::ProtocolError;

/// When an acknowledgement goes out by itself. One that rides on a message costs a byte or two; one by itself costs a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AckPolicy {
    /// After so many messages that were not acknowledged; by default 32. 0 acts as 1.
    pub every: u32,
    /// At the latest so long after the first message that was not acknowledged; by default 50 ms. The peer keeps what is not
    /// acknowledged in memory for that long.
    pub delay: Micros,
}

impl Default for AckPolicy {
    fn default() -> Self {
        Self { every: 32, delay: Micros::from_millis(50) }
    }
}

/// One direction's receiving end.
#[derive(Clone, Debug)]
pub(crate) struct Acks {
    policy: AckPolicy,
    /// The number of the last message that came, in order.
    received: u64,
    /// Up to here messages may be acknowledged.
    committed: u64,
    /// Up to here the peer has been told.
    told: u64,
    /// Since when there has been something to tell.
    owed_since: Option<Timestamp>,
    /// The peer sent again what had come: it has missed an acknowledgement.
    missed: bool,
}

impl Acks {
    /// Everything up to this number has come, and the peer is being told so.
    pub(crate) const fn new(policy: AckPolicy, received: u64) -> Self {
        Self { policy, received, committed: received, told: received, owed_since: None, missed: false }
    }

    /// Whether the message is new. It is not, if it came before.
    pub(crate) fn on_message(&mut self, number: u64) -> Result<bool, ProtocolError> {
        let expected = self.received.saturating_add(1);
        if number > expected {
            return Err(ProtocolError::Gap { expected, got: number });
        }
        if number < expected {
            self.missed = true;
            return Ok(false);
        }
        self.received = number;
        Ok(true)
    }

    /// Messages up to this one may be acknowledged.
    pub(crate) fn commit(&mut self, now: Timestamp, number: u64) {
        self.committed = number.clamp(self.committed, self.received);
        if self.committed > self.told && self.owed_since.is_none() {
            self.owed_since = Some(now);
        }
    }

    /// One more may be acknowledged.
    pub(crate) fn commit_next(&mut self, now: Timestamp) {
        self.commit(now, self.committed.saturating_add(1));
    }

    pub(crate) const fn committed(&self) -> u64 {
        self.committed
    }

    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// What is owed is due at once.
    pub(crate) const fn hurry(&mut self) {
        self.missed |= self.owed_since.is_some();
    }

    /// The number to tell, on whatever goes out now.
    pub(crate) fn tell(&mut self) -> u64 {
        self.told = self.committed;
        self.owed_since = None;
        self.missed = false;
        self.committed
    }

    /// The number to tell where the session is asked for anew: what has come is here, and will be handed on.
    pub(crate) fn tell_received(&mut self) -> u64 {
        self.tell();
        self.told = self.received;
        self.received
    }

    /// The number to tell on a message that goes out anyway: 0, the shortest, where there is nothing new to tell.
    pub(crate) fn ride(&mut self) -> u64 {
        if self.committed > self.told || self.missed { self.tell() } else { 0 }
    }

    /// Whether it is time to tell, and nothing goes out that could carry it.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let owed = self.committed.saturating_sub(self.told);
        self.missed || owed >= u64::from(self.policy.every.max(1)) || self.deadline().is_some_and(|at| at <= now)
    }

    /// When it will be time.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.owed_since.map(|since| since.saturating_add(self.policy.delay))
    }
}
