//! Everything that is measured, in one run.

use crate::HEAP;
use crate::callgrind::{in_parallel, instructions};
use crate::clocks::{Round, round};
use crate::delays::{self, Delay};
use crate::idle::{self, Idle};
use crate::messages::server::Server;
use crate::messages::{Case, Mode, Who};
use crate::steps::STEPS;
use std::net::SocketAddr;
use std::time::Duration;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    /// Also what no gate is about: the peers, and all times.
    pub(crate) everything: bool,
    /// Interleaved rounds of whatever is timed.
    pub(crate) rounds: usize,
}

/// The figures.
pub(crate) struct Results {
    pub(crate) delays: Vec<DelayRow>,
    pub(crate) steps: Vec<StepRow>,
    /// Allocations of all delays of redial's and all steps together.
    pub(crate) core_allocations: usize,
    pub(crate) messages: Vec<MessageRow>,
    pub(crate) idle: Vec<(Who, Idle)>,
}

/// Instructions, and nanoseconds of each round, for one delay.
pub(crate) struct DelayRow {
    pub(crate) name: &'static str,
    pub(crate) state: usize,
    pub(crate) episode: f64,
    pub(crate) at_cap: f64,
    pub(crate) nanos: Vec<f64>,
    /// Allocations in 1000 episodes.
    pub(crate) allocations: usize,
}

/// Instructions of one step.
pub(crate) struct StepRow {
    pub(crate) name: &'static str,
    pub(crate) outputs: usize,
    pub(crate) limit: u64,
    pub(crate) instructions: f64,
}

/// What one message costs.
pub(crate) struct MessageRow {
    pub(crate) case: Case,
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
    pub(crate) rounds: Vec<MessageRound>,
}

/// One round of one case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageRound {
    /// Messages a second.
    pub(crate) rate: f64,
    /// CPU time of the client's thread for one message, in nanoseconds.
    pub(crate) cpu: f64,
}

/// Measures; says on stderr what it is at.
pub(crate) fn measure(scope: Scope) -> Results {
    eprintln!("delays…");
    let delays = delays(scope);
    eprintln!("steps…");
    let steps = STEPS.iter().map(|step| StepRow {
        name: step.name,
        outputs: step.outputs(),
        limit: step.limit,
        instructions: step_instructions(step.name),
    });
    let steps = steps.collect();
    let server = Server::start();
    eprintln!("messages…");
    let messages = messages(scope, server.address());
    eprintln!("idle clients…");
    let idlers = Who::ALL.into_iter().filter(|who| scope.everything || *who == Who::Ours);
    let idle = idlers.map(|who| (who, idle::measure(who, server.address()))).collect();
    Results { delays, steps, core_allocations: core_allocations(), messages, idle }
}

fn delays(scope: Scope) -> Vec<DelayRow> {
    const ROUND: u64 = 200_000;
    let delays: Vec<Delay> = delays::all().into_iter().filter(|delay| scope.everything || delay.is_ours()).collect();
    let mut rows: Vec<DelayRow> = delays.iter().map(delay_row).collect();
    for _ in 0..if scope.everything { scope.rounds } else { 0 } {
        for (delay, row) in delays.iter().zip(&mut rows) {
            row.nanos.push(round(|| (delay.episode)(ROUND)).wall.as_nanos() as f64 / ROUND as f64);
        }
    }
    rows
}

fn delay_row(delay: &Delay) -> DelayRow {
    let per_delay = |kind: &str| {
        const FEW: u64 = 10_000;
        const MANY: u64 = 30_000;
        let case = format!("{kind}/{}", delay.name);
        difference(|n| instructions(&["run", &case, &n.to_string()]), FEW, MANY)
    };
    DelayRow {
        name: delay.name,
        state: delay.state,
        episode: per_delay("episode"),
        at_cap: per_delay("at-cap"),
        nanos: Vec::new(),
        allocations: allocations(|| (delay.episode)(10_000)),
    }
}

/// The same number of clones, with the step and without it.
fn step_instructions(name: &str) -> f64 {
    const STEPS: u32 = 10_000;
    let count = |kind: &str| instructions(&["run", &format!("{kind}/{name}"), &STEPS.to_string()]);
    let (with, without) = in_parallel(|| count("step"), || count("control"));
    (with as f64 - without as f64) / f64::from(STEPS)
}

fn core_allocations() -> usize {
    let delays = delays::all().into_iter().filter(Delay::is_ours);
    let steps = allocations(|| STEPS.iter().for_each(|step| step.run::<true>(100)));
    steps + delays.map(|delay| allocations(|| (delay.episode)(1000))).sum::<usize>()
}

fn messages(scope: Scope, server: SocketAddr) -> Vec<MessageRow> {
    let mut rows = Vec::new();
    for size in [64, 1024] {
        for mode in Mode::ALL {
            for who in Who::ALL {
                let case = Case { who, mode, size };
                if scope.everything || case.is_gated() {
                    rows.push(message_row(case, server));
                }
            }
        }
    }
    let lengths: Vec<u64> = rows.iter().map(|row| round_length(row.case, server)).collect();
    for _ in 0..scope.rounds {
        for (row, n) in rows.iter_mut().zip(&lengths) {
            if scope.everything || row.case.is_rated() {
                let Round { wall, cpu } = round(|| row.case.run(server, *n));
                let n = *n as f64;
                row.rounds.push(MessageRound { rate: n / wall.as_secs_f64(), cpu: cpu.as_nanos() as f64 / n });
            }
        }
    }
    rows
}

fn message_row(case: Case, server: SocketAddr) -> MessageRow {
    const FEW: u64 = 1024;
    const MANY: u64 = 3072;
    let (argument, address) = (case.argument(), server.to_string());
    let count = |n: u64| instructions(&["message", &argument, &address, &n.to_string()]);
    let count = |n| least_of(if case.is_gated() { 5 } else { 1 }, || count(n));
    let allocated = |n| least_of(3, || allocations(|| case.run(server, n)) as u64);
    MessageRow {
        case,
        instructions: difference(count, FEW, MANY),
        allocations: (allocated(MANY) as f64 - allocated(FEW) as f64) / (MANY - FEW) as f64,
        rounds: Vec::new(),
    }
}

/// So many messages that a round takes about 50 ms.
fn round_length(case: Case, server: SocketAddr) -> u64 {
    const ROUND: Duration = Duration::from_millis(50);
    const TRIAL: u64 = 512;
    let trial = round(|| case.run(server, TRIAL)).wall;
    let times = ROUND.as_nanos() / trial.as_nanos().max(1);
    TRIAL * times.clamp(1, 200) as u64
}

/// The least of so many runs. On a busy machine the answers of a window come sooner or later, and the client then may look
/// once more than it must.
fn least_of(runs: usize, run: impl Fn() -> u64) -> u64 {
    (0..runs).map(|_| run()).min().unwrap_or(0)
}

/// How many blocks are allocated meanwhile. This process has one thread when it asks.
fn allocations(run: impl FnOnce()) -> usize {
    let count = || HEAP.stats().allocations + HEAP.stats().reallocations;
    let before = count();
    run();
    count() - before
}

/// Per iteration, from a run with few and one with many: what a run costs once cancels out.
fn difference(count: impl Fn(u64) -> u64 + Sync, few: u64, many: u64) -> f64 {
    let (cost_of_few, cost_of_many) = in_parallel(|| count(few), || count(many));
    (cost_of_many as f64 - cost_of_few as f64) / (many - few) as f64
}
