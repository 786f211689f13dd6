//! The kinds of outage that the demo goes through.

use std::time::Duration;

/// One kind of outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outage {
    Refused,
    Reset,
    BlackHole,
    AcceptThenDrop,
    SlowLink,
    Restart,
}

/// What a byte waits on the slow link, in milliseconds. There and back it is more than any grade allows, so that the
/// smoothed latency passes one grade after the other; and less than the time between two pings: none is left out.
pub(super) const SLOW_MS: u32 = 105;
/// What comes on top at most, in milliseconds.
pub(super) const SLOW_JITTER_MS: u32 = 15;

impl Outage {
    /// In the order in which the demo goes through them, again and again.
    pub(super) const ALL: [Self; 6] =
        [Self::Refused, Self::Reset, Self::BlackHole, Self::AcceptThenDrop, Self::SlowLink, Self::Restart];

    /// Its name in JSON.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::BlackHole => "blackHole",
            Self::AcceptThenDrop => "acceptThenDrop",
            Self::SlowLink => "slowLink",
            Self::Restart => "restart",
        }
    }

    /// What is broken, for people.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Refused => "the link is cut, and new dials are refused",
            Self::Reset => "the connection is reset",
            Self::BlackHole => "a black hole: nothing passes any more, and nobody says so",
            Self::AcceptThenDrop => "the link is cut; who dials is let in and thrown out at once",
            Self::SlowLink => "a slow link: every byte is late, nothing is lost",
            Self::Restart => "the server restarts: it closes with 1012",
        }
    }

    /// How the outage ends, for people; `None` for one that is over as soon as it has begun.
    pub(super) const fn end(self) -> Option<&'static str> {
        match self {
            Self::Refused => Some("dials are taken again"),
            Self::BlackHole => Some("the black hole is gone"),
            Self::AcceptThenDrop => Some("who dials may stay again"),
            Self::SlowLink => Some("the link is fast again"),
            Self::Reset | Self::Restart => None,
        }
    }

    /// How long it takes as a rule, until the connection is stable again. A share of the messages is spread over it, and
    /// nothing else depends on it.
    pub(super) const fn usual(self) -> Duration {
        Duration::from_millis(match self {
            Self::Refused => 1200,
            Self::Reset => 600,
            Self::BlackHole => 2300,
            Self::AcceptThenDrop => 2500,
            Self::SlowLink => 2300,
            Self::Restart => 600,
        })
    }
}
