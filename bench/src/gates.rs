//! What redial promises, and whether it keeps it.

use crate::clocks::{least, median};
use crate::messages::{Case, Mode, Who};
use crate::results::{MessageRound, MessageRow, Results};
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

/// All of them.
pub(crate) fn gates(results: &Results) -> Vec<Gate> {
    let mut gates = core(results);
    gates.extend(messages(results));
    gates.extend(idle(results));
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

fn messages(results: &Results) -> Vec<Gate> {
    let row = |who, mode, size| row(results, Case { who, mode, size });
    let mut gates = Vec::new();
    for size in [64, 1024] {
        for mode in Mode::ALL {
            let (Some(ours), Some(bare)) = (row(Who::Ours, mode, size), row(Who::Bare, mode, size)) else {
                continue;
            };
            let name = format!("message: {}, {size} B", mode.name());
            // Without a flush for each message there is less to hide a few dozen instructions behind.
            let limit = match mode {
                Mode::OneWay | Mode::Echo | Mode::PingPong => 1.05,
                Mode::OneWayFed | Mode::EchoFed => 1.2,
            };
            gates.push(most(&*name, "of bare's instructions", limit, ours.instructions / bare.instructions));
            // To a hundredth: on a busy machine a run of 2048 messages may have one more, which no message has.
            let more = (100.0 * (ours.allocations - bare.allocations)).round() / 100.0;
            gates.push(most(name, "allocations more", 0.0, more.max(0.0)));
        }
        if let (Some(ours), Some(default)) =
            (row(Who::Ours, Mode::PingPong, size), row(Who::BareDefault, Mode::PingPong, size))
        {
            let ratio = ours.instructions / default.instructions;
            gates.push(most(format!("message: ping-pong, {size} B"), "of the default's instructions", 0.5, ratio));
        }
    }
    if let (Some(fed), Some(sent)) = (row(Who::Ours, Mode::OneWayFed, 64), row(Who::Bare, Mode::OneWay, 64)) {
        let unit = "times bare's sends in the same CPU time";
        let gate = most("message: one-way, fed, 64 B", unit, 3.0, least_cpu(sent) / least_cpu(fed));
        gates.push(Gate { at_least: true, ..gate });
    }
    gates
}

fn idle(results: &Results) -> Vec<Gate> {
    const LIMIT: f64 = 18.0 * 1024.0;
    let ours = results.idle.iter().filter(|(who, _)| *who == Who::Ours);
    ours.flat_map(|(_, idle)| {
        [most("idle client: heap", "bytes", LIMIT, idle.heap), most("idle client: resident", "bytes", LIMIT, idle.rss)]
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
    /// Whether it is about time.
    pub(crate) const fn is_timed(&self) -> bool {
        self.at_least
    }

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
