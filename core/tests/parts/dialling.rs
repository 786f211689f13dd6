//! Which endpoint is dialled, and how a hint spreads the dials.

use std::num::NonZeroU32;

use redial::{
    Cause, Command, ConnectionId, Failover, Hint, HoldReason, Input, Jitter, Micros, Notice, Output, PolicyBuilder,
    ReconnectMachine, Timestamp,
};

use super::support::*;

/// The endpoints and delays of so many dials that all fail, in microseconds.
fn dials(policy: PolicyBuilder, endpoints: u32, seed: u64, count: u64) -> Vec<(u32, u64)> {
    let endpoints = NonZeroU32::new(endpoints).unwrap();
    let mut machine = ReconnectMachine::new(policy.build().unwrap(), seed).with_endpoints(endpoints);
    let mut outputs = machine.handle(Timestamp::ZERO, Input::Start);
    let mut now = Timestamp::ZERO;
    let mut made = Vec::new();
    for connection in (1..=count).map(ConnectionId) {
        let endpoint = outputs.commands().find_map(|command| match command {
            Command::Dial(dial) => Some(dial.endpoint),
            Command::HangUp { .. } | Command::Ping { .. } => None,
        });
        let _ = machine.handle(now, Input::Failed { connection, cause: Cause::NETWORK });
        let due = machine.next_dial_at().unwrap();
        made.push((endpoint.unwrap(), due.saturating_since(now).as_micros()));
        now = due;
        outputs = machine.handle(now, Input::Timeout);
    }
    made
}

/// "Every dial draws one": each of them, and none that there is not.
#[test]
fn random_failover_draws_every_endpoint() {
    for endpoints in [2, 3] {
        let made = dials(plain().failover(Failover::Random), endpoints, 7, 900);
        for endpoint in 0..endpoints {
            let share = made.iter().filter(|(dialled, _)| *dialled == endpoint).count();
            let even = 900 / usize::try_from(endpoints).unwrap();
            assert!(share.abs_diff(even) < 90, "{share} dials of endpoint {endpoint} of {endpoints}");
        }
        assert!(made.iter().all(|(endpoint, _)| *endpoint < endpoints));
    }
}

/// With one endpoint there is nothing to choose: every failover has the same dials after the same delays.
#[test]
fn with_one_endpoint_failover_makes_no_difference() {
    let ordered = dials(plain().jitter(Jitter::Full), 1, 7, 20);
    for failover in Failover::ALL {
        assert_eq!(dials(plain().jitter(Jitter::Full).failover(*failover), 1, 7, 20), ordered, "{failover}");
    }
}

/// The delays of a first retry after this hint, for many seeds, in microseconds.
fn hinted(hint: Hint) -> Vec<u64> {
    let delay = |seed| {
        let mut machine = ReconnectMachine::new(plain().build().unwrap(), seed);
        let _ = machine.handle(Timestamp::ZERO, Input::Start);
        let _ = machine.handle(Timestamp::ZERO, Input::Hint(hint));
        let failed = Input::Failed { connection: ConnectionId(1), cause: Cause::NETWORK };
        let scheduled = machine.handle(Timestamp::ZERO, failed).into_iter().find_map(|output| match output {
            Output::Notice(Notice::RetryScheduled(scheduled)) => Some(scheduled.delay.as_micros()),
            Output::Notice(_) | Output::Command(_) => None,
        });
        scheduled.unwrap()
    };
    (0..2000).map(delay).collect()
}

/// "delay = max(delay, min(floor, maxRetryAfter)) + uniform[0, spread]; without `spread`, a fifth of the floor where the
/// floor prevailed, else 0".
#[test]
fn a_hint_spreads_the_dials() {
    let hint = |min_delay: Option<Micros>, spread: Option<Micros>| Hint { min_delay, spread, stop: false };
    let cases = [
        (hint(Some(ms(2000)), None), 2_000_000, 400_000),
        (hint(Some(ms(2000)), Some(ms(100))), 2_000_000, 100_000),
        (hint(Some(ms(500)), Some(ms(100))), 1_000_000, 100_000),
        (hint(None, Some(ms(100))), 1_000_000, 100_000),
        (hint(Some(Micros::from_micros(u64::MAX)), Some(Micros::ZERO)), 300_000_000, 0),
        (hint(None, Some(Micros::from_micros(u64::MAX))), 1_000_000, 300_000_000),
        (hint(Some(ms(2000)), Some(ms(999_999_999))), 2_000_000, 300_000_000),
        (hint(Some(ms(500)), None), 1_000_000, 0),
        (hint(Some(ms(1000)), None), 1_000_000, 0),
        (hint(Some(ms(2000)), Some(Micros::ZERO)), 2_000_000, 0),
        (hint(Some(Micros::from_micros(1_000_005)), None), 1_000_005, 200_001),
    ];
    for (hint, floor, spread) in cases {
        let delays = hinted(hint);
        let (least, most) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
        assert!(*least >= floor && *most <= floor + spread, "{hint:?}: {least} to {most}");
        // Of 2000 draws the outermost are within a hundredth of the ends, but for one time in e²⁰.
        let margin = spread / 100;
        assert!(*least <= floor + margin && *most >= floor + spread - margin, "{hint:?}: {least} to {most}");
    }
}

/// "`hint` is the delay that a hint made of it, or null": one that comes while the retry waits, or is held, and moves it is
/// told; one that moves nothing is not.
#[test]
fn a_hint_is_told_where_it_moved_the_retry() {
    let floor = |millis| Input::Hint(Hint { min_delay: Some(ms(millis)), spread: Some(Micros::ZERO), stop: false });
    let hints = |inputs: &[(u64, Input)]| {
        let mut machine = told(plain(), &[(0, Input::Start), (0, failed(1))]);
        let mut scheduled = Vec::new();
        for (millis, input) in inputs {
            for output in at(&mut machine, *millis, *input) {
                if let Output::Notice(Notice::RetryScheduled(retry)) = output {
                    scheduled.push((retry.dial_at.as_micros() / 1000, retry.hint));
                }
            }
        }
        scheduled
    };
    let (hidden, shown) = (hold(HoldReason::Hidden), release(HoldReason::Hidden));
    assert_eq!(hints(&[(600, floor(3000))]), [(3600, Some(ms(3000)))]);
    for nothing in [floor(400), floor(300)] {
        assert_eq!(hints(&[(600, nothing), (700, hidden), (800, shown)]), [(1000, None)]);
        assert_eq!(hints(&[(600, hidden), (600, nothing), (800, shown)]), [(1000, None)]);
    }
    assert_eq!(hints(&[(600, hidden), (700, floor(2000)), (800, shown)]), [(2700, Some(ms(2000)))]);
}
