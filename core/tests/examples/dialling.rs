//! Dialling.

use std::num::NonZeroU32;

use redial::{
    Cause, Command, ConnectionId, DialBudget, Failover, HoldReason, Input, Micros, Output, Phase, SharedBudget,
    Timestamp,
};

use super::support::*;

/// From `dial` until that connection failed, closed or was hung up there is no other dial. A dial or handshake that
/// times out is hung up and is an `attemptFailed` with cause `timeout`.
#[test]
fn single_flight() {
    let mut run = Run::new(plain().ready_timeout(ms(2000)));
    assert_eq!(run.says(0, Input::Start), ["dial 1 attempt 0", "idle > connecting"]);
    assert_eq!(run.says(5, Input::Start), [""; 0]);
    assert_eq!(run.says(5, Input::Reconnect), [""; 0]);
    let timed_out = [
        "hang up 1: timeout",
        "attempt 0 (1) failed: timeout",
        "connecting > waiting",
        "quality none > disconnected",
        "retry 1 in 1000 ms at 11000 ms",
    ];
    assert_eq!(run.falls_due(10_000), timed_out);
    run.falls_due(11_000);
    assert_eq!(run.says(11_500, opened(2)), ["connecting > handshaking"]);
    assert_eq!(run.says(11_500, Input::Reconnect), [""; 0]);
    let timed_out = [
        "hang up 2: timeout",
        "attempt 1 (2) failed: timeout",
        "handshaking > waiting",
        "retry 2 in 2000 ms at 15500 ms",
    ];
    assert_eq!(run.falls_due(13_500), timed_out);

    walk(
        5000,
        || None,
        |live: &mut Option<ConnectionId>, step| {
            if let Input::Failed { connection, .. } | Input::Closed { connection, .. } = step.input
                && *live == Some(connection)
            {
                *live = None;
            }
            for output in step.outputs {
                match output {
                    Output::Command(Command::Dial(dial)) => {
                        assert_eq!(*live, None, "{:?}", step.outputs);
                        *live = Some(dial.connection);
                    }
                    Output::Command(Command::HangUp { connection, .. }) => {
                        assert_eq!(*live, Some(*connection));
                        *live = None;
                    }
                    Output::Command(Command::Ping { connection, .. }) => assert_eq!(*live, Some(*connection)),
                    Output::Notice(_) => {}
                }
            }
            assert_eq!(*live, step.after.connection());
        },
    );
}

/// An input with another connection's id changes only a counter.
#[test]
fn stale_is_silent() {
    let mut run = Run::waiting(plain());
    run.at(1000, Input::Timeout);
    run.at(1200, opened(2));
    let ready = Input::Ready { connection: ConnectionId(1) };
    for (n, input) in
        [opened(1), ready, failed(1), closed(1), received(1), pong(1, 1), closed(3)].into_iter().enumerate()
    {
        assert_eq!(run.says(1300, input), [""; 0], "{input:?}");
        assert_eq!(run.machine.stats(Timestamp::from_millis(1300)).stale_inputs, n as u64 + 1);
    }
    assert_eq!((run.machine.phase(), run.due()), (Phase::Open, Some(6_200_000)));
    // Hung up is stale at once.
    run.at(1400, Input::Reconnect);
    assert_eq!(run.says(1400, closed(2)), [""; 0]);
    assert_eq!(run.machine.connection(), Some(ConnectionId(3)));
}

/// In idle, closed and failed there is no deadline and no output until `start` or `reconnect`, and only these ever
/// leave them.
#[test]
fn terminal_is_quiet() {
    let idle = Run::new(plain());
    let mut closed_run = Run::open(plain());
    closed_run.at(1, Input::Stop);
    let mut failed_run = Run::new(plain().max_attempts(0));
    failed_run.at(0, Input::Start);
    failed_run.at(1, failed(1));
    for (mut run, phase) in [(idle, Phase::Idle), (closed_run, Phase::Closed), (failed_run, Phase::Failed)] {
        let offline = HoldReason::Offline;
        let inputs = [hold(offline), release(offline), closed(1), opened(2), hint(5), Input::Stop, Input::Timeout];
        for input in inputs.into_iter().chain([Input::Busy { on: true }, Input::Busy { on: false }]) {
            assert_eq!(run.says(100_000, input), [""; 0], "{input:?} in {phase}");
            assert_eq!((run.machine.phase(), run.due()), (phase, None));
        }
        // A hold that began there is remembered.
        run.at(100_000, hold(offline));
        assert_eq!(run.says(100_001, Input::Start), [format!("{phase} > held")]);
    }

    walk(
        4000,
        || (),
        |(), step| {
            if step.after.phase().is_terminal() {
                assert_eq!(step.after.deadline(), None);
            }
            if step.before.phase().is_terminal() && !matches!(step.input, Input::Start | Input::Reconnect) {
                assert_eq!((step.outputs, step.after.phase()), (&[][..], step.before.phase()));
            }
        },
    );
}

/// In any other phase there is a deadline, an unanswered dial, a hold, or an open connection, which has a deadline too
/// unless health checks are off and it is stable.
#[test]
fn never_stuck() {
    let mut run = Run::open(plain());
    assert_eq!(run.falls_due(5000), ["stable 1"]);
    assert_eq!(run.due(), None, "stable, and no health checks");
    let mut run = Run::open(pinging());
    run.at(5000, Input::Timeout);
    assert_eq!(run.due(), Some(8_000_000));

    walk(
        4000,
        || (),
        |(), step| {
            let machine = step.after;
            let alive = match machine.phase() {
                Phase::Idle | Phase::Closed | Phase::Failed => true,
                Phase::Held => !machine.holds().is_empty(),
                Phase::Open => machine.deadline().is_some() || machine.policy().health_check_interval().is_none(),
                Phase::Connecting | Phase::Handshaking | Phase::Waiting => machine.deadline().is_some(),
            };
            assert!(alive, "stuck in {} after {:?}", machine.phase(), step.input);
        },
    );
}

/// After `stop` no dial follows; from any phase but idle, closed and failed, where it changes nothing, the connection
/// is hung up with cause `user` and the phase is closed.
#[test]
fn stop_wins() {
    let mut run = Run::new(plain());
    assert_eq!(run.says(0, Input::Stop), [""; 0]);
    run.at(0, Input::Start);
    assert_eq!(run.says(10, Input::Stop), ["hang up 1: asked by the user", "connecting > closed"]);
    let mut run = Run::new(plain().ready_timeout(ms(2000)));
    run.at(0, Input::Start);
    run.at(0, opened(1));
    assert_eq!(run.says(10, Input::Stop), ["hang up 1: asked by the user", "handshaking > closed"]);
    let mut run = Run::open(plain());
    let stopped = [
        "hang up 1: asked by the user",
        "lost 1 after 10 ms: asked by the user",
        "open > closed",
        "quality none > disconnected",
    ];
    assert_eq!(run.says(10, Input::Stop), stopped);
    // Exactly when the dial is due.
    let mut run = Run::waiting(plain());
    assert_eq!(run.says(1000, Input::Stop), ["waiting > closed"]);
    let mut run = Run::waiting(plain());
    run.at(1, hold(HoldReason::Idle));
    assert_eq!(run.says(2, Input::Stop), ["held > closed"]);
    assert_eq!(run.says(3, release(HoldReason::Idle)), [""; 0]);

    walk(
        3000,
        || (),
        |(), step| {
            if matches!(step.input, Input::Stop) {
                assert!(step.after.phase().is_terminal());
                assert_eq!(dials(step.outputs), 0);
            }
        },
    );
}

/// `start` acts in idle, closed and failed only. `reconnect` while idle, waiting, held, closed or failed dials in the
/// same step if the budget has a token, begins a new outage, and while open hangs up the old connection first; while
/// connecting or handshaking it does nothing.
#[test]
fn manual_is_immediate() {
    let mut run = Run::waiting(plain());
    assert_eq!(run.says(1, Input::Start), [""; 0]);
    assert_eq!(run.says(2, Input::Reconnect), ["dial 2 attempt 0", "waiting > connecting"]);
    assert_eq!(run.says(3, Input::Reconnect), [""; 0]);
    // A new outage: downtime counts from the reconnect.
    let opens = ["connecting > open", "opened 2 attempt 0 after 8 ms", "quality disconnected > none"];
    assert_eq!(run.says(10, opened(2)), opens);
    let again = [
        "hang up 2: asked by the user",
        "dial 3 attempt 0",
        "lost 2 after 10 ms: asked by the user",
        "open > connecting",
        "quality none > disconnected",
    ];
    assert_eq!(run.says(20, Input::Reconnect), again);
    run.at(21, Input::Stop);
    assert_eq!(run.says(22, Input::Reconnect), ["dial 4 attempt 0", "closed > connecting"]);
    assert_eq!(Run::new(plain()).says(0, Input::Reconnect), ["dial 1 attempt 0", "idle > connecting"]);
    let mut run = Run::new(plain().max_attempts(0));
    run.at(0, Input::Start);
    run.at(0, failed(1));
    assert_eq!(run.says(1, Input::Reconnect), ["dial 2 attempt 0", "failed > connecting"]);

    // Without a token it waits for one, as attempt 0.
    let mut run = Run::new(plain().dial_budget(DialBudget { burst: 1, refill: ms(1000) }));
    run.at(0, Input::Start);
    run.at(100, failed(1));
    assert_eq!(run.says(400, Input::Reconnect), ["retry 0 in 600 ms at 1000 ms"]);
    assert_eq!(run.falls_due(1000), ["dial 2 attempt 0", "waiting > connecting"]);
}

/// While any hold stands no automatic dial starts and no attempt is used up; an open connection stays; `offline` while
/// open sends a ping at once, unless one is unanswered.
#[test]
fn holds_hold() {
    let (off, offline) = (HoldReason::AutoReconnectOff, HoldReason::Offline);
    let (hidden, idle) = (HoldReason::Hidden, HoldReason::Idle);
    // `autoReconnectOff` holds retries only.
    let mut run = Run::new(plain().auto_reconnect(false));
    assert_eq!(run.says(0, Input::Start), ["dial 1 attempt 0", "idle > connecting"]);
    assert_eq!(run.at(0, failed(1)).len(), 3);
    assert_eq!((run.machine.phase(), run.due()), (Phase::Held, None));
    // A dial still to come keeps its time; one that was due in the meantime is made at once.
    assert_eq!(run.says(400, release(off)), ["held > waiting", "retry 1 in 600 ms at 1000 ms"]);
    assert_eq!(run.says(500, hold(hidden)), ["waiting > held"]);
    assert_eq!(run.says(600, hold(idle)), [""; 0]);
    assert_eq!(run.says(50_000, release(hidden)), [""; 0]);
    assert_eq!(run.says(50_000, release(idle)), ["dial 2 attempt 1", "held > connecting"]);

    // The others hold the dial of `start` too; `reconnect` passes them all, once.
    let mut run = Run::new(plain());
    run.at(0, hold(hidden));
    assert_eq!(run.says(1, Input::Start), ["idle > held"]);
    assert_eq!(run.says(2, Input::Reconnect), ["dial 1 attempt 0", "held > connecting"]);
    assert!(run.says(3, failed(1)).contains(&"connecting > held".into()));

    // After `offline` a due dial is spread over [0, onlineSpread].
    let mut run = Run::waiting(plain());
    run.at(1, hold(offline));
    let back = scheduled(&run.at(2000, release(offline)));
    assert!(back.delay <= ms(1000) && back.attempt == 1, "{back:?}");
    // Not one still to come, and not where `offline` was not the last hold to end.
    let mut run = Run::waiting(plain());
    run.at(1, hold(offline));
    assert_eq!(run.says(999, release(offline)), ["held > waiting", "retry 1 in 1 ms at 1000 ms"]);
    run.at(999, hold(offline));
    run.at(999, hold(idle));
    run.at(2000, release(offline));
    assert_eq!(run.says(2000, release(idle)), ["dial 2 attempt 1", "held > connecting"]);

    // Open stays, and is probed at once.
    let mut run = Run::open(pinging());
    assert_eq!(run.says(100, hold(offline)), ["ping 1 on 1"]);
    assert_eq!(run.says(200, release(offline)), [""; 0]);
    assert_eq!(run.says(200, hold(offline)), [""; 0], "the unanswered ping is the probe");
    assert_eq!(run.says(200, hold(hidden)), [""; 0]);
    assert_eq!(run.machine.phase(), Phase::Open);
    assert_eq!(run.falls_due(3100)[0], "hang up 1: ping timeout");

    walk(
        4000,
        || (),
        |(), step| {
            if !step.after.holds().is_empty() && !matches!(step.input, Input::Start | Input::Reconnect) {
                // Only a dial by hand that waits for its token passes a hold.
                assert!(dials(step.outputs) == 0 || step.before.attempt() == 0, "{:?}", step.outputs);
            }
        },
    );
}

/// Ordered: a failed dial or an unstable connection moves on to the next endpoint; a stable one, `start` and
/// `reconnect` go back to the first. Round robin: every dial takes the next.
#[test]
fn failover() {
    let mut run = Run::endpoints(plain(), 2);
    assert_eq!(run.says(0, Input::Start)[0], "dial 1 attempt 0");
    run.at(0, failed(1));
    assert_eq!(run.falls_due(1000)[0], "dial 2 attempt 1 at endpoint 1");
    run.at(1000, failed(2));
    assert_eq!(run.falls_due(3000)[0], "dial 3 attempt 2", "after the last, the first");
    // A microsecond short of stable: on to the next.
    run.at(3000, opened(3));
    run.at_micros(7_999_999, closed(3));
    run.at(20_000, Input::Timeout);
    assert_eq!(run.machine.connection(), Some(ConnectionId(4)));
    run.at(20_000, opened(4));
    run.at(40_000, closed_by(4, Cause::close(1012)));
    assert_eq!(run.falls_due(41_000)[0], "dial 5 attempt 1", "a stable one goes back");
    run.at(41_000, failed(5));
    assert_eq!(run.says(41_001, Input::Reconnect)[0], "dial 6 attempt 0");

    let mut run = Run::endpoints(plain().failover(Failover::RoundRobin), 2);
    assert_eq!(run.says(0, Input::Start)[0], "dial 1 attempt 0");
    run.at(0, opened(1));
    run.at(9000, closed(1));
    assert_eq!(run.falls_due(10_000)[0], "dial 2 attempt 1 at endpoint 1");
    run.at(10_000, Input::Stop);
    assert_eq!(run.says(10_000, Input::Start)[0], "dial 3 attempt 0");
}

/// The list of endpoints changes while a retry waits, and while a connection lives: what would be out of range is the first.
#[test]
fn endpoints_come_and_go() {
    let endpoints = |count| Input::Endpoints { count: NonZeroU32::new(count).unwrap() };
    let mut run = Run::endpoints(plain().failover(Failover::RoundRobin), 3);
    run.at(0, Input::Start);
    run.at(0, failed(1));
    assert_eq!(run.machine.endpoints().get(), 3);
    assert_eq!(run.says(500, endpoints(2)), [""; 0]);
    assert_eq!((run.machine.endpoints().get(), run.due()), (2, Some(1_000_000)));
    assert_eq!(run.falls_due(1000)[0], "dial 2 attempt 1 at endpoint 1");
    run.at(1000, endpoints(7));
    run.at(1000, failed(2));
    assert_eq!(run.falls_due(3000)[0], "dial 3 attempt 2", "the next was the first when there were two");

    // Ordered, on the last of three, of which two remain: neither the second nor the third.
    let mut run = Run::endpoints(plain(), 3);
    run.at(0, Input::Start);
    run.at(0, failed(1));
    run.at(1000, Input::Timeout);
    run.at(1000, failed(2));
    assert_eq!(run.falls_due(3000)[0], "dial 3 attempt 2 at endpoint 2");
    assert_eq!(run.says(3000, endpoints(2)), [""; 0]);
    run.at(3000, failed(3));
    assert_eq!(run.falls_due(7000)[0], "dial 4 attempt 3");
}

/// From the first `budget` on, a step makes no dial but one that was waiting and due when it began; any other, of `start` and
/// `reconnect` too, waits for 1 µs at least. `budget` moves a dial that waits, never sooner, and uses up no attempt. Machines
/// that ask one budget make at most burst + w/refill dials in any span w.
#[test]
fn shared_budget() {
    let budget = |wait| Input::Budget { wait: ms(wait) };
    let mut run = Run::new(plain().base_delay(ms(0)).min_delay(ms(0)).max_delay(ms(0)));
    assert_eq!(run.says(0, budget(0)), [""; 0]);
    assert!(run.machine.shares_budget());
    assert_eq!(run.says(0, Input::Start), ["idle > waiting", "retry 0 in 0.001 ms at 0.001 ms"]);
    assert_eq!(run.says_micros(1, Input::Timeout)[0], "dial 1 attempt 0");
    // A delay of 0 is one of a microsecond.
    assert_eq!(scheduled(&run.at(5, failed(1))).delay, Micros::from_micros(1));
    assert_eq!(run.says(6, budget(10)), ["retry 1 in 10 ms at 16 ms"], "late, and put off all the same");
    assert_eq!(run.says(8, budget(8)), [""; 0], "no sooner, no later");
    assert_eq!(scheduled(&run.at(16, budget(4))).budget, ms(4));
    assert_eq!(run.falls_due(20)[0], "dial 2 attempt 1");
    run.at(20, opened(2));
    assert_eq!(run.says(20, budget(5)), [""; 0]);
    let outputs = run.at(30, Input::Reconnect);
    assert_eq!((dials(&outputs), scheduled(&outputs).attempt), (0, 0));
    // The dial that is due is not the one that is asked for.
    assert_eq!(dials(&run.at(31, Input::Reconnect)), 0);
    assert_eq!(run.says_micros(31_001, Input::Timeout)[0], "dial 3 attempt 0");

    // Three machines lose their server at once; two tokens, and one more each 10 ms.
    let mut shared = SharedBudget::new(DialBudget { burst: 2, refill: ms(10) });
    let mut runs = [(); 3].map(|()| Run::new(plain()));
    let mut dialled = Vec::new();
    for run in &mut runs {
        run.at(0, budget(0));
        run.at(0, Input::Start);
    }
    let mut turns = [None; 3];
    for (now, client) in [(1, 0), (1, 1), (1, 2), (10_001, 2)] {
        turns[client] = shared.take(Timestamp::from_micros(now), turns[client]).err();
        let input = match turns[client] {
            None => Input::Timeout,
            Some(turn) => Input::Budget { wait: turn.at().saturating_since(Timestamp::from_micros(now)) },
        };
        dialled.extend(vec![(client, now); dials(&runs[client].at_micros(now, input))]);
    }
    assert_eq!(dialled, [(0, 1), (1, 1), (2, 10_001)]);
}
