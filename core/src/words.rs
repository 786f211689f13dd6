//! The small words that inputs, outputs and getters share: phases, holds, ids and grades.

use core::fmt;

/// Defines an enum of plain words with their spelling in JSON, traces and logs.
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        $vis enum $name {
            $($(#[$doc])* #[cfg_attr(feature = "serde", serde(rename = $word))] $variant,)*
        }

        impl $name {
            /// Every word there is, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word as JSON and traces spell it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Where the machine stands. A page needs only three: connecting ([`is_connecting`](Phase::is_connecting)),
    /// open, closed (all others).
    pub enum Phase {
        /// Nothing was asked for yet.
        Idle = "idle",
        /// A dial is under way.
        Connecting = "connecting",
        /// The transport is open; the application has not yet reported `ready`.
        Handshaking = "handshaking",
        /// The connection can be used.
        Open = "open",
        /// A dial is due at a known time.
        Waiting = "waiting",
        /// A dial is wanted, and a hold stands in its way.
        Held = "held",
        /// Ended on purpose: by `stop`, or by the peer's close 1000.
        Closed = "closed",
        /// Given up, at a limit or by a verdict.
        Failed = "failed",
    }
}

impl Phase {
    /// Connecting or handshaking.
    #[must_use]
    pub const fn is_connecting(self) -> bool {
        matches!(self, Self::Connecting | Self::Handshaking)
    }

    /// Idle, closed or failed: only `start` and `reconnect` ever leave these.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Idle | Self::Closed | Self::Failed)
    }
}

words! {
    /// A reason for not dialling now. Holds add up; each stands until it is released.
    pub enum HoldReason {
        /// The user switched automatic reconnection off. Holds retries only: `start` and `reconnect` still dial.
        AutoReconnectOff = "autoReconnectOff",
        /// The device reports that it has no network.
        Offline = "offline",
        /// The page is hidden.
        Hidden = "hidden",
        /// Nobody needs the connection at the moment.
        Idle = "idle",
    }
}

words! {
    /// How good a connection is, from its smoothed latency; bounds are the policy's `quality`.
    pub enum Quality {
        /// Below the bound `excellent` (by default 50 ms).
        Excellent = "excellent",
        /// Below the bound `good` (by default 100 ms).
        Good = "good",
        /// Not above the bound `poor` (by default 200 ms).
        Poor = "poor",
        /// Above all bounds, or the connection is lost.
        Disconnected = "disconnected",
    }
}

words! {
    /// Which limit made the machine give up.
    pub enum Limit {
        /// `maxAttempts` retries have failed.
        Attempts = "attempts",
        /// The next retry would start later than `maxElapsed` after the outage began.
        Elapsed = "elapsed",
        /// The cause, or the server's hint, says that retrying is of no use.
        Verdict = "verdict",
    }
}

/// One dial and the life that follows it: 1, 2, 3 … never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct ConnectionId(pub u64);

/// One ping: 1, 2, 3 … never reused, not even by another connection of the same machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct PingId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
