//! Snapshots: a restored machine behaves as the original.

use std::num::NonZeroU32;

use redial::{
    Cause, Command, ConnectionId, DialBudget, Failover, HoldReason, Input, Jitter, Micros, Notice, Output, Phase,
    PingId, Policy, ReconnectMachine, Timestamp,
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

/// No pings, no death by one: what was sent under the policy before is not waited for any more.
#[test]
fn under_a_policy_without_pings_no_answer_is_waited_for() {
    let with = Policy::chat();
    let without = with.to_builder().health_check_interval(None).build().unwrap();
    let mut machine = ReconnectMachine::new(with.clone(), 9);
    let _ = machine.handle(Timestamp::ZERO, Input::Start);
    let _ = machine.handle(Timestamp::ZERO, Input::Opened { connection: ConnectionId(1) });
    let _ = machine.handle(Timestamp::from_millis(5000), Input::Timeout);
    let snapshot = machine.snapshot(Timestamp::from_millis(6000));
    let now = Timestamp::from_millis(100_000);

    let mut restored = ReconnectMachine::restore(without, &snapshot, now).unwrap();
    assert!(!restored.awaits_pong());
    assert_eq!(restored.deadline(), None);
    assert!(restored.handle(Timestamp::from_millis(200_000), Input::Timeout).is_empty());
    assert_eq!(restored.phase(), Phase::Open);

    let restored = ReconnectMachine::restore(with, &snapshot, now).unwrap();
    assert_eq!(restored.deadline(), Some(Timestamp::from_millis(102_000)), "with pings it goes on as it was");
}

/// Restored on a clock that stands elsewhere, the next token comes back as long after the snapshot as before.
#[test]
fn a_token_that_was_spent_is_still_spent() {
    let ms = Timestamp::from_millis;
    let budget = DialBudget { burst: 1, refill: Micros::from_secs(10) };
    let policy = Policy::builder().dial_budget(budget).build().unwrap();
    let mut machine = ReconnectMachine::new(policy.clone(), 9);
    let _ = machine.handle(ms(0), Input::Start);
    for clock in [50, 400, 1_000_000] {
        let mut restored = ReconnectMachine::restore(policy.clone(), &machine.snapshot(ms(400)), ms(clock)).unwrap();
        let _ = restored.handle(ms(clock), Input::Stop);
        let _ = restored.handle(ms(clock), Input::Reconnect);
        assert_eq!(restored.next_dial_at(), Some(ms(clock + 9600)));
    }
}

/// "A machine that goes on from a snapshot as the original would, with this policy": the schedule has come to 1.5 µs, which
/// is 2 to the nearest microsecond, halves up; from there on it doubles.
/// Three endpoints: the first has failed twice, the second was well and slow, the third is dialled.
fn healthiest() -> ReconnectMachine {
    let policy = Policy::chat().to_builder().failover(Failover::Healthiest).jitter(Jitter::None).build().unwrap();
    let mut machine = ReconnectMachine::new(policy, 9).with_endpoints(NonZeroU32::new(3).unwrap());
    let story = [
        (0, Input::Start),
        (7, Input::Failed { connection: ConnectionId(1), cause: Cause::NETWORK }),
        (1007, Input::Timeout),
        (1007, Input::Opened { connection: ConnectionId(2) }),
        (6007, Input::Timeout),
        (6119, Input::Pong { connection: ConnectionId(2), ping: PingId(1) }),
        (6500, Input::Reconnect),
        (6501, Input::Failed { connection: ConnectionId(3), cause: Cause::NETWORK }),
        (7501, Input::Timeout),
    ];
    for (at, input) in story {
        let _ = machine.handle(Timestamp::from_millis(at), input);
    }
    assert_eq!(machine.connection(), Some(ConnectionId(4)));
    machine
}

#[test]
fn endpoints_are_as_healthy_as_before() {
    let machine = healthiest();
    let now = Timestamp::from_millis(8000);
    let expected = run(machine.clone(), now);
    let known: Vec<_> = machine.stats(now).endpoints.iter().map(|known| known.failures).take(3).collect();
    assert_eq!(known, [2, 0, 0]);
    for clock in [Timestamp::from_millis(1_000_000), Timestamp::ZERO] {
        let restored = ReconnectMachine::restore(machine.policy().clone(), &machine.snapshot(now), clock).unwrap();
        assert_eq!(run(restored, clock), expected);
    }
}

#[test]
fn what_has_left_the_list_is_not_dialled_under_another_policy() {
    let mut machine = healthiest();
    let _ = machine.handle(Timestamp::from_millis(8000), Input::Endpoints { count: NonZeroU32::MIN });
    let snapshot = machine.snapshot(Timestamp::from_millis(8000));
    for failover in Failover::ALL {
        let policy = machine.policy().to_builder().failover(*failover).build().unwrap();
        let mut restored = ReconnectMachine::restore(policy, &snapshot, Timestamp::ZERO).unwrap();
        let _ = restored.handle(Timestamp::ZERO, Input::Stop);
        let dial = restored.handle(Timestamp::ZERO, Input::Start).commands().next();
        assert!(matches!(dial, Some(Command::Dial(redial::Dial { endpoint: 0, .. }))), "{failover}: {dial:?}");
    }
}

#[test]
fn a_schedule_goes_on_under_another_policy() {
    let policy = |multiplier: f64| {
        let one = Micros::from_micros(1);
        let policy = Policy::builder().jitter(Jitter::None).dial_budget(None).base_delay(one).min_delay(one);
        policy.backoff_multiplier(multiplier).build().unwrap()
    };
    let at = Timestamp::from_micros;
    let delay = |machine: &mut ReconnectMachine, now, connection| {
        let _ = machine.handle(at(now), Input::Failed { connection: ConnectionId(connection), cause: Cause::NETWORK });
        machine.next_dial_at().unwrap().saturating_since(at(now)).as_micros()
    };
    let mut machine = ReconnectMachine::new(policy(1.5), 9);
    let _ = machine.handle(at(0), Input::Start);
    assert_eq!(delay(&mut machine, 0, 1), 1);
    let mut machine = ReconnectMachine::restore(policy(2.0), &machine.snapshot(at(0)), at(0)).unwrap();
    for (n, (now, expected)) in (2..).zip([(10, 2), (20, 3), (30, 6), (40, 12)]) {
        let _ = machine.handle(at(now), Input::Timeout);
        assert_eq!(delay(&mut machine, now, n), expected);
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

    /// As it was written when nobody knew of shared budgets and of endpoints' health.
    #[test]
    fn a_snapshot_from_before_is_read() {
        let mut machine = healthiest();
        let _ = machine.handle(Timestamp::from_millis(8000), Input::Budget { wait: Micros::ZERO });
        let mut json = serde_json::to_value(machine.snapshot(Timestamp::from_millis(8000))).unwrap();
        let known = &json["machine"]["accounts"]["stats"]["endpoints"];
        let told = serde_json::json!([
            { "failures": 2, "coolingUntil": 16_501, "lastSuccess": null, "latency": null },
            { "failures": 0, "coolingUntil": null, "lastSuccess": 6500, "latency": 111.616 },
        ]);
        assert_eq!(*known, told);
        json["machine"]["bucket"].as_object_mut().unwrap().remove("shared").unwrap();
        json["machine"]["accounts"]["stats"].as_object_mut().unwrap().remove("endpoints").unwrap();
        let before: Snapshot = serde_json::from_value(json).unwrap();
        let restored = ReconnectMachine::restore(machine.policy().clone(), &before, Timestamp::ZERO).unwrap();
        assert!(machine.shares_budget() && !restored.shares_budget());
        assert!(restored.stats(Timestamp::ZERO).endpoints.is_empty());
    }

    #[test]
    fn more_endpoints_than_records_are_refused() {
        let nine = serde_json::json!([{}, {}, {}, {}, {}, {}, {}, {}, {}]);
        let error = with(&["machine", "accounts", "stats", "endpoints"], nine).unwrap_err();
        assert!(error.contains("at most 8"), "{error}");
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
        let _ = machine.handle(Timestamp::ZERO, Input::Start);
        let last = machine.snapshot(Timestamp::from_micros(1 << 53));
        let json = serde_json::to_string(&last).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), last, "2⁵³ µs keep them");

        let now = Timestamp::from_micros((1 << 53) + 500);
        let json = serde_json::to_string(&machine.snapshot(now)).unwrap();
        let snapshot: Snapshot = serde_json::from_str(&json).unwrap();
        assert!(ReconnectMachine::restore(Policy::chat(), &snapshot, now).is_ok());
    }

    /// The snapshot of a machine that waits, with one value in it replaced.
    #[allow(clippy::unwrap_used)]
    fn with(path: &[&str], value: serde_json::Value) -> Result<Snapshot, String> {
        let (machine, last) = machines().swap_remove(4);
        let mut json = serde_json::to_value(machine.snapshot(Timestamp::from_millis(last))).unwrap();
        let mut place = &mut json;
        for key in path {
            place = &mut place[*key];
        }
        assert!(!place.is_null(), "{path:?}");
        *place = value;
        serde_json::from_value(json).map_err(|error| error.to_string())
    }

    /// Milliseconds with at most three decimals, or one of the words `ever` and `never`.
    #[test]
    fn a_moment_of_another_form_is_refused() {
        for value in [serde_json::json!("sometime"), true.into(), 0.0001.into(), serde_json::Value::Null] {
            let error = with(&["machine", "now"], value.clone()).unwrap_err();
            assert!(error.contains("at most three decimals, \"ever\" or \"never\""), "{value}: {error}");
        }
        let short = with(&["machine", "accounts", "stats", "latencies"], serde_json::json!([1, 2])).unwrap_err();
        assert!(short.contains("80 counts"), "{short}");
        let error = with(&["machine", "holds"], serde_json::json!(["asleep"])).unwrap_err();
        assert!(error.contains("unknown variant `asleep`"), "{error}");
    }

    /// A moment reads as it is written, on either side of the snapshot, in whole milliseconds or not.
    #[test]
    fn a_moment_may_be_edited() {
        let due = |value: serde_json::Value| {
            let snapshot = with(&["machine", "state", "waiting", "until"], value).unwrap();
            let restored = ReconnectMachine::restore(Policy::chat(), &snapshot, Timestamp::from_millis(10)).unwrap();
            restored.deadline().map(Timestamp::as_micros)
        };
        assert_eq!(due(5.into()), Some(15_000));
        assert_eq!(due((-4).into()), Some(6000));
        assert_eq!(due((-40).into()), Some(0), "before the origin is at the origin");
        assert_eq!(due(0.25.into()), Some(10_250));
        assert_eq!(due((-0.25).into()), Some(9750));
        assert_eq!(due("ever".into()), Some(0));
        assert_eq!(due("never".into()), None);
        // Whatever is too large is the last point that is told apart.
        for huge in [i64::MAX as u64, u64::MAX, i64::MAX as u64 / 1000] {
            assert!(due(huge.into()).is_some_and(|due| due > u64::MAX / 2 - 1_000_000), "{huge}");
        }
    }

    #[test]
    fn durations_are_counted_from_the_snapshot() {
        let (machine, last) = machines().swap_remove(4);
        let json = |at| serde_json::to_value(machine.snapshot(at)).unwrap();
        let until = |json: &serde_json::Value| json["machine"]["state"]["waiting"]["until"].clone();
        let due = machine.deadline().unwrap().as_micros();
        assert_eq!(until(&json(Timestamp::from_micros(due - 5000))), 5);
        assert_eq!(until(&json(Timestamp::from_micros(due - 1500))), 1.5);
        assert_eq!(until(&json(Timestamp::from_micros(due + 1500))), -1.5);
        let taken = json(Timestamp::from_millis(last));
        assert_eq!(taken["machine"]["now"], 0);
        assert_eq!(taken["machine"]["holds"], serde_json::json!([]));
        let (held, last) = machines().swap_remove(5);
        let taken = serde_json::to_value(held.snapshot(Timestamp::from_millis(last + 7))).unwrap();
        assert_eq!(
            (taken["machine"]["now"].clone(), taken["machine"]["holds"][0].clone()),
            ((-7).into(), "offline".into())
        );
        let (idle, _) = machines().swap_remove(0);
        let taken = serde_json::to_value(idle.snapshot(Timestamp::from_millis(7))).unwrap();
        assert_eq!(
            (taken["machine"]["now"].clone(), taken["machine"]["accounts"]["since"].clone()),
            ("ever".into(), "never".into())
        );
    }
}
