//! Health.

use redial::{HoldReason, Input, Quality};

use super::support::*;

/// At most one ping is unanswered; pings come `healthCheckInterval` apart, the first that long after ready; one that
/// falls due while another is unanswered is left out, and the next falls due an interval later. Ids are never reused.
/// Without an interval there are no pings at all.
#[test]
fn one_ping() {
    let mut run = Run::open(pinging().health_check_interval(ms(1000)).stable_after(ms(0)));
    assert_eq!(run.falls_due(1000), ["ping 1 on 1"]);
    assert_eq!(run.falls_due(2000), [""; 0], "left out");
    assert_eq!(run.due(), Some(3_000_000));
    assert_eq!(run.at(2500, pong(1, 1)).len(), 2);
    assert_eq!(run.falls_due(3000), ["ping 2 on 1"]);
    // `offline` probes at once, and the next ping falls due an interval later.
    run.at(3100, pong(1, 2));
    assert_eq!(run.says(3600, hold(HoldReason::Offline)), ["ping 3 on 1"]);
    run.at(3700, pong(1, 3));
    assert_eq!(run.due(), Some(4_600_000));
    // Ids go on with the next connection.
    run.at(4000, Input::Reconnect);
    run.at(4000, opened(2));
    assert_eq!(run.falls_due(5000), ["ping 4 on 2"]);

    let mut run = Run::open(plain());
    assert_eq!(run.says(1, hold(HoldReason::Offline)), [""; 0]);
    assert_eq!(run.says(100_000, Input::Timeout), ["stable 1"], "waking");

    walk(
        4000,
        || 0,
        |last, step| {
            for line in sentences(step.outputs) {
                if let Some(rest) = line.strip_prefix("ping ") {
                    let id: u64 = rest.split(' ').next().unwrap().parse().unwrap();
                    assert_eq!(id, *last + 1);
                    *last = id;
                }
            }
        },
    );
}

/// Silence of `pingTimeout` after a ping ends the connection with `pingTimeout`.
#[test]
fn dead_peer() {
    let mut run = Run::open(pinging());
    run.at(4999, received(1));
    run.at(5000, Input::Timeout);
    let dead = [
        "hang up 1: ping timeout",
        "lost 1 after 8000 ms: ping timeout",
        "open > waiting",
        "quality none > disconnected",
        "retry 1 in 1000 ms at 9000 ms",
    ];
    assert_eq!(run.falls_due(8000), dead);
    // A busy peer has longer.
    let mut run = Run::open(pinging().health_check_interval(ms(40_000)).stable_after(ms(0)));
    run.at(1, Input::Busy { on: true });
    run.at(40_000, Input::Timeout);
    assert_eq!(run.falls_due(70_000)[0], "hang up 1: ping timeout");
}

/// Any traffic after the ping, a pong to another ping too, moves the end to `pingTimeout` after the traffic; so does
/// `busy` going off. `busy` outlives connections.
#[test]
fn traffic_is_life() {
    let slow = || Run::open(pinging().health_check_interval(ms(20_000)).stable_after(ms(0)));
    let mut run = slow();
    run.at(20_000, Input::Timeout);
    // With the deadline is in time.
    assert_eq!(run.says(23_000, received(1)), [""; 0]);
    assert_eq!(run.due(), Some(26_000_000));
    assert_eq!(run.says(24_000, pong(1, 9)), [""; 0]);
    assert_eq!(run.falls_due(27_000)[0], "hang up 1: ping timeout");

    let mut run = slow();
    run.at(0, Input::Busy { on: true });
    run.at(20_000, Input::Timeout);
    run.at(25_000, Input::Busy { on: false });
    assert_eq!(run.due(), Some(28_000_000));
    run.at(25_000, Input::Busy { on: true });
    // Off twice is off once.
    run.at(26_000, Input::Busy { on: false });
    run.at(27_000, Input::Busy { on: false });
    assert_eq!(run.due(), Some(29_000_000));

    let mut run = slow();
    run.at(0, Input::Busy { on: true });
    run.at(1, Input::Reconnect);
    run.at(1, opened(2));
    assert!(run.machine.is_busy());
    run.at(20_001, Input::Timeout);
    run.at(40_001, Input::Timeout);
    assert_eq!(run.falls_due(50_001)[0], "hang up 2: ping timeout");
}

/// The grade after each of these latencies in microseconds, one a second.
fn grades_of(latencies: &[u64]) -> Vec<Option<Quality>> {
    let mut run = Run::open(pinging().health_check_interval(ms(1000)).stable_after(ms(0)));
    assert_eq!(run.machine.quality(), None);
    let mut grades = Vec::new();
    for (n, latency) in (1..).zip(latencies) {
        run.at(n * 1000, Input::Timeout);
        run.at_micros(n * 1_000_000 + latency, pong(1, n));
        grades.push(run.machine.quality());
    }
    grades
}

/// With constant latency the grade is the table's; from ready to the first sample it is none, and a lost or failed
/// connection makes it `disconnected`; the first sample takes the table's grade; later it gets worse only past bounds
/// × (1 + hysteresis) and better only past bounds × (1 − hysteresis).
#[test]
fn grades() {
    use Quality::{Disconnected, Excellent, Good, Poor};
    let table = [(49_999, Excellent), (50_000, Good), (99_999, Good), (100_000, Poor), (200_000, Poor)];
    for (latency, grade) in table.into_iter().chain([(200_001, Disconnected)]) {
        assert_eq!(grades_of(&[latency; 20]), [Some(grade); 20], "{latency} µs");
    }
    // Smoothed: 40, then 54.999 or 55.
    assert_eq!(grades_of(&[40_000, 159_992]), [Some(Excellent); 2]);
    assert_eq!(grades_of(&[40_000, 160_000]), [Some(Excellent), Some(Good)]);
    // 50, then 45 or 44.999.
    assert_eq!(grades_of(&[50_000, 10_000]), [Some(Good); 2]);
    assert_eq!(grades_of(&[50_000, 9992]), [Some(Good), Some(Excellent)]);
    // 200, then 220 or 220.001.
    assert_eq!(grades_of(&[200_000, 360_000]), [Some(Poor); 2]);
    assert_eq!(grades_of(&[200_000, 360_008]), [Some(Poor), Some(Disconnected)]);

    let mut run = Run::open(pinging());
    run.at(5000, Input::Timeout);
    assert!(run.says(5020, pong(1, 1)).contains(&"quality none > excellent".into()));
    assert!(run.says(5030, closed(1)).contains(&"quality excellent > disconnected".into()));
    run.at(6030, Input::Timeout);
    assert!(run.says(6030, opened(2)).contains(&"quality disconnected > none".into()));
    let mut run = Run::new(plain());
    run.at(0, Input::Start);
    assert!(run.says(0, failed(1)).contains(&"quality none > disconnected".into()));
}

/// RFC 6298's SRTT: the first sample sets it, then + (sample − smoothed)/8, exact to 1 µs over any number of samples;
/// anew for each connection.
#[test]
fn smoothed() {
    let mut run = Run::open(pinging().health_check_interval(ms(1000)).stable_after(ms(0)));
    let mut sample = |n: u64, micros: u64| {
        run.at(n * 1000, Input::Timeout);
        run.at_micros(n * 1_000_000 + micros, pong(1, n));
        run.machine.latency().unwrap().as_micros()
    };
    assert_eq!(sample(1, 100_000), 100_000);
    assert_eq!(sample(2, 180_000), 110_000);
    assert_eq!(sample(3, 30_000), 100_000);
    // One microsecond more, again and again: after six samples 0.55 of it has arrived.
    let creeping: Vec<u64> = (4..10).map(|n| sample(n, 100_001)).collect();
    assert_eq!(creeping, [100_000, 100_000, 100_000, 100_000, 100_000, 100_001]);
    // Many samples, against the same in floating point.
    let (mut exact, mut lcg) = (f64::NAN, Lcg(3));
    for n in 10..5000 {
        if n == 10 {
            exact = 100_000.0 + 1.0 - 0.875_f64.powi(6);
        }
        let micros = lcg.below(400_000);
        let ours = sample(n, micros);
        exact += (micros as f64 - exact) / 8.0;
        assert!((ours as f64 - exact).abs() <= 1.0, "{ours} for {exact}");
    }
    run.at(5_000_000, Input::Reconnect);
    run.at(5_000_000, opened(2));
    assert_eq!(run.machine.latency(), None);
    run.at(5_001_000, Input::Timeout);
    assert!(run.says(5_001_007, pong(2, 5000))[0].starts_with("latency 7 ms, smoothed 7 ms"));
}
