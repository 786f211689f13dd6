//! The machine against a second, naive reading of the contract: after every input both have said the same.

#![allow(clippy::expect_used, clippy::panic)] // a model that expects too much is a failed test

mod model;

use std::cell::Cell;
use std::fmt::Write;

use model::{Accounts, Model, Oracle, earlier, timestamp, us};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use redial::{Command, ConnectionId, Output, Phase, Quality, ReconnectMachine, Timestamp};
use redial_laws::{Focus, Move, Scenario, Situation, scenarios};

/// Steps compared in a case, at least, where twice as many are usual: of 60 moves some say nothing, and a draw that nothing
/// shows ends the comparison.
const STEPS: u64 = 15;

#[test]
fn agrees_with_model() {
    agrees(Focus::Close);
}

#[test]
fn agrees_with_model_on_shared_budgets() {
    agrees(Focus::Shared);
}

#[test]
fn agrees_with_model_on_endpoints() {
    agrees(Focus::Endpoints);
}

fn agrees(focus: Focus) {
    let config = Config { failure_persistence: None, ..Config::default() };
    let least = STEPS * u64::from(config.cases);
    let compared = Cell::new(0);
    let agrees = TestRunner::new(config).run(&scenarios(focus, 60), |case| {
        compared.set(compared.get() + compare(&case).map_err(TestCaseError::fail)?);
        Ok(())
    });
    if let Err(difference) = agrees {
        panic!("{difference}");
    }
    assert!(compared.get() >= least, "only {} steps were compared, not {least}", compared.get());
}

/// What is compared after every input.
#[derive(Debug, PartialEq)]
struct View {
    commands: Vec<Command>,
    /// "the order of notices within one instant is free"
    notices: Vec<String>,
    deadline: Option<i128>,
    phase: Phase,
    connection: Option<ConnectionId>,
    quality: Option<Quality>,
    next_dial_at: Option<i128>,
    accounts: Accounts,
}

impl View {
    fn told(outputs: &[Output]) -> (Vec<Command>, Vec<String>) {
        let commands = outputs.iter().filter_map(|output| match output {
            Output::Command(command) => Some(*command),
            Output::Notice(_) => None,
        });
        let notices = outputs.iter().filter_map(|output| match output {
            Output::Command(_) => None,
            Output::Notice(notice) => Some(format!("{notice:?}")),
        });
        let mut notices: Vec<_> = notices.collect();
        notices.sort();
        (commands.collect(), notices)
    }

    fn of_model(model: &Model, outputs: &[Output]) -> Self {
        let (commands, notices) = Self::told(outputs);
        let deadline = model.deadline();
        let next_dial_at = if model.phase() == Phase::Waiting { deadline } else { None };
        Self {
            commands,
            notices,
            deadline,
            phase: model.phase(),
            connection: model.connection(),
            quality: model.quality(),
            next_dial_at,
            accounts: model.accounts(),
        }
    }

    fn of_machine(machine: &ReconnectMachine, now: i128, ahead: i128, outputs: &[Output]) -> Self {
        let (commands, notices) = Self::told(outputs);
        let at = |at: Timestamp| i128::from(at.as_micros()) - ahead;
        let stats = machine.stats(timestamp(now + ahead));
        Self {
            commands,
            notices,
            deadline: machine.deadline().map(at),
            phase: machine.phase(),
            connection: machine.connection(),
            quality: machine.quality(),
            next_dial_at: if machine.phase() == Phase::Held { None } else { machine.next_dial_at().map(at) },
            accounts: Accounts {
                uptime: us(stats.uptime),
                downtime: us(stats.downtime),
                held: us(stats.held),
                idle: us(stats.idle),
                retries: stats.retries,
                retries_opened: stats.retries_opened,
                stale: stats.stale_inputs,
            },
        }
    }
}

/// The number of steps that were compared.
fn compare(case: &Scenario) -> Result<u64, String> {
    let mut machine = ReconnectMachine::new(case.policy.clone(), case.seed).with_endpoints(case.endpoints);
    let mut model = Model::new(&case.policy, case.endpoints.get());
    // "snapshots hold remaining durations, not times": after each the machine's time is that much ahead of the model's.
    let mut ahead = 0;
    let mut log = String::new();
    let mut compared = 0;
    for (pace, what) in &case.moves {
        if let Move::Restore(shift) = what {
            let snapshot = machine.snapshot(timestamp(model.now() + ahead));
            ahead += i128::from(*shift);
            machine = ReconnectMachine::restore(case.policy.clone(), &snapshot, timestamp(model.now() + ahead))
                .map_err(|error| format!("\n{case:?}\n{log}\nnot restored: {error:?}"))?;
            let _ = writeln!(log, "       restored {shift} later");
            continue;
        }
        let situation = situation(&model, us(case.policy.wake_gap()));
        let Some(input) = what.input(&situation) else { continue };
        let at = pace.at(&situation);
        let outputs = machine.handle(timestamp(at + ahead), input);
        let outputs: Vec<_> = outputs.into_iter().map(|output| earlier(output, ahead)).collect();
        let now = model.now().max(at);
        let mut oracle = Oracle::new(&machine, now, ahead, &outputs);
        let expected = model.handle(at, input, &mut oracle);
        let (is, should) = (View::of_machine(&machine, now, ahead, &outputs), View::of_model(&model, &expected));
        let _ = writeln!(log, "{at:>6} {input:?}\n       -> {outputs:?} deadline {:?}", is.deadline);
        if is != should || !oracle.complaints.is_empty() {
            let complaints = oracle.complaints.join(", ");
            return Err(format!("\n{case:?}\n{log}\nmachine {is:?}\nmodel   {should:?}\n{complaints}"));
        }
        compared += 1;
        if oracle.blind && !machine.phase().is_terminal() {
            break;
        }
    }
    Ok(compared)
}

fn situation(model: &Model, wake_gap: i128) -> Situation {
    Situation {
        now: model.now(),
        deadline: model.deadline(),
        wake_gap,
        phase: model.phase(),
        hold: model.holds().first().copied(),
        last_connection: model.last_connection().0,
        last_ping: model.last_ping().0,
    }
}
