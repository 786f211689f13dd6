//! A machine with a clock in milliseconds.

#[path = "../inputs/mod.rs"]
mod inputs;

use redial::{Cause, ConnectionId, Input, Output, PolicyBuilder, ReconnectMachine, Timestamp};

pub(crate) use inputs::*;

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

pub(crate) const fn ready(connection: u64) -> Input {
    Input::Ready { connection: ConnectionId(connection) }
}

pub(crate) const fn failed(connection: u64) -> Input {
    Input::Failed { connection: ConnectionId(connection), cause: Cause::NETWORK }
}

pub(crate) const fn closed(connection: u64, code: u16) -> Input {
    Input::Closed { connection: ConnectionId(connection), cause: Cause::close(code) }
}
