//! What redial promises, and whether it keeps it.

pub(crate) mod session;

use crate::clocks::{least, median};
use crate::messages::round::MessageRound;
use crate::messages::rows::MessageRow;
use crate::messages::{Case, Mode, SIZES, Who};
use crate::reconnects::LOOP;
use crate::results::Results;
use crate::runtimes::Runtime;
use redial::{Backoff, ReconnectMachine, Stats};
use std::fmt;

/// One promise.
pub(crate) struct Gate {
    name: String,
    unit: &'static str,
    limit: f64,
    /// The limit is the least, not the most.
    at_least: bool,
    measured: f64,
}

/// All of them that what was measured is about.
pub(crate) fn gates(results: &Results) -> Vec<Gate> {
    let mut gates = core(results);
    gates.extend(Runtime::ALL.into_iter().flat_map(|runtime| messages(results, runtime)));
    gates.extend(on_tokio(results));
    gates.extend(session::gates(results));
    gates.extend(Runtime::ALL.into_iter().flat_map(|runtime| idle(results, runtime)));
    gates.extend(reconnects(results));
    gates
}

fn core(results: &Results) -> Vec<Gate> {
    let machine = size_of::<ReconnectMachine>();
    let stats = size_of::<Stats>();
    let mut gates = Vec::new();
    for delay in results.delays.iter().filter(|delay| delay.name.starts_with("redial")) {
        gates.push(most(format!("delay: {}, episode", delay.name), "instructions", 60.0, delay.episode));
        gates.push(most(format!("delay: {}, at cap", delay.name), "instructions", 60.0, delay.at_cap));
    }
    gates.push(most("delay: state", "bytes", 64.0, size_of::<Backoff>() as f64));
    gates.push(most("machine with its policy", "bytes", 512.0, (machine - stats) as f64));
    gates.push(most("machine with all statistics", "bytes", 1024.0, machine as f64));
    for step in &results.steps {
        gates.push(most(format!("step: {}", step.name), "instructions", step.limit as f64, step.instructions));
    }
    gates.push(most("allocations of all delays and steps", "blocks", 0.0, results.core_allocations as f64));
    gates
}

fn messages(results: &Results, runtime: Runtime) -> Vec<Gate> {
    let row = |who, mode, size| row(results, Case { who, mode, size });
    let ours = Who::Ours(runtime);
    let mut gates = Vec::new();
    for size in SIZES {
        for mode in Mode::ALL {
            let (Some(row), Some(bare)) = (row(ours, mode, size), row(ours.reference(), mode, size)) else {
                continue;
            };
            let name = format!("{}: {}, {size} B", ours.name(), mode.name());
            // Without a flush for each message there is less to hide a few dozen instructions behind.
            let limit = match mode {
                Mode::OneWay | Mode::Echo | Mode::PingPong => 1.05,
                Mode::OneWayFed | Mode::EchoFed => 1.2,
            };
            if !repeats(runtime, mode) {
                continue;
            }
            gates.push(most(&*name, "of bare's instructions", limit, row.instructions / bare.instructions));
            // To a hundredth: on a busy machine a run of 2048 messages may have one more, which no message has.
            let more = (100.0 * (row.allocations - bare.allocations)).round() / 100.0;
            // async-io allocates in every wait, and how many there are is the scheduler's affair; a message's own would be 1.
            let limit = if runtime == Runtime::Tokio { 0.0 } else { 0.5 };
            gates.push(most(name, "allocations more", limit, more.max(0.0)));
        }
    }
    gates
}

/// On async-io, whose reactor has a thread of its own, how often a client waits for an answer is the scheduler's affair, and a
/// wait costs what a message does.
fn repeats(runtime: Runtime, mode: Mode) -> bool {
    runtime == Runtime::Tokio || matches!(mode, Mode::OneWay | Mode::OneWayFed)
}

/// What is promised of redial-tokio alone.
fn on_tokio(results: &Results) -> Vec<Gate> {
    let row = |who, mode, size| row(results, Case { who, mode, size });
    let (ours, bare) = (Who::Ours(Runtime::Tokio), Who::Bare(Runtime::Tokio));
    let mut gates = Vec::new();
    for size in SIZES {
        if let (Some(row), Some(default)) = (
            row(ours, Mode::PingPong, size),
            row(Who::BareDefault, Mode::PingPong, size).filter(|row| row.case.is_gated()),
        ) {
            let ratio = row.instructions / default.instructions;
            gates.push(most(format!("redial-tokio: ping-pong, {size} B"), "of the default's instructions", 0.5, ratio));
        }
    }
    if let (Some(fed), Some(sent)) = (row(ours, Mode::OneWayFed, 64), row(bare, Mode::OneWay, 64)) {
        if !fed.rounds.is_empty() {
            let unit = "times bare's sends in the same CPU time";
            let gate = most("redial-tokio: one-way, fed, 64 B", unit, 3.0, least_cpu(sent) / least_cpu(fed));
            gates.push(Gate { at_least: true, ..gate });
        }
    }
    gates
}

fn idle(results: &Results, runtime: Runtime) -> Vec<Gate> {
    const LIMIT: f64 = 18.0 * 1024.0;
    let ours = Who::Ours(runtime);
    let of = |who| results.idle.iter().find(|(measured, _)| *measured == who).map(|(_, idle)| idle);
    let (Some(idle), Some(bare)) = (of(ours), of(ours.reference())) else { return Vec::new() };
    let name = |what: &str| format!("{}: idle client, {what}", ours.name());
    let mut gates = vec![
        most(name("heap"), "bytes", LIMIT, idle.heap),
        most(name("resident"), "bytes", LIMIT, idle.rss),
        most(name("heap"), "bytes more than bare's", 1024.0, idle.heap - bare.heap),
    ];
    if let (Some(tasks), Some(bare)) = (idle.tasks, bare.tasks) {
        gates.push(most(name("tasks"), "more than bare's", 0.0, tasks - bare));
    }
    gates
}

/// With the delays of the loop. `bench check` has not measured it.
fn reconnects(results: &Results) -> Vec<Gate> {
    let Some((_, reference)) = results.reconnects.iter().find(|(way, _)| way.name == LOOP) else { return Vec::new() };
    let middle = |times: &[f64]| median(times.iter().copied());
    let ours = results.reconnects.iter().filter(|(way, _)| way.name.ends_with("no jitter"));
    ours.map(|(way, times)| {
        let name = format!("{}: open again", way.name);
        most(name, "ms later than the loop", 2.0, middle(times) - middle(reference))
    })
    .collect()
}

/// The row of a case, where it was measured.
pub(crate) fn row(results: &Results, case: Case) -> Option<&MessageRow> {
    results.messages.iter().find(|row| row.case == case)
}

/// The median of the ratios of each round.
pub(crate) fn rate_ratio(row: &MessageRow, reference: &MessageRow) -> f64 {
    let ratio = |(one, other): (&MessageRound, &MessageRound)| one.rate / other.rate;
    median(row.rounds.iter().zip(&reference.rounds).map(ratio))
}

/// The least CPU time of all rounds: the steadiest there is, on a shared machine.
fn least_cpu(row: &MessageRow) -> f64 {
    least(row.rounds.iter().map(|round| round.cpu))
}

fn most(name: impl Into<String>, unit: &'static str, limit: f64, measured: f64) -> Gate {
    Gate { name: name.into(), unit, limit, at_least: false, measured }
}

impl Gate {
    /// Whether the promise is kept.
    pub(crate) fn is_kept(&self) -> bool {
        if self.at_least { self.measured >= self.limit } else { self.measured <= self.limit }
    }
}

/// `ok   received: 32.0 instructions, at most 50`
impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_kept() { "ok  " } else { "OVER" };
        let bound = if self.at_least { "at least" } else { "at most" };
        let decimals = if self.limit < 10.0 { 3 } else { 1 };
        let Self { name, unit, limit, measured, .. } = self;
        write!(f, "{verdict} {name}: {measured:.decimals$} {unit}, {bound} {limit}")
    }
}
