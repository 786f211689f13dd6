//! Time.

use redial::{HoldReason, Input, Jitter, Micros, Notice, Output, Phase, Policy, ReconnectMachine, Timestamp};

use super::support::*;

/// One step: a connection ready for long enough becomes stable, the input is done, then what is still due fires
/// (stable, then a dead peer, then a ping). So an answer that comes with the deadline beats it, and `stop` and `hold`
/// beat a due dial.
#[test]
fn step() {
    // Stable first, then the close that comes with it: a new outage.
    let mut run = Run::open(plain());
    let lost = [
        "lost 1 after 5000 ms: close 1006",
        "open > waiting",
        "quality none > disconnected",
        "retry 1 in 1000 ms at 6000 ms",
        "stable 1",
    ];
    assert_eq!(run.says(5000, closed(1)), lost);
    // `stop` beats the due dial.
    assert_eq!(run.says(6000, Input::Stop), ["waiting > closed"]);

    // `hold` does too.
    let mut run = Run::waiting(plain());
    assert_eq!(run.says(1000, hold(HoldReason::Hidden)), ["waiting > held"]);

    // The answer beats the connect timeout; anything else does not.
    let mut run = Run::new(plain());
    run.at(0, Input::Start);
    let mut other = Run { machine: run.machine.clone() };
    assert_eq!(run.says(10_000, opened(1)), ["connecting > open", "opened 1 attempt 0 after 10000 ms"]);
    assert_eq!(other.says(10_000, Input::Busy { on: true })[0], "hang up 1: timeout");

    // A pong beats the peer's death.
    let mut run = Run::open(pinging().health_check_interval(ms(6000)));
    run.at(5000, Input::Timeout);
    assert_eq!(run.says(6000, Input::Timeout), ["ping 1 on 1"]);
    assert_eq!(
        run.says(9000, pong(1, 1)),
        ["latency 3000 ms, smoothed 3000 ms: disconnected", "quality none > disconnected"]
    );

    // Stable, death and ping at once: stable, then dead, and no ping.
    let mut run = Run::open(pinging().health_check_interval(ms(1000)).ping_timeout(ms(1000)).stable_after(ms(2000)));
    assert_eq!(run.says(1000, Input::Timeout), ["ping 1 on 1"]);
    let outputs = run.at(2000, Input::Timeout);
    assert!(matches!(outputs[0], Output::Notice(Notice::Stable { .. })), "{outputs:?}");
    assert_eq!(sentences(&outputs)[0], "hang up 1: ping timeout");
    assert!(!sentences(&outputs).iter().any(|line| line.starts_with("ping")));
}

/// After any input at `now`, the deadline is none or later than `now`.
#[test]
fn progress() {
    // A delay of zero: the dial is made in the same step, and the deadline is its timeout.
    let mut run = Run::new(plain().base_delay(ms(0)).max_delay(ms(0)));
    run.at(0, Input::Start);
    assert_eq!(run.says(5, failed(1))[0], "dial 2 attempt 1");
    assert_eq!(run.due(), Some(10_005_000));
    // A stable time of zero: stable at once, no deadline left.
    let mut run = Run::new(plain().stable_after(ms(0)));
    run.at(0, Input::Start);
    assert_eq!(run.says(3, opened(1)), ["connecting > open", "opened 1 attempt 0 after 3 ms", "stable 1"]);
    assert_eq!(run.due(), None);

    walk(
        4000,
        || (),
        |(), step| {
            assert!(step.after.deadline().is_none_or(|due| due > step.now), "{:?} at {:?}", step.input, step.now);
        },
    );
}

/// A timeout before the deadline changes nothing; at the deadline something changes.
#[test]
fn no_early_effect() {
    let mut run = Run::new(plain().stable_after(ms(1000)));
    run.at(0, Input::Start);
    assert_eq!(run.falls_due(10_000)[0], "hang up 1: timeout");
    assert_eq!(run.falls_due(11_000)[0], "dial 2 attempt 1");
    run.at(11_000, opened(2));
    assert_eq!(run.falls_due(12_000), ["stable 2"]);
    assert_eq!(run.due(), None);

    walk(
        3000,
        || (),
        |(), step| {
            let Some(due) = step.after.deadline() else { return };
            let mut early = step.after.clone();
            assert!(early.handle(Timestamp::from_micros(due.as_micros() - 1), Input::Timeout).is_empty());
            assert_eq!(early.deadline(), Some(due));
            assert_eq!(early.stats(due), step.after.stats(due));
            let mut never_told = step.after.clone();
            let outputs = early.handle(due, Input::Timeout);
            assert_eq!(outputs, never_told.handle(due, Input::Timeout));
            assert_eq!(early, never_told, "the early timeout left a trace");
            assert!(!outputs.is_empty() || early.deadline() != Some(due), "nothing came of a deadline");
        },
    );
}

/// An earlier `now` acts as the latest one seen; any `now`, however large, is handled without panic.
#[test]
fn time_never_rewinds() {
    let mut run = Run::new(plain());
    run.at(1000, Input::Start);
    let waits = [
        "attempt 0 (1) failed: network failure",
        "connecting > waiting",
        "quality none > disconnected",
        "retry 1 in 1000 ms at 2000 ms",
    ];
    assert_eq!(run.says(400, failed(1)), waits);
    assert_eq!(run.due(), Some(2_000_000));
    assert_eq!(run.machine.stats(Timestamp::ZERO).rewound_inputs, 1);

    for huge in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1, (1 << 63) - 2] {
        for policy in policies() {
            let mut machine = ReconnectMachine::new(policy, 7);
            let _ = machine.handle(Timestamp::ZERO, Input::Start);
            for input in [Input::Timeout, opened(1), opened(2), Input::Timeout, Input::Reconnect, Input::Stop] {
                let _ = machine.handle(Timestamp::from_micros(huge), input);
                let _ = (machine.deadline(), machine.stats(Timestamp::from_micros(huge)));
            }
            assert_eq!(machine.phase(), Phase::Closed);
        }
    }
}

/// However late a timeout is handled, at most one dial follows from it.
#[test]
fn one_dial_after_a_jump() {
    const YEAR: u64 = 31_536_000_000;
    let mut run = Run::waiting(plain());
    assert_eq!(run.says(YEAR, Input::Timeout), ["dial 2 attempt 1", "waiting > connecting"]);
    assert_eq!(run.due(), Some((YEAR + 10_000) * 1000));
    // A late dial that failed, with delays of zero: one dial again, not one for each timeout that was missed.
    let mut run = Run::new(plain().base_delay(ms(0)).max_delay(ms(0)));
    run.at(0, Input::Start);
    assert_eq!(dials(&run.at(YEAR, Input::Timeout)), 1);

    walk(4000, || (), |(), step| assert!(dials(step.outputs) <= 1, "{:?}", step.outputs));
}

/// A timeout later than the earliest deadline by more than `wakeGap` never itself ends an open connection: it sends a
/// new ping in place of an unanswered one and waits `pingTimeout` from then; while waiting it dials at once. A dial or
/// handshake whose timeout comes late has failed all the same.
#[test]
fn wake_is_not_loss() {
    let mut run = Run::open(pinging());
    assert_eq!(run.says(5000, Input::Timeout), ["ping 1 on 1", "stable 1"]);
    let mut on_time = Run { machine: run.machine.clone() };
    // The earliest deadline is the death at 8000: 10 s later is just too late, more than that is sleep.
    assert_eq!(on_time.says(18_000, Input::Timeout)[0], "hang up 1: ping timeout");
    assert_eq!(run.says_micros(18_000_001, Input::Timeout), ["ping 2 on 1"]);
    // The old ping is no more: its answer is mere traffic.
    assert_eq!(run.due(), Some(21_000_001));
    assert_eq!(run.says(19_000, pong(1, 1)), [""; 0]);
    assert_eq!(run.due(), Some(22_000_000));
    assert_eq!(run.falls_due(22_000)[0], "hang up 1: ping timeout");

    let mut run = Run::waiting(plain());
    assert_eq!(run.says_micros(11_000_001, Input::Timeout), ["dial 2 attempt 1", "waiting > connecting"]);
    assert_eq!(run.says(100_000, Input::Timeout)[0], "hang up 2: timeout");
    let mut run = Run::new(plain().ready_timeout(ms(1000)));
    run.at(0, Input::Start);
    assert_eq!(run.says(0, opened(1)), ["connecting > handshaking"]);
    assert_eq!(run.says(100_000, Input::Timeout)[0], "hang up 1: timeout");
}

/// Adding a constant to all times adds it to all outputs.
#[test]
fn shift_invariance() {
    for by in [1, 1_234_567, 1 << 60] {
        let by = Micros::from_micros(by);
        let shifted = |output: &Output| {
            let mut output = *output;
            if let Output::Notice(Notice::RetryScheduled(scheduled)) = &mut output {
                scheduled.dial_at = scheduled.dial_at.saturating_add(by);
            }
            output
        };
        walk(
            1500,
            || None,
            |other: &mut Option<ReconnectMachine>, step| {
                let other = other.get_or_insert_with(|| step.before.clone());
                let outputs: Vec<Output> = other.handle(step.now.saturating_add(by), step.input).into_iter().collect();
                assert_eq!(outputs, step.outputs.iter().map(shifted).collect::<Vec<_>>());
                assert_eq!(other.deadline(), step.after.deadline().map(|due| due.saturating_add(by)));
            },
        );
    }
}

/// Same policy, seed and inputs, same outputs, bit for bit, on every platform.
#[test]
fn replay() {
    let delays = |policy: Policy, seed| {
        let mut machine = ReconnectMachine::new(policy, seed);
        let _ = machine.handle(Timestamp::ZERO, Input::Start);
        [(); 4].map(|()| {
            // The dial times out, its retry is scheduled, and then made.
            let now = machine.deadline().unwrap();
            let _ = machine.handle(now, Input::Timeout);
            let dial_at = machine.next_dial_at().unwrap();
            let _ = machine.handle(dial_at, Input::Timeout);
            dial_at.saturating_since(now).as_micros()
        })
    };
    let policy = |jitter| Policy::builder().jitter(jitter).build().unwrap();
    // Literal draws: another platform, or another order of draws, would show.
    assert_eq!(delays(policy(Jitter::Full), 7), [450_847, 131_897, 3_612_967, 2_956_359]);
    assert_eq!(delays(policy(Jitter::Decorrelated), 7), [1_779_659, 1_067_153, 2_982_988, 3_331_721]);
    assert_ne!(delays(policy(Jitter::Full), 7), delays(policy(Jitter::Full), 8));

    walk(
        1500,
        || None,
        |twin: &mut Option<ReconnectMachine>, step| {
            let twin = twin.get_or_insert_with(|| step.before.clone());
            assert_eq!(twin.handle(step.now, step.input).into_iter().collect::<Vec<_>>(), step.outputs);
            assert_eq!(twin, step.after);
        },
    );
}

/// A machine restored from its snapshot behaves as the original: snapshots hold remaining durations, not times.
#[test]
fn snapshot() {
    // Taken at 400 with 600 to go; restored on a clock that stands at 50: due at 650.
    let run = Run::waiting(plain());
    let snapshot = run.machine.snapshot(Timestamp::from_millis(400));
    let policy = run.machine.policy().clone();
    let mut run = Run { machine: ReconnectMachine::restore(policy, &snapshot, Timestamp::from_millis(50)).unwrap() };
    assert_eq!(run.machine.phase(), Phase::Waiting);
    assert_eq!(run.falls_due(650), ["dial 2 attempt 1", "waiting > connecting"]);
    // The retry count and the ids went along.
    assert_eq!(run.at(650, failed(2)).len(), 3);
    assert_eq!(run.falls_due(2650), ["dial 3 attempt 2", "waiting > connecting"]);

    walk(
        1500,
        || (),
        |(), step| {
            let at = step.now;
            let taken = step.after.snapshot(at);
            let restored = ReconnectMachine::restore(step.after.policy().clone(), &taken, at).unwrap();
            assert_eq!(&restored, step.after);
            // On a clock that is a minute ahead, all of it comes a minute later.
            let ahead = |at: Timestamp| at.saturating_add(ms(60_000));
            let other = ReconnectMachine::restore(step.after.policy().clone(), &taken, ahead(at)).unwrap();
            assert_eq!(other.deadline(), step.after.deadline().map(ahead));
            assert_eq!(other.stats(ahead(at)), step.after.stats(at));
        },
    );
}
