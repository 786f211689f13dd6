//! Accounts, and what the machine takes up.

use std::collections::BTreeMap;
use std::mem::size_of;

use redial::{Backoff, Command, HoldReason, Input, Notice, Output, Outputs, ReconnectMachine, Stats, Timestamp};

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
