//! The answers to one input.

use redial::{Command, Input, Output, Outputs, ReconnectMachine, Timestamp};

use super::support::*;

fn answers(machine: &mut ReconnectMachine, millis: u64, input: Input) -> Outputs {
    machine.handle(Timestamp::from_millis(millis), input)
}

#[test]
fn they_are_counted_read_and_shown_in_order() {
    let mut machine = told(plain(), &[]);
    let none = answers(&mut machine, 0, Input::Timeout);
    assert_eq!((none.len(), none.is_empty(), none.iter().count(), format!("{none:?}")), (0, true, 0, "[]".to_owned()));

    let two = answers(&mut machine, 0, Input::Start);
    let listed: Vec<Output> = two.iter().collect();
    assert_eq!((two.len(), two.is_empty(), listed.len()), (2, false, 2));
    assert_eq!(two.into_iter().collect::<Vec<_>>(), listed);
    assert_eq!(format!("{two:?}"), format!("{listed:?}"));
    let commands: Vec<Command> = two.commands().collect();
    assert!(matches!(commands[..], [Command::Dial(dial)] if dial.attempt == 0));
}

/// "The most answers that one input can have: a connection becomes stable, dies of a ping timeout …, its retry is
/// scheduled …, and a delay of zero makes that dial due at once".
#[test]
fn the_fullest_answer_fits_exactly() {
    let policy = plain().base_delay(ms(0)).max_delay(ms(0)).wake_gap(ms(100_000));
    let policy = policy.health_check_interval(ms(1000)).ping_timeout(ms(1000)).stable_after(ms(5000));
    let mut machine = told(policy, &[(0, Input::Start), (0, opened(1)), (1000, Input::Timeout)]);
    let fullest = answers(&mut machine, 5000, Input::Timeout);
    assert_eq!(fullest.len(), Outputs::CAPACITY, "{fullest:?}");
    assert_eq!(fullest.commands().count(), 2, "hang up and dial");
}
