//! The accounts: counters, times and latencies.

use redial::{Cause, ConnectionId, Endpoints, HoldReason, Input, Micros, ReconnectMachine, Stats, Timestamp};

use super::support::*;

fn stats(machine: &ReconnectMachine, millis: u64) -> Stats {
    machine.stats(Timestamp::from_millis(millis))
}

/// One life in which everything happens a different number of times.
#[test]
fn each_thing_that_happens_is_counted_once() {
    let policy = plain().health_check_interval(ms(5000)).stable_after(ms(2000)).max_attempts(2).wake_gap(ms(1000));
    let mut machine = told(policy, &[(1000, Input::Start)]);
    assert_eq!(stats(&machine, 1000), Stats { dials: 1, ..Stats::default() });

    at(&mut machine, 1100, failed(1)); // retry 1 at 2100
    at(&mut machine, 2100, Input::Timeout);
    at(&mut machine, 2200, opened(2)); // stable at 4200
    at(&mut machine, 2300, opened(2)); // misplaced
    at(&mut machine, 2300, ready(1)); // stale, three times
    at(&mut machine, 2300, failed(1));
    at(&mut machine, 2300, pong(3, 1));
    at(&mut machine, 2250, Input::Busy { on: false }); // rewound
    at(&mut machine, 7200, Input::Timeout); // woken: stable, and a ping
    at(&mut machine, 7240, pong(2, 1));
    at(&mut machine, 7300, closed(2, 1006)); // retry 1 at 8300
    at(&mut machine, 8000, hold(HoldReason::Hidden));
    at(&mut machine, 8600, release(HoldReason::Hidden));
    at(&mut machine, 8700, failed(3)); // retry 2 at 10 700
    at(&mut machine, 10_700, Input::Timeout);
    at(&mut machine, 10_800, failed(4));
    let now = stats(&machine, 11_000);
    let expected = Stats {
        uptime: ms(5100),
        downtime: ms(1200 + 3500 - 600),
        held: ms(600),
        idle: ms(200),
        longest_outage: ms(6200),
        dials: 4,
        retries: 3,
        opened: 1,
        retries_opened: 1,
        attempts_failed: 3,
        lost: 1,
        gave_up: 1,
        wakes: 1,
        stale_inputs: 3,
        misplaced_inputs: 1,
        rewound_inputs: 1,
        latencies: now.latencies,
        endpoints: Endpoints::default(),
    };
    assert_eq!(now, expected);
    assert_eq!(now.age(), ms(5100 + 4100 + 600 + 200));
    assert_eq!((now.latencies.count(), now.success_rate()), (1, Some(1.0 / 3.0)));
    // "the present one included", and none that is over.
    at(&mut machine, 11_000, Input::Start);
    assert_eq!(stats(&machine, 12_000).longest_outage, ms(6200));
    assert_eq!(stats(&machine, 20_000).longest_outage, ms(9000));
    assert_eq!(stats(&machine, 20_000).dials, 5);
}

#[test]
fn without_a_retry_there_is_no_success_rate() {
    let mut machine = told(plain(), &[(0, Input::Start)]);
    assert_eq!(stats(&machine, 0).success_rate(), None);
    at(&mut machine, 0, failed(1));
    at(&mut machine, 1000, Input::Timeout);
    assert_eq!(stats(&machine, 1000).success_rate(), Some(0.0));
    at(&mut machine, 1000, opened(2));
    assert_eq!(stats(&machine, 1000).success_rate(), Some(1.0));
    // The dial of `start` is none.
    let machine = told(plain(), &[(0, Input::Start), (0, opened(1))]);
    let opened = stats(&machine, 0);
    assert_eq!((opened.success_rate(), opened.opened, opened.retries_opened), (None, 1, 0));
}

/// "Inputs with an earlier time than one before them", traffic too; each acts as at the latest time seen.
#[test]
fn earlier_inputs_are_counted_as_rewound() {
    let policy = plain().health_check_interval(ms(1000)).stable_after(ms(0));
    let inputs = [(0, Input::Start), (0, opened(1)), (1000, Input::Timeout), (1500, Input::Busy { on: false })];
    for (earlier, latency) in [(received(1), None), (pong(1, 1), Some(ms(500))), (pong(1, 9), None)] {
        let mut machine = told(policy, &inputs);
        at(&mut machine, 1400, earlier);
        assert_eq!(stats(&machine, 0).rewound_inputs, 1, "{earlier:?}");
        assert_eq!(stats(&machine, 0).uptime, ms(1500), "{earlier:?}");
        assert_eq!(machine.latency(), latency, "{earlier:?}");
        at(&mut machine, 1500, earlier);
        assert_eq!(stats(&machine, 0).rewound_inputs, 1, "as late as the latest is not earlier");
    }
}

/// Times go by phase from the first input on, whatever its time.
#[test]
fn nothing_counts_before_the_first_input() {
    let machine = told(plain(), &[]);
    assert_eq!(stats(&machine, 5000), Stats::default());
    let machine = told(plain(), &[(5000, Input::Busy { on: true })]);
    assert_eq!(stats(&machine, 5500), Stats { idle: ms(500), ..Stats::default() });
}

/// What does not fit the phase is counted as misplaced, what names another connection as stale.
#[test]
fn what_makes_no_sense_is_counted() {
    let counts = |policy: redial::PolicyBuilder, inputs: &[(u64, Input)]| {
        let stats = stats(&told(policy, inputs), 0);
        (stats.misplaced_inputs, stats.stale_inputs)
    };
    let start = (0, Input::Start);
    let all_of = |connection| {
        let cause = Cause::NETWORK;
        let id = ConnectionId(connection);
        [
            opened(connection),
            ready(connection),
            received(connection),
            pong(connection, 1),
            Input::Failed { connection: id, cause },
            Input::Closed { connection: id, cause },
        ]
    };
    for input in all_of(1) {
        assert_eq!(counts(plain(), &[(0, input)]), (0, 1), "idle: {input:?}");
        assert_eq!(counts(plain(), &[start, (0, Input::Stop), (0, input)]), (0, 1), "closed: {input:?}");
        assert_eq!(counts(plain(), &[start, (0, failed(1)), (0, input)]), (0, 1), "waiting: {input:?}");
    }
    for input in all_of(2) {
        assert_eq!(counts(plain(), &[start, (0, input)]), (0, 1), "connecting: {input:?}");
        assert_eq!(counts(plain(), &[start, (0, opened(1)), (0, input)]), (0, 1), "open: {input:?}");
        let handshaking = counts(plain().ready_timeout(ms(1)), &[start, (0, opened(1)), (0, input)]);
        assert_eq!(handshaking, (0, 1), "handshaking: {input:?}");
    }
    for input in [ready(1), received(1), pong(1, 1), Input::Start, Input::Reconnect] {
        assert_eq!(counts(plain(), &[start, (0, input)]), (1, 0), "connecting: {input:?}");
    }
    for input in [opened(1), received(1), pong(1, 1), Input::Start, Input::Reconnect] {
        let handshaking = counts(plain().ready_timeout(ms(1)), &[start, (0, opened(1)), (0, input)]);
        assert_eq!(handshaking, (1, 0), "handshaking: {input:?}");
    }
    for input in [opened(1), ready(1), Input::Start] {
        assert_eq!(counts(plain(), &[start, (0, opened(1)), (0, input)]), (1, 0), "open: {input:?}");
    }
    assert_eq!(counts(plain(), &[start, (0, failed(1)), start]), (1, 0), "waiting");
    assert_eq!(counts(plain(), &[(0, hold(HoldReason::Idle)), start, start]), (1, 0), "held");
    for inputs in [vec![(0, Input::Stop)], vec![start, (0, Input::Stop), (0, Input::Stop)]] {
        assert_eq!(counts(plain(), &inputs), (1, 0), "there is nothing to stop");
    }
}

/// A machine that saw these latencies in microseconds.
fn with_latencies(latencies: impl IntoIterator<Item = u64>) -> redial::Latencies {
    let policy = plain().health_check_interval(ms(1_000_000)).ping_timeout(Micros::MAX_POLICY).stable_after(ms(0));
    let mut machine = told(policy, &[(0, Input::Start), (0, opened(1))]);
    for (n, latency) in (1..).zip(latencies) {
        let due = machine.deadline().unwrap();
        let _ = machine.handle(due, Input::Timeout);
        let _ = machine.handle(due.saturating_add(Micros::from_micros(latency)), pong(1, n));
    }
    machine.stats(Timestamp::ZERO).latencies
}

/// "The latency that `percent` of the samples do not pass, as the middle of its bucket", with four buckets to the octave
/// from 256 µs to 268 s.
#[test]
fn a_percentile_is_the_middle_of_its_bucket() {
    // The bucket of 256 µs is 256..320, its middle 288, and so on: an eighth of the octave each.
    let middles = [(256, 288), (319, 288), (320, 352), (384, 416), (448, 480), (511, 480), (512, 576), (640, 704)];
    for (latency, middle) in middles.into_iter().chain([(0, 288), (1, 288), (268_435_455, 251_658_240)]) {
        let latencies = with_latencies([latency]);
        for percent in [0.0, 50.0, 100.0] {
            assert_eq!(latencies.percentile(percent), Some(Micros::from_micros(middle)), "{latency} µs");
        }
    }
    assert_eq!(with_latencies([]).percentile(50.0), None);
}

#[test]
fn a_percentile_counts_the_samples() {
    // 256, 320, 384, 448: a bucket each.
    let latencies = with_latencies([448, 256, 384, 320]);
    assert_eq!(latencies.count(), 4);
    let at = |percent| latencies.percentile(percent).unwrap().as_micros();
    assert_eq!([0.0, 25.0, 49.0, 50.0, 74.0, 75.0, 99.0, 100.0].map(at), [288, 288, 288, 352, 352, 416, 416, 480]);
    assert_eq!([-5.0, 250.0].map(at), [288, 480], "0 to 100");
}
