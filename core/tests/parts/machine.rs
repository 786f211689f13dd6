//! What the machine says of itself, phase by phase.

use std::num::NonZeroU32;

use redial::{
    Cause, Command, ConnectionId, HoldReason, Holds, Input, Micros, Phase, Policy, ReconnectMachine, Timestamp,
    WakeReason,
};

use super::support::*;

const AT: fn(u64) -> Option<Timestamp> = |millis| Some(Timestamp::from_millis(millis));

/// In each phase: its name, why it will wake, the connection, the attempt, the next dial, since when it is open, and the
/// failure that the next dial follows.
#[test]
fn each_phase_tells_what_it_has() {
    type Row =
        (Phase, Option<WakeReason>, Option<ConnectionId>, u32, Option<Timestamp>, Option<Timestamp>, Option<Cause>);
    let row = |machine: &ReconnectMachine| -> Row {
        (
            machine.phase(),
            machine.wake_reason(),
            machine.connection(),
            machine.attempt(),
            machine.next_dial_at(),
            machine.open_since(),
            machine.last_failure(),
        )
    };
    let mut machine = told(plain().ready_timeout(ms(400)).max_attempts(2), &[]);
    assert_eq!(row(&machine), (Phase::Idle, None, None, 0, None, None, None));
    at(&mut machine, 0, Input::Start);
    let first = Some(ConnectionId(1));
    assert_eq!(row(&machine), (Phase::Connecting, Some(WakeReason::ConnectTimeout), first, 0, None, None, None));
    at(&mut machine, 10, opened(1));
    assert_eq!(row(&machine), (Phase::Handshaking, Some(WakeReason::ReadyTimeout), first, 0, None, None, None));
    at(&mut machine, 20, ready(1));
    assert_eq!(row(&machine), (Phase::Open, Some(WakeReason::Stable), first, 0, None, AT(20), None));
    at(&mut machine, 5020, Input::Timeout);
    assert_eq!(row(&machine), (Phase::Open, None, first, 0, None, AT(20), None));
    at(&mut machine, 6000, closed(1, 1012));
    let cause = Some(Cause::close(1012));
    assert_eq!(row(&machine), (Phase::Waiting, Some(WakeReason::Dial), None, 1, AT(7000), None, cause));
    at(&mut machine, 6500, hold(HoldReason::Hidden));
    assert_eq!(row(&machine), (Phase::Held, None, None, 1, None, None, cause));
    at(&mut machine, 7000, release(HoldReason::Hidden));
    let second = Some(ConnectionId(2));
    assert_eq!(row(&machine), (Phase::Connecting, Some(WakeReason::ConnectTimeout), second, 1, None, None, None));
    at(&mut machine, 7000, failed(2));
    at(&mut machine, 9000, Input::Timeout);
    at(&mut machine, 9000, opened(3));
    at(&mut machine, 9000, ready(3));
    assert_eq!((machine.phase(), machine.attempt()), (Phase::Open, 2));
    at(&mut machine, 9001, closed(3, 1006));
    assert_eq!(row(&machine), (Phase::Failed, None, None, 2, None, None, None));
    at(&mut machine, 9002, Input::Start);
    at(&mut machine, 9002, Input::Stop);
    assert_eq!(row(&machine), (Phase::Closed, None, None, 0, None, None, None));
}

/// A dial of `start` that waits for its token, or is held, follows no failure.
#[test]
fn a_dial_that_the_user_asked_for_follows_no_failure() {
    let budget = redial::DialBudget { burst: 1, refill: ms(100) };
    let again = [(0, Input::Start), (0, Input::Stop), (0, Input::Start)];
    let waiting = told(plain().dial_budget(budget), &again);
    assert_eq!((waiting.phase(), waiting.last_failure(), waiting.attempt()), (Phase::Waiting, None, 0));
    let held = told(plain(), &[(0, hold(HoldReason::Offline)), (0, Input::Start)]);
    assert_eq!((held.phase(), held.last_failure(), held.attempt()), (Phase::Held, None, 0));
}

/// The deadline of an open connection is about whatever comes first.
#[test]
fn an_open_connection_wakes_for_stability_pings_and_death() {
    let policy = || plain().health_check_interval(ms(2000)).ping_timeout(ms(3000)).stable_after(ms(1000));
    let mut machine = told(policy(), &[(0, Input::Start), (0, opened(1))]);
    assert_eq!((machine.deadline(), machine.wake_reason()), (AT(1000), Some(WakeReason::Stable)));
    at(&mut machine, 1000, Input::Timeout);
    assert_eq!((machine.deadline(), machine.wake_reason()), (AT(2000), Some(WakeReason::Ping)));
    assert!(!machine.awaits_pong());
    at(&mut machine, 2000, Input::Timeout);
    assert!(machine.awaits_pong());
    assert_eq!((machine.deadline(), machine.wake_reason()), (AT(4000), Some(WakeReason::Ping)));
    at(&mut machine, 4000, Input::Timeout);
    assert_eq!((machine.deadline(), machine.wake_reason()), (AT(5000), Some(WakeReason::PingTimeout)));
    // A busy peer has longer.
    assert!(!machine.is_busy());
    at(&mut machine, 4500, Input::Busy { on: true });
    assert!(machine.is_busy());
    assert_eq!((machine.deadline(), machine.wake_reason()), (AT(6000), Some(WakeReason::Ping)));
    at(&mut machine, 4600, pong(1, 1));
    assert!(!machine.awaits_pong());
    at(&mut machine, 4700, Input::Stop);
    assert!(!machine.awaits_pong());
}

/// "Only then does `Received` change more than the latest time seen, so a driver may keep it back until then."
#[test]
fn traffic_matters_only_while_a_pong_is_awaited() {
    let policy = plain().health_check_interval(ms(2000)).ping_timeout(ms(1000)).stable_after(ms(0));
    let mut quiet = told(policy, &[(0, Input::Start), (0, opened(1))]);
    let mut told_all = quiet.clone();
    at(&mut told_all, 500, received(1));
    for machine in [&mut quiet, &mut told_all] {
        at(machine, 2000, Input::Timeout);
    }
    assert_eq!(quiet, told_all);
    at(&mut told_all, 2500, received(1));
    assert_eq!((quiet.deadline(), told_all.deadline()), (AT(3000), AT(3500)));
}

/// The seed decides every draw, wherever it comes from.
#[test]
fn a_machine_may_draw_its_seed() {
    struct Fixed(u64);
    impl rand_core::TryRng for Fixed {
        type Error = core::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            unreachable!("a seed has 64 bits")
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(self.0)
        }
        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            unreachable!("a seed has 64 bits")
        }
    }
    let drawn = ReconnectMachine::from_rng(Policy::chat(), &mut Fixed(0x5eed));
    assert_eq!(drawn, ReconnectMachine::new(Policy::chat(), 0x5eed));
}

/// However many endpoints there are, the next dial takes one of them.
#[test]
fn fewer_endpoints_than_before_begin_anew() {
    let endpoints = |n| NonZeroU32::new(n).unwrap();
    // Two dials failed: it is the third's turn.
    let third = || {
        let mut machine = ReconnectMachine::new(plain().build().unwrap(), 7).with_endpoints(endpoints(3));
        at(&mut machine, 0, Input::Start);
        at(&mut machine, 0, failed(1));
        at(&mut machine, 1000, Input::Timeout);
        at(&mut machine, 1000, failed(2));
        machine
    };
    for (count, endpoint) in [(4, 2), (3, 2), (2, 0), (1, 0)] {
        let mut machine = third().with_endpoints(endpoints(count));
        let outputs = machine.handle(Timestamp::from_millis(3000), Input::Timeout);
        let dialled = outputs.commands().find_map(|command| match command {
            Command::Dial(dial) => Some(dial.endpoint),
            Command::HangUp { .. } | Command::Ping { .. } => None,
        });
        assert_eq!(dialled, Some(endpoint), "of {count}");
    }
}

/// Holds are a set.
#[test]
fn holds_add_up() {
    let mut machine = told(plain().auto_reconnect(false), &[]);
    let standing = |machine: &ReconnectMachine| machine.holds().iter().collect::<Vec<_>>();
    assert_eq!(standing(&machine), [HoldReason::AutoReconnectOff]);
    for reason in HoldReason::ALL.iter().rev() {
        at(&mut machine, 0, hold(*reason));
        at(&mut machine, 0, hold(*reason));
        assert!(machine.holds().contains(*reason) && !machine.holds().is_empty());
    }
    assert_eq!(standing(&machine), HoldReason::ALL);
    for (left, reason) in HoldReason::ALL.iter().enumerate() {
        at(&mut machine, 0, release(*reason));
        at(&mut machine, 0, release(*reason));
        assert!(!machine.holds().contains(*reason));
        assert_eq!(standing(&machine), HoldReason::ALL[left + 1..]);
    }
    assert_eq!(machine.holds(), Holds::NONE);
    assert!(machine.holds().is_empty() && Holds::NONE.is_empty());
    assert!(!told(plain().auto_reconnect(true), &[]).holds().contains(HoldReason::AutoReconnectOff));
}

/// "`now` becomes the latest time seen": the accounts go up to it where they are asked for an earlier time.
#[test]
fn accounts_are_never_of_an_earlier_time() {
    let machine = told(plain(), &[(100, Input::Start), (300, Input::Busy { on: false })]);
    assert_eq!(machine.stats(Timestamp::ZERO).downtime, ms(200));
    assert_eq!(machine.stats(Timestamp::from_millis(350)).downtime, ms(250));
    assert_eq!(machine.policy().stable_after(), Micros::from_secs(5));
}
