//! Latency and grade of the present connection.

use redial::{Input, Quality, ReconnectMachine, Timestamp};

use super::support::*;

/// Open since 0, stable at once, a ping each second.
fn pinged() -> ReconnectMachine {
    let policy = plain().health_check_interval(ms(1000)).stable_after(ms(0));
    told(policy, &[(0, Input::Start), (0, opened(1))])
}

/// The n-th ping, answered after so many microseconds.
fn sample(machine: &mut ReconnectMachine, n: u64, micros: u64) -> (u64, Quality) {
    at(machine, n * 1000, Input::Timeout);
    let _ = machine.handle(Timestamp::from_micros(n * 1_000_000 + micros), pong(1, n));
    (machine.latency().unwrap().as_micros(), machine.quality().unwrap())
}

/// "first sample sets it", also where it is 0: what follows is smoothed.
#[test]
fn no_latency_at_all_is_a_sample() {
    let mut machine = pinged();
    assert_eq!(machine.latency(), None);
    assert_eq!(sample(&mut machine, 1, 0), (0, Quality::Excellent));
    assert_eq!(sample(&mut machine, 2, 80), (10, Quality::Excellent));
}

/// "The smoothed latency of the open connection": there is none without one.
#[test]
fn latency_ends_with_the_connection() {
    let mut machine = pinged();
    assert_eq!(sample(&mut machine, 1, 70), (70, Quality::Excellent));
    at(&mut machine, 1500, Input::Stop);
    assert_eq!((machine.latency(), machine.quality()), (None, Some(Quality::Disconnected)));
}
