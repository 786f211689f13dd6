//! What the proxy and its connections share: the conditions they work under and the counters.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use tokio::sync::watch;

/// The upstream, and the faults that are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conditions {
    /// Where new connections go.
    pub upstream: SocketAddr,
    /// What every byte waits at least, in milliseconds.
    pub delay_ms: u32,
    /// What comes on top at most, in milliseconds.
    pub jitter_ms: u32,
    /// What passes in each direction of each connection in a second; `None`: whatever comes.
    pub bytes_per_second: Option<NonZeroU32>,
    /// Whether new dials are refused.
    pub refuse: bool,
    /// Whether new connections are closed at once.
    pub accept_then_drop: bool,
    /// Whether all bytes from clients are held.
    pub blackhole_up: bool,
    /// Whether all bytes from the upstream are held.
    pub blackhole_down: bool,
}

/// What happened since the proxy began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counters {
    /// Connections that there are now, those whose upstream has not answered yet included.
    pub live: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections that `drop` or `accept-then-drop` closed.
    pub dropped: u64,
    /// Connections that `reset` ended.
    pub reset: u64,
    /// Connections reset because the upstream could not be dialled.
    pub unreachable: u64,
    /// Bytes from clients passed on to the upstream's socket.
    pub bytes_up: u64,
    /// Bytes from the upstream passed on to the clients' sockets.
    pub bytes_down: u64,
}

impl Conditions {
    /// A clean link to that upstream.
    #[must_use]
    pub const fn clean(upstream: SocketAddr) -> Self {
        Self {
            upstream,
            delay_ms: 0,
            jitter_ms: 0,
            bytes_per_second: None,
            refuse: false,
            accept_then_drop: false,
            blackhole_up: false,
            blackhole_down: false,
        }
    }

    /// Whether bytes that go this way are held.
    pub(super) const fn holds(&self, way: Way) -> bool {
        match way {
            Way::Up => self.blackhole_up,
            Way::Down => self.blackhole_down,
        }
    }
}

/// The way that the bytes of one pipe go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From the client to the upstream.
    Up,
    /// From the upstream to the client.
    Down,
}

/// The place where both are kept. The proxy writes the conditions, the connections the counters.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) conditions: watch::Sender<Conditions>,
    pub(super) counters: watch::Sender<Counters>,
}

impl Board {
    pub(super) fn new(upstream: SocketAddr) -> Self {
        Self {
            conditions: watch::Sender::new(Conditions::clean(upstream)),
            counters: watch::Sender::new(Counters::default()),
        }
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counters)) {
        self.counters.send_modify(change);
    }

    pub(super) fn count_bytes(&self, way: Way, passed: u64) {
        self.count(|counters| match way {
            Way::Up => counters.bytes_up = counters.bytes_up.saturating_add(passed),
            Way::Down => counters.bytes_down = counters.bytes_down.saturating_add(passed),
        });
    }
}
