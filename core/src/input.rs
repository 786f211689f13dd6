//! What the machine is told.

use core::num::NonZeroU32;

use crate::cause::Cause;
use crate::time::{Micros, OptionalMicros};
use crate::words::{ConnectionId, HoldReason, PingId};

/// What the machine is told, by the user, the transport, the environment or the clock.
///
/// Every input may come in every phase: what makes no sense there changes nothing and is counted in
/// [`Stats::misplaced_inputs`](crate::Stats::misplaced_inputs); what names another connection than the present one, in
/// [`Stats::stale_inputs`](crate::Stats::stale_inputs).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "input", rename_all = "camelCase", deny_unknown_fields)
)]
pub enum Input {
    /// The user wants a connection. Acts in idle, closed and failed only.
    Start,
    /// The user wants no connection any more.
    Stop,
    /// The user wants a new connection now: ends a wait, passes all holds once, hangs up an open connection.
    Reconnect,
    /// A reason for not dialling begins to stand.
    Hold {
        /// The reason.
        reason: HoldReason,
    },
    /// A reason for not dialling stands no more.
    Release {
        /// The reason.
        reason: HoldReason,
    },
    /// The transport is open.
    Opened {
        /// The connection that was dialled.
        connection: ConnectionId,
    },
    /// The application's own handshake is done. Only needed where the policy has a `readyTimeout`.
    Ready {
        /// The open connection.
        connection: ConnectionId,
    },
    /// The dial failed.
    Failed {
        /// The connection that was dialled.
        connection: ConnectionId,
        /// Why.
        cause: Cause,
    },
    /// An open connection ended.
    Closed {
        /// The connection that ended.
        connection: ConnectionId,
        /// Why.
        cause: Cause,
    },
    /// Something came from the peer: the connection is alive.
    Received {
        /// The connection it came on.
        connection: ConnectionId,
    },
    /// The peer answered a ping.
    Pong {
        /// The connection it came on.
        connection: ConnectionId,
        /// The ping that it answers.
        ping: PingId,
    },
    /// The peer is (not) expected to be silent for long, because it computes an answer. Outlives connections.
    Busy {
        /// Whether silence is expected from now on.
        on: bool,
    },
    /// The server's advice for the next dial.
    Hint(Hint),
    /// The list of endpoints has changed, and this is how many there are now. Acts in every phase, on dials to come only: a
    /// connection stays. Where the next endpoint would be out of range it is the first; what
    /// [`Failover::Healthiest`](crate::Failover::Healthiest) knows of the endpoints that remain, by their place in the
    /// list, is kept.
    Endpoints {
        /// How many there are, 1 or more.
        count: NonZeroU32,
    },
    /// This machine shares a dial budget with others ([`SharedBudget`](crate::SharedBudget)), and its next dial has to wait
    /// for its turn.
    ///
    /// From the first of these on, a step makes no dial but one that was waiting and due when the step began: any other
    /// waits for at least 1 µs. So whoever drives the machine can ask the shared budget before a step that begins with a
    /// due dial. While a dial waits, this moves it to `wait` from now, never sooner than it was, and before it could be
    /// made in this step. It uses up no attempt.
    Budget {
        /// How long the dial has to wait, from now, up to [`Micros::MAX_POLICY`]; 0 says only that the budget is shared.
        wait: Micros,
    },
    /// A deadline has come. Harmless before it.
    Timeout,
}

/// The server's advice for the next dial, for example from a "going away" message.
///
/// It never shortens a delay. A newer hint replaces an older one; any dial uses it up; the dials of `start` and
/// `reconnect` ignore it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, rename_all = "camelCase", deny_unknown_fields)
)]
pub struct Hint {
    /// Do not come back sooner than this; honoured up to the policy's `maxRetryAfter`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub min_delay: Option<Micros>,
    /// Spread the clients over this much time more; without it, over a fifth of `min_delay` where that prevailed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub spread: Option<Micros>,
    /// Do not come back by yourself at all.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "core::ops::Not::not"))]
    pub stop: bool,
}

/// A hint as the machine keeps it; without one, all of it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub(crate) struct KeptHint {
    pub(crate) min_delay: OptionalMicros,
    pub(crate) spread: OptionalMicros,
    pub(crate) stop: bool,
}

impl KeptHint {
    pub(crate) const NONE: Self = Self { min_delay: OptionalMicros::NONE, spread: OptionalMicros::NONE, stop: false };
}

impl From<Hint> for KeptHint {
    fn from(Hint { min_delay, spread, stop }: Hint) -> Self {
        Self { min_delay: min_delay.into(), spread: spread.into(), stop }
    }
}
