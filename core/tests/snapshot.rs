//! Snapshots: a restored machine behaves as the original.

use redial::{
    Cause, ConnectionId, HoldReason, Input, Micros, Notice, Output, PingId, Policy, ReconnectMachine, Timestamp,
};

/// A machine in each kind of state, with the time at which it got there.
fn machines() -> Vec<(ReconnectMachine, u64)> {
    let first = ConnectionId(1);
    let stories: [&[(u64, Input)]; 8] = [
        &[],
        &[(0, Input::Start)],
        &[(0, Input::Start), (40, Input::Opened { connection: first })],
        &[(0, Input::Start), (40, Input::Opened { connection: first }), (6000, Input::Timeout)],
        &[(0, Input::Start), (40, Input::Failed { connection: first, cause: Cause::NETWORK })],
        &[
            (0, Input::Start),
            (10, Input::Hold { reason: HoldReason::Offline }),
            (40, Input::Failed { connection: first, cause: Cause::http(503) }),
        ],
        &[(0, Input::Start), (40, Input::Stop)],
        &[(0, Input::Start), (40, Input::Failed { connection: first, cause: Cause::http(404) })],
    ];
    let mut machines = Vec::new();
    for story in stories {
        let mut machine = ReconnectMachine::new(Policy::chat(), 9);
        let mut last = 0;
        for (at, input) in story {
            let _ = machine.handle(Timestamp::from_millis(*at), *input);
            last = *at;
        }
        machines.push((machine, last));
    }
    machines
}

/// What happens next, as long after `now` on either clock.
fn future() -> Vec<(u64, Input)> {
    vec![
        (1, Input::Received { connection: ConnectionId(1) }),
        (20, Input::Pong { connection: ConnectionId(1), ping: PingId(1) }),
        (900, Input::Timeout),
        (5000, Input::Timeout),
        (5001, Input::Release { reason: HoldReason::Offline }),
        (7000, Input::Timeout),
        (7300, Input::Closed { connection: ConnectionId(1), cause: Cause::close(1012) }),
        (7301, Input::Failed { connection: ConnectionId(2), cause: Cause::NETWORK }),
        (20_000, Input::Timeout),
        (20_001, Input::Reconnect),
    ]
}

/// The outputs as text, with points in time counted from `now`.
fn run(mut machine: ReconnectMachine, now: Timestamp) -> Vec<String> {
    let mut told = Vec::new();
    for (after, input) in future() {
        let at = now.saturating_add(Micros::from_millis(after));
        for output in machine.handle(at, input) {
            told.push(match output {
                Output::Notice(Notice::RetryScheduled(retry)) => {
                    format!("{after} retry {} {} {}", retry.attempt, retry.delay, retry.dial_at.saturating_since(now))
                }
                other @ (Output::Command(_) | Output::Notice(_)) => format!("{after} {other:?}"),
            });
        }
        let deadline = machine.deadline().map(|deadline| deadline.saturating_since(now));
        told.push(format!("{after} {:?} {deadline:?} {:?}", machine.phase(), machine.quality()));
    }
    told.push(format!("{:?}", machine.stats(now.saturating_add(Micros::from_secs(60)))));
    told
}

#[test]
fn a_restored_machine_behaves_as_the_original() {
    for (machine, last) in machines() {
        let now = Timestamp::from_millis(last + 100);
        let snapshot = machine.snapshot(now);
        let expected = run(machine.clone(), now);
        // On a clock that runs longer, and on one that has just begun.
        for clock in [Timestamp::from_millis(1_000_000), Timestamp::ZERO, now] {
            let restored = ReconnectMachine::restore(machine.policy().clone(), &snapshot, clock).unwrap();
            assert_eq!(restored.phase(), machine.phase());
            assert_eq!(run(restored, clock), expected);
        }
    }
}

#[cfg(feature = "serde")]
mod json {
    use redial::Snapshot;

    use super::*;

    #[test]
    fn json_keeps_every_bit() {
        for (machine, last) in machines() {
            let snapshot = machine.snapshot(Timestamp::from_micros(last * 1000 + 7));
            let json = serde_json::to_string(&snapshot).unwrap();
            assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), snapshot, "{json}");
        }
    }

    #[test]
    fn a_snapshot_of_no_machine_is_refused() {
        let (machine, _) = machines().swap_remove(1);
        let json = serde_json::to_value(machine.snapshot(Timestamp::from_millis(1))).unwrap();
        let changed = |path: &[&str], value: u64| {
            let mut json = json.clone();
            let mut place = &mut json;
            for key in path {
                place = &mut place[*key];
            }
            assert!(!place.is_null(), "{path:?}");
            *place = value.into();
            let snapshot: Snapshot = serde_json::from_value(json).unwrap();
            ReconnectMachine::restore(Policy::chat(), &snapshot, Timestamp::ZERO).unwrap_err().to_string()
        };
        assert!(changed(&["version"], 2).contains("version: 2 is not allowed; allowed: 1"));
        assert!(changed(&["machine", "endpoint"], 1).contains("less than endpoints, 1"));
        assert!(changed(&["machine", "lastConnection"], 0).contains("up to lastConnection, 0"));
    }
}
