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

#[test]
fn a_policy_without_pings_goes_on_from_one_with_them_and_back() {
    let with = Policy::chat();
    let without = with.to_builder().health_check_interval(None).build().unwrap();
    let open = |policy: &Policy| {
        let mut machine = ReconnectMachine::new(policy.clone(), 9);
        let _ = machine.handle(Timestamp::ZERO, Input::Start);
        let _ = machine.handle(Timestamp::ZERO, Input::Opened { connection: ConnectionId(1) });
        let _ = machine.handle(Timestamp::from_millis(5000), Input::Timeout);
        let _ =
            machine.handle(Timestamp::from_millis(5000), Input::Pong { connection: ConnectionId(1), ping: PingId(1) });
        machine.snapshot(Timestamp::from_millis(6000))
    };
    let now = Timestamp::from_millis(100_000);

    let mut machine = ReconnectMachine::restore(without.clone(), &open(&with), now).unwrap();
    assert_eq!(machine.deadline(), None);
    assert!(machine.handle(Timestamp::from_millis(200_000), Input::Timeout).is_empty());

    let machine = ReconnectMachine::restore(with.clone(), &open(&without), now).unwrap();
    assert_eq!(machine.deadline(), Some(Timestamp::from_millis(105_000)));

    let machine = ReconnectMachine::restore(with.clone(), &open(&with), now).unwrap();
    assert_eq!(machine.deadline(), Some(Timestamp::from_millis(104_000)), "the same policy keeps its time");
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
        let changed = |path: &[&str], value: &str| {
            let mut json = json.clone();
            let mut place = &mut json;
            for key in path {
                place = &mut place[*key];
            }
            assert!(!place.is_null(), "{path:?}");
            *place = serde_json::from_str(value).unwrap();
            let snapshot: Snapshot = serde_json::from_value(json).unwrap();
            ReconnectMachine::restore(Policy::chat(), &snapshot, Timestamp::ZERO).unwrap_err().to_string()
        };
        assert!(changed(&["version"], "2").contains("version: 2 is not allowed; allowed: 1"));
        assert!(changed(&["machine", "endpoint"], "1").contains("less than endpoints, 1"));
        assert!(changed(&["machine", "lastConnection"], "0").contains("up to lastConnection, 0"));
        for time in ["\"never\"", "0.001"] {
            assert!(changed(&["machine", "now"], time).contains("snapshot key now: a time after the snapshot"));
            assert!(
                changed(&["machine", "bucket", "countedAt"], time).contains("snapshot key countedAt: a time after")
            );
        }
    }

    #[test]
    fn a_time_too_far_for_its_microseconds_goes_without_them() {
        let mut machine = ReconnectMachine::new(Policy::chat(), 9);
        let _ = machine.handle(Timestamp::from_micros(1), Input::Start);
        let now = Timestamp::from_micros((1 << 53) + 500);
        let json = serde_json::to_string(&machine.snapshot(now)).unwrap();
        let snapshot: Snapshot = serde_json::from_str(&json).unwrap();
        assert!(ReconnectMachine::restore(Policy::chat(), &snapshot, now).is_ok());
    }
}
