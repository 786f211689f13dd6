//! Short words for what a machine is told; tests include this file by its path.

use redial::{ConnectionId, HoldReason, Input, Jitter, Micros, PingId, Policy, PolicyBuilder};

/// No jitter, no limits, no budget, no pings: delays 1000, 2000, 4000, 5000 ms.
pub(crate) fn plain() -> PolicyBuilder {
    Policy::builder().jitter(Jitter::None).max_attempts(None).dial_budget(None).health_check_interval(None)
}

pub(crate) const fn ms(millis: u64) -> Micros {
    Micros::from_millis(millis)
}

pub(crate) const fn opened(connection: u64) -> Input {
    Input::Opened { connection: ConnectionId(connection) }
}

pub(crate) const fn received(connection: u64) -> Input {
    Input::Received { connection: ConnectionId(connection) }
}

pub(crate) const fn pong(connection: u64, ping: u64) -> Input {
    Input::Pong { connection: ConnectionId(connection), ping: PingId(ping) }
}

pub(crate) const fn hold(reason: HoldReason) -> Input {
    Input::Hold { reason }
}

pub(crate) const fn release(reason: HoldReason) -> Input {
    Input::Release { reason }
}
