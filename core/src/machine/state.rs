//! Where the machine stands. Each state carries its own data and its own deadlines, so a timer can't outlive its state.

use crate::backoff::Schedule;
use crate::budget::TokenBucket;
use crate::cause::Cause;
use crate::health::Health;
use crate::holds::Holds;
use crate::input::KeptHint;
use crate::moment::Moment;
use crate::rng::WyRand;
use crate::stats::Accounts;
use crate::time::{Micros, OptionalMicros};
use crate::words::{ConnectionId, Phase, Quality};

/// Everything that the machine remembers; a snapshot is this, with its moments counted from the snapshot.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub(crate) struct Memory {
    /// The latest time seen.
    pub(crate) now: Moment,
    pub(crate) state: State,
    pub(crate) holds: Holds,
    pub(crate) busy: bool,
    pub(crate) quality: Option<Quality>,
    /// The newest hint since the last dial.
    pub(crate) hint: KeptHint,
    /// The next dial needs new credentials.
    pub(crate) fresh_credentials: bool,
    /// From `start`, or from the loss of a stable connection, until a connection has become stable.
    pub(crate) outage: Outage,
    /// Retries dialled in this outage.
    pub(crate) retries: u32,
    pub(crate) schedule: Schedule,
    pub(crate) rng: WyRand,
    pub(crate) bucket: TokenBucket,
    /// How many endpoints there are; 1 or more.
    pub(crate) endpoints: u32,
    /// For round robin the one that comes next; for ordered failover, too, but while a connection lives the one it is on;
    /// for the healthiest the last that was dialled. [`Self::GONE`] once that has left the list.
    pub(crate) endpoint: u32,
    pub(crate) last_connection: u64,
    pub(crate) last_ping: u64,
    pub(crate) accounts: Accounts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub(crate) struct Outage {
    /// Never, where there is none.
    pub(crate) began: Moment,
    /// Time held and slept, which the elapsed limit does not count.
    pub(crate) uncounted: Micros,
}

impl Outage {
    pub(crate) const NONE: Self = Self { began: Moment::NEVER, uncounted: Micros::ZERO };

    pub(crate) fn is_on(&self) -> bool {
        self.began != Moment::NEVER
    }

    /// Time that is not to count.
    pub(crate) const fn leave_out(&mut self, span: Micros) {
        self.uncounted = self.uncounted.saturating_add(span);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)
)]
#[repr(u8)] // a tag of its own: hidden in a field's spare values, it would be worked out at every look
pub(crate) enum State {
    Idle,
    Connecting { link: Link, until: Moment },
    Handshaking { link: Link, until: Moment },
    Open { link: Link, open: Open },
    Waiting { pending: Pending, until: Moment },
    Held { pending: Pending, since: Moment },
    Closed,
    Failed,
}

/// The present connection, from its dial on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub(crate) struct Link {
    pub(crate) connection: ConnectionId,
    pub(crate) attempt: u32,
    pub(crate) fresh_credentials: bool,
    /// The delay that preceded its dial, hint and budget aside.
    pub(crate) preceding: Micros,
}

/// What an open connection has besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub(crate) struct Open {
    /// When it became ready.
    pub(crate) since: Moment,
    /// When it will have lasted; never once it has.
    pub(crate) stable_at: Moment,
    pub(crate) health: Health,
}

/// A dial that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)
)]
#[repr(u8)] // as for the state
pub(crate) enum Pending {
    Start { due: Moment },
    Reconnect { due: Moment },
    Retry(Retry),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub(crate) struct Retry {
    pub(crate) attempt: u32,
    /// When it is due, the dial budget aside.
    pub(crate) due: Moment,
    pub(crate) raw: Micros,
    pub(crate) jittered: Micros,
    pub(crate) hint: OptionalMicros,
    /// The failure that it follows.
    pub(crate) cause: Cause,
}

impl State {
    pub(crate) const fn phase(&self) -> Phase {
        match self {
            Self::Idle => Phase::Idle,
            Self::Connecting { .. } => Phase::Connecting,
            Self::Handshaking { .. } => Phase::Handshaking,
            Self::Open { .. } => Phase::Open,
            Self::Waiting { .. } => Phase::Waiting,
            Self::Held { .. } => Phase::Held,
            Self::Closed => Phase::Closed,
            Self::Failed => Phase::Failed,
        }
    }

    /// What the phase open remembers.
    pub(crate) const fn open(&self) -> Option<&Open> {
        match self {
            Self::Open { open, .. } => Some(open),
            Self::Idle
            | Self::Connecting { .. }
            | Self::Handshaking { .. }
            | Self::Waiting { .. }
            | Self::Held { .. }
            | Self::Closed
            | Self::Failed => None,
        }
    }

    /// The connection that lives, if one does.
    pub(crate) const fn link(&self) -> Option<&Link> {
        match self {
            Self::Connecting { link, .. } | Self::Handshaking { link, .. } | Self::Open { link, .. } => Some(link),
            Self::Idle | Self::Waiting { .. } | Self::Held { .. } | Self::Closed | Self::Failed => None,
        }
    }

    fn shifted(self, by: i64) -> Self {
        match self {
            Self::Idle | Self::Closed | Self::Failed => self,
            Self::Connecting { link, until } => Self::Connecting { link, until: until.shifted(by) },
            Self::Handshaking { link, until } => Self::Handshaking { link, until: until.shifted(by) },
            Self::Open { link, open: Open { since, stable_at, health } } => Self::Open {
                link,
                open: Open { since: since.shifted(by), stable_at: stable_at.shifted(by), health: health.shifted(by) },
            },
            Self::Waiting { pending, until } => {
                Self::Waiting { pending: pending.shifted(by), until: until.shifted(by) }
            }
            Self::Held { pending, since } => Self::Held { pending: pending.shifted(by), since: since.shifted(by) },
        }
    }
}

impl Open {
    pub(crate) fn deadline(&self, patience: Micros) -> Moment {
        self.stable_at.min(self.health.deadline(patience))
    }
}

impl Pending {
    pub(crate) const fn attempt(&self) -> u32 {
        match self {
            Self::Start { .. } | Self::Reconnect { .. } => 0,
            Self::Retry(retry) => retry.attempt,
        }
    }

    /// When it is due, the dial budget aside.
    pub(crate) const fn due(&self) -> Moment {
        match self {
            Self::Start { due } | Self::Reconnect { due } | Self::Retry(Retry { due, .. }) => *due,
        }
    }

    pub(crate) const fn set_due(&mut self, at: Moment) {
        match self {
            Self::Start { due } | Self::Reconnect { due } | Self::Retry(Retry { due, .. }) => *due = at,
        }
    }

    pub(crate) const fn is_held_by(&self, holds: Holds) -> bool {
        match self {
            Self::Start { .. } => holds.hold_start(),
            Self::Reconnect { .. } => false,
            Self::Retry(_) => holds.hold_retries(),
        }
    }

    fn shifted(mut self, by: i64) -> Self {
        self.set_due(self.due().shifted(by));
        self
    }
}

impl Memory {
    /// The one before the first.
    pub(crate) const GONE: u32 = u32::MAX;

    /// The same memory on a clock that stands `by` microseconds higher.
    pub(crate) fn shifted(self, by: i64) -> Self {
        Self {
            now: self.now.shifted(by),
            state: self.state.shifted(by),
            outage: Outage { began: self.outage.began.shifted(by), ..self.outage },
            bucket: self.bucket.shifted(by),
            accounts: self.accounts.shifted(by),
            ..self
        }
    }
}
