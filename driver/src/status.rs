//! Where a connection stands, at a glance.

use redial::{Cause, ConnectionId, Micros, Phase, Quality, Timestamp};

use crate::outbox::Outbox;

/// Where a connection stands. A copy: it does not follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Where the machine stands.
    pub phase: Phase,
    /// The connection that is being dialled or open.
    pub connection: Option<ConnectionId>,
    /// The endpoint of the last dial, from 0, in the list as it was when the machine chose it; `None` before the first.
    pub endpoint: Option<u32>,
    /// The number, in its outage, of the dial under way or to come, or of the dial that led to the open connection.
    pub attempt: u32,
    /// The grade; `None` before the connection's first sample.
    pub quality: Option<Quality>,
    /// The smoothed latency; `None` before the connection's first sample.
    pub latency: Option<Micros>,
    /// When the next dial is due, on the driver's clock.
    pub next_dial_at: Option<Timestamp>,
    /// Since when the connection has been ready, on the driver's clock.
    pub open_since: Option<Timestamp>,
    /// Messages in the outbox.
    pub outbox_messages: usize,
    /// Bytes in the outbox; what handles sent is counted at the driver's next poll.
    pub outbox_bytes: usize,
    /// Messages that the outbox ever dropped ([`Overflow::DropOldest`](crate::Overflow::DropOldest)).
    pub outbox_dropped: u64,
    /// Why the last dial or connection failed; `None` before the first did.
    pub last_cause: Option<Cause>,
}

/// A status without what the outbox knows by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) phase: Phase,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) endpoint: Option<u32>,
    pub(crate) attempt: u32,
    pub(crate) quality: Option<Quality>,
    pub(crate) latency: Option<Micros>,
    pub(crate) next_dial_at: Option<Timestamp>,
    pub(crate) open_since: Option<Timestamp>,
    pub(crate) last_cause: Option<Cause>,
}

impl Standing {
    pub(crate) const fn idle() -> Self {
        Self {
            phase: Phase::Idle,
            connection: None,
            endpoint: None,
            attempt: 0,
            quality: None,
            latency: None,
            next_dial_at: None,
            open_since: None,
            last_cause: None,
        }
    }

    pub(crate) fn status<M>(&self, outbox: &Outbox<M>) -> Status {
        Status {
            phase: self.phase,
            connection: self.connection,
            endpoint: self.endpoint,
            attempt: self.attempt,
            quality: self.quality,
            latency: self.latency,
            next_dial_at: self.next_dial_at,
            open_since: self.open_since,
            outbox_messages: outbox.messages(),
            outbox_bytes: outbox.bytes(),
            outbox_dropped: outbox.dropped_ever(),
            last_cause: self.last_cause,
        }
    }
}
