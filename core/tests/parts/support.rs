//! A machine with a clock in milliseconds.

use redial::{
    Cause, ConnectionId, HoldReason, Input, Jitter, Micros, Output, PingId, Policy, PolicyBuilder, ReconnectMachine,
    Timestamp,
};

/// No jitter, no limits, no budget, no pings.
pub(crate) fn plain() -> PolicyBuilder {
    Policy::builder().jitter(Jitter::None).max_attempts(None).dial_budget(None).health_check_interval(None)
}

pub(crate) const fn ms(millis: u64) -> Micros {
    Micros::from_millis(millis)
}

/// A machine that was told all this.
pub(crate) fn told(policy: PolicyBuilder, inputs: &[(u64, Input)]) -> ReconnectMachine {
    let mut machine = ReconnectMachine::new(policy.build().unwrap(), 7);
    for (millis, input) in inputs {
        at(&mut machine, *millis, *input);
    }
    machine
}

pub(crate) fn at(machine: &mut ReconnectMachine, millis: u64, input: Input) -> Vec<Output> {
    machine.handle(Timestamp::from_millis(millis), input).into_iter().collect()
}

pub(crate) const fn opened(connection: u64) -> Input {
    Input::Opened { connection: ConnectionId(connection) }
}

pub(crate) const fn ready(connection: u64) -> Input {
    Input::Ready { connection: ConnectionId(connection) }
}

pub(crate) const fn failed(connection: u64) -> Input {
    Input::Failed { connection: ConnectionId(connection), cause: Cause::NETWORK }
}

pub(crate) const fn closed(connection: u64, code: u16) -> Input {
    Input::Closed { connection: ConnectionId(connection), cause: Cause::close(code) }
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
