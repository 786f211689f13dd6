//! Accounts, and what the machine takes up.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::num::NonZeroU32;

use redial::{
    Backoff, Cause, Command, Failover, HoldReason, Input, Micros, Notice, Output, Outputs, ReconnectMachine, Stats,
    Timestamp,
};

use super::support::*;

/// By phase: uptime open; held; idle = idle, closed, failed; downtime = the rest; together the time since the first
/// input. Success rate = retries that opened / retries dialled.
#[test]
fn time_adds_up() {
    let mut run = Run::new(plain());
    run.at(100, hold(HoldReason::Hidden)); // the first input: idle from here
    run.at(300, Input::Start); // held
    run.at(1000, release(HoldReason::Hidden)); // connecting
    run.at(1500, failed(1)); // waiting
    run.at(2500, Input::Timeout); // connecting
    run.at(2600, opened(2)); // open
    run.at(10_600, closed(2)); // stable by then; waiting
    run.at(11_600, Input::Timeout); // connecting
    run.at(11_700, failed(3)); // waiting
    run.at(12_000, Input::Stop); // closed
    let stats = run.machine.stats(Timestamp::from_millis(15_000));
    assert_eq!(stats.idle, ms(200 + 3000));
    assert_eq!(stats.held, ms(700));
    assert_eq!(stats.uptime, ms(8000));
    assert_eq!(stats.downtime, ms(500 + 1000 + 100 + 1000 + 100 + 300));
    assert_eq!((stats.dials, stats.retries, stats.retries_opened), (3, 2, 1));
    assert_eq!(stats.success_rate(), Some(0.5));
    assert_eq!(Run::new(plain()).machine.stats(Timestamp::ZERO).success_rate(), None);

    walk(
        4000,
        || None,
        |first: &mut Option<Timestamp>, step| {
            let first = *first.get_or_insert(step.now);
            let stats = step.after.stats(step.now);
            let sum = [stats.uptime, stats.downtime, stats.held, stats.idle].map(redial::Micros::as_micros);
            assert_eq!(sum.iter().sum::<u64>(), step.now.saturating_since(first).as_micros());
        },
    );
}

/// A connection that was ready ends with exactly one `lost`, one that was not with exactly one `attemptFailed`, except
/// when `stop` withdraws it: then only `hangUp`. A ping timeout is `hangUp` and `lost`. After `hangUp` the id is stale.
/// `failed` and `closed` both end the connection they name, in whatever phase.
#[test]
fn one_end() {
    let ends = |lines: Vec<String>| {
        lines.into_iter().filter(|line| line.contains(" failed: ") || line.starts_with("lost")).collect::<Vec<_>>()
    };
    // `closed` while connecting, `failed` while open.
    let mut run = Run::new(plain());
    run.at(0, Input::Start);
    assert_eq!(ends(run.says(5, closed(1))), ["attempt 0 (1) failed: close 1006"]);
    assert_eq!(ends(run.says(5, failed(1))), [""; 0]);
    let mut run = Run::open(plain());
    assert_eq!(ends(run.says(5, failed(1))), ["lost 1 after 5 ms: network failure"]);
    assert_eq!(ends(run.says(5, closed(1))), [""; 0]);
    // Open but not ready.
    let mut run = Run::new(plain().ready_timeout(ms(1000)));
    run.at(0, Input::Start);
    run.at(0, opened(1));
    assert_eq!(ends(run.says(5, closed(1))), ["attempt 0 (1) failed: close 1006"]);
    // A ping timeout: hung up, lost, and then stale.
    let mut run = Run::open(pinging());
    run.at(5000, Input::Timeout);
    assert_eq!(ends(run.says(8000, Input::Timeout)), ["lost 1 after 8000 ms: ping timeout"]);
    assert_eq!(run.says(8000, closed(1)), [""; 0]);
    // What else does not fit the phase is only counted.
    let mut run = Run::open(plain());
    assert_eq!(run.says(5, opened(1)), [""; 0]);
    assert_eq!(run.machine.stats(Timestamp::from_millis(5)).misplaced_inputs, 1);

    // By connection: was it ready, and how many ends were told.
    walk(4000, BTreeMap::<u64, (bool, u32)>::new, |ends, step| {
        for output in step.outputs {
            match output {
                Output::Command(Command::Dial(dial)) => {
                    assert_eq!(ends.insert(dial.connection.0, (false, 0)), None, "an id was reused");
                }
                Output::Notice(Notice::Opened { connection, .. }) => {
                    ends.get_mut(&connection.0).unwrap().0 = true;
                }
                Output::Notice(Notice::Lost { connection, .. }) => {
                    let end = ends.get_mut(&connection.0).unwrap();
                    end.1 += 1;
                    assert!(end.0, "lost without having been ready");
                }
                Output::Notice(Notice::AttemptFailed { connection, .. }) => {
                    let end = ends.get_mut(&connection.0).unwrap();
                    end.1 += 1;
                    assert!(!end.0, "ready and yet an attemptFailed");
                }
                Output::Command(_) | Output::Notice(_) => {}
            }
        }
        let Some(was) = step.before.connection() else { return };
        let (ready, told) = ends[&was.0];
        let withdrawn = matches!(step.input, Input::Stop) && !ready;
        let over = step.after.connection() != Some(was);
        // A dial that is due and times out before `stop` comes would be told; `stop` comes first.
        assert_eq!(told, u32::from(over && !withdrawn), "{was}: {:?}", step.outputs);
    });
}

/// One step has at most eight outputs, and there is a step that has them all.
#[test]
fn outputs_fit() {
    // Stable and dead at once, and the delay is zero.
    let hasty = plain().base_delay(ms(0)).max_delay(ms(0)).stable_after(ms(2000));
    let mut run = Run::open(hasty.health_check_interval(ms(1000)).ping_timeout(ms(1000)));
    run.at(1000, Input::Timeout);
    let all = [
        "hang up 1: ping timeout",
        "dial 2 attempt 1",
        "lost 1 after 2000 ms: ping timeout",
        "open > waiting",
        "quality none > disconnected",
        "retry 1 in 0 ms at 2000 ms",
        "stable 1",
        "waiting > connecting",
    ];
    assert_eq!(run.says(2000, Input::Timeout), all);
    assert_eq!(Outputs::CAPACITY, 8);

    // Where there were more, the machine's debug_assert would say so.
    walk(6000, || (), |(), step| assert!(step.outputs.len() <= 8, "{:?}", step.outputs));
}

/// A machine takes up at most 1 KiB, half of that without its statistics, and a schedule of its own 64 bytes.
#[test]
fn sizes() {
    assert!(size_of::<ReconnectMachine>() <= 1024);
    assert!(size_of::<ReconnectMachine>() - size_of::<Stats>() <= 512);
    assert!(size_of::<Backoff>() <= 64);
}

/// The endpoints as one would write them on a slip: failures in a row, and until when they cool down or when they were well.
fn health(run: &Run, endpoints: usize) -> Vec<String> {
    let stats = run.machine.stats(Timestamp::ZERO);
    let slip =
        |endpoint: redial::EndpointHealth| match (endpoint.failures, endpoint.cooling_until, endpoint.last_success) {
            (0, None, None) => "unknown".to_owned(),
            (0, None, Some(at)) => format!("well at {at}"),
            (failures, Some(until), None) => format!("{failures} until {until}"),
            impossible => panic!("{impossible:?}"),
        };
    stats.endpoints.iter().take(endpoints).map(slip).collect()
}

/// A dial takes the endpoint with the best grade of smoothed latency among those that are not cooling down, or else the one
/// whose cool-down ends first; among equals the first in the list. A failure cools down for max(stableAfter, baseDelay),
/// twice as long with each further one in a row, up to maxRetryAfter, and at least for its `retryAfter`.
#[test]
fn healthiest() {
    let policy = || plain().failover(Failover::Healthiest);
    let mut run = Run::endpoints(policy(), 3);
    assert_eq!(run.says(0, Input::Start)[0], "dial 1 attempt 0");
    run.at(0, failed(1));
    assert_eq!(run.falls_due(1000)[0], "dial 2 attempt 1 at endpoint 1", "the first cools down for stableAfter");
    run.at(1000, opened(2));
    assert_eq!(run.falls_due(6000), ["stable 2"]);
    assert_eq!(health(&run, 3), ["1 until 5000 ms", "well at 6000 ms", "unknown"]);
    // The first has cooled down long since, and the connection stays where it is. Its end is a failure like any other.
    run.at(60_000, closed(2));
    assert_eq!(health(&run, 3), ["1 until 5000 ms", "1 until 65000 ms", "unknown"]);
    assert_eq!(run.falls_due(61_000)[0], "dial 3 attempt 1", "the preferred comes back");
    // Twice as long, then as long as the server says, then no longer than maxRetryAfter.
    run.at(61_000, failed(3));
    assert_eq!(health(&run, 3)[0], "2 until 71000 ms");
    assert_eq!(run.falls_due(63_000)[0], "dial 4 attempt 2 at endpoint 2");
    run.at(63_000, failed_by(4, Cause::Http { status: 503, retry_after: Some(ms(1000)) }));
    assert_eq!(health(&run, 3)[2], "1 until 68000 ms", "a shorter retryAfter shortens nothing");
    assert_eq!(
        run.says(64_000, Input::Reconnect)[0],
        "dial 5 attempt 0 at endpoint 1",
        "the first to have cooled down"
    );
    run.at(64_000, hint(0));
    run.at(64_000, failed_by(5, Cause::Http { status: 503, retry_after: Some(ms(600_000)) }));
    assert_eq!(health(&run, 3)[1], "2 until 364000 ms", "up to maxRetryAfter");

    // The user's own end blames nobody, and `endpoints` forgets those that are gone.
    let mut run = Run::endpoints(policy(), 2);
    run.at(500, Input::Start);
    run.at(500, opened(1));
    run.at(5500, Input::Timeout);
    assert_eq!(run.says(9500, Input::Reconnect)[1], "dial 2 attempt 0");
    assert_eq!(health(&run, 2), ["well at 9000 ms", "unknown"], "from the first input on");
    run.at(9500, failed(2));
    assert_eq!(run.falls_due(10_500)[0], "dial 3 attempt 1 at endpoint 1");
    let one = Input::Endpoints { count: NonZeroU32::MIN };
    assert_eq!(run.says(10_600, one), [""; 0]);
    run.at(10_700, failed(3));
    assert_eq!(health(&run, 2), ["1 until 14000 ms", "unknown"], "what has left the list is not judged");
    assert_eq!(run.falls_due(12_700)[0], "dial 4 attempt 2", "the only one, though it cools down");

    // Slower than the bound `good` is worse than unknown; and so it is the next that is dialled.
    let mut run = Run::endpoints(pinging().failover(Failover::Healthiest), 2);
    run.at(0, Input::Start);
    run.at(0, opened(1));
    run.at(5000, Input::Timeout);
    run.at(5100, pong(1, 1));
    assert_eq!(run.says(6000, Input::Reconnect)[1], "dial 2 attempt 0 at endpoint 1");
    let known = run.machine.stats(Timestamp::ZERO).endpoints.get(0).unwrap();
    assert_eq!(known.latency, Some(Micros::from_micros(99_840)), "195 × 512 µs: to eight binary digits");
    run.at(6000, Input::Stop);
    assert_eq!(run.says(305_999, Input::Start)[0], "dial 3 attempt 0 at endpoint 1");
    run.at(305_999, Input::Stop);
    assert_eq!(run.says(306_000, Input::Start)[0], "dial 4 attempt 0", "maxRetryAfter later it is forgotten");
}
