//! What can happen in a state, and when.

use std::num::NonZeroU32;

use redial::{Cause, ConnectionId, Input, Micros, Phase, PingId, ReconnectMachine};

use crate::policies::Case;

/// The ids that inputs name are counted from these.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ids {
    pub(crate) connection: u64,
    pub(crate) ping: u64,
}

/// Every kind of input: on the present connection with every cause that a rule tells apart, on the one before and on the
/// one to come.
pub(crate) fn inputs(case: &Case, phase: Phase, ids: Ids) -> Vec<Input> {
    let mut inputs = vec![Input::Timeout, Input::Start, Input::Stop, Input::Reconnect];
    inputs.extend(case.holds.iter().map(|&reason| Input::Hold { reason }));
    inputs.extend(case.holds.iter().map(|&reason| Input::Release { reason }));
    // Without pings nothing asks whether the peer is busy.
    if case.policy.health_check_interval().is_some() {
        inputs.extend([true, false].map(|on| Input::Busy { on }));
    }
    // Each hint with a spread moves a retry that waits further away, so there would be no end of states.
    let pending = matches!(phase, Phase::Waiting | Phase::Held);
    let hints = case.hints.iter().filter(|hint| !pending || hint.spread.is_none_or(|spread| spread == Micros::ZERO));
    inputs.extend(hints.map(|&hint| Input::Hint(hint)));

    inputs.extend(case.counts.iter().filter_map(|&count| Some(Input::Endpoints { count: NonZeroU32::new(count)? })));
    inputs.extend(case.waits.iter().map(|&wait| Input::Budget { wait: Micros::from_micros(wait) }));

    let connection = ConnectionId(ids.connection);
    // Its fifth is no microsecond, so nothing is drawn.
    let retry_after = Some(Micros::from_micros(4));
    for cause in [
        Cause::NETWORK,
        Cause::close(1000),
        Cause::close(1002),
        Cause::http(401),
        Cause::Http { status: 503, retry_after },
    ] {
        inputs.push(Input::Failed { connection, cause });
    }
    for cause in [Cause::close(1006), Cause::Superseded, Cause::http(403), Cause::Close { code: 1013, retry_after }] {
        inputs.push(Input::Closed { connection, cause });
    }
    for ping in [ids.ping, ids.ping.wrapping_sub(1)] {
        inputs.push(Input::Pong { connection, ping: PingId(ping) });
    }
    for of in [ids.connection, ids.connection.wrapping_sub(1), ids.connection.wrapping_add(1)] {
        let connection = ConnectionId(of);
        inputs.extend([Input::Opened { connection }, Input::Ready { connection }, Input::Received { connection }]);
        if of != ids.connection {
            inputs.extend([
                Input::Failed { connection, cause: Cause::close(1000) },
                Input::Closed { connection, cause: Cause::close(1002) },
                Input::Pong { connection, ping: PingId(ids.ping) },
            ]);
        }
    }
    inputs
}

/// When something happens, for inputs and for a timeout: now, with the deadline, too late for it, and so late that the
/// computer must have slept. A timeout also comes a microsecond from now, so every time before the deadline is reached;
/// and one earlier than the latest time seen is among the rest.
pub(crate) fn times(machine: &ReconnectMachine, now: u64) -> Vec<(u64, Only)> {
    let gap = machine.policy().wake_gap().as_micros();
    let mut times = vec![(now, Only::No), (now.saturating_sub(1), Only::Timeouts), (now + 1, Only::Timeouts)];
    match machine.deadline() {
        Some(due) => {
            let due = due.as_micros();
            times.extend([
                (due, Only::No),
                (due + gap + 1, Only::No),
                (due - 1, Only::Timeouts),
                (due + 1, Only::Timeouts),
                (due + gap, Only::Timeouts),
            ]);
        }
        // Nothing comes by itself; what is remembered grows old.
        None => times.push((now + 100, Only::Timeouts)),
    }
    times.sort_unstable();
    // Of the same time, that of all inputs.
    times.dedup_by_key(|(at, _)| *at);
    times
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Only {
    No,
    Timeouts,
}
