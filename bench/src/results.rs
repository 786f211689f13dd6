//! Everything that is measured, in one run.

use crate::HEAP;
use crate::callgrind::{in_parallel, instructions};
use crate::clocks::round;
use crate::delays::{self, Delay};
use crate::heartbeats::{self, Heartbeats};
use crate::idle::{self, Idle};
use crate::load::{self, Load};
use crate::messages::rows::{self, MessageRow};
use crate::messages::server::Server;
use crate::messages::wire::{self, Wire};
use crate::messages::{Case, Who};
use crate::reconnects::{self, WAYS, Way};
use crate::runtimes::Runtime;
use crate::steps::STEPS;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    /// Also what no gate is about: the peers, and all times.
    pub(crate) everything: bool,
    /// How often instructions are counted that a gate is about: the least is taken.
    pub(crate) counts: usize,
    /// Interleaved rounds of whatever is timed.
    pub(crate) rounds: usize,
    /// Idle clients of one process.
    pub(crate) clients: usize,
    /// Over which heartbeats are counted.
    pub(crate) seconds: u64,
    /// Of how many restarts of the server fewer are enough.
    pub(crate) restarts: usize,
}

/// The figures.
pub(crate) struct Results {
    pub(crate) delays: Vec<DelayRow>,
    pub(crate) steps: Vec<StepRow>,
    /// Allocations of all delays of redial's and all steps together.
    pub(crate) core_allocations: usize,
    pub(crate) messages: Vec<MessageRow>,
    pub(crate) wire: Vec<Wire>,
    pub(crate) load: Load,
    pub(crate) idle: Vec<(Who, Idle)>,
    pub(crate) heartbeats: Vec<(Who, Heartbeats)>,
    /// In milliseconds.
    pub(crate) reconnects: Vec<(&'static Way, Vec<f64>)>,
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
    eprintln!("messages…");
    let wanted = |case: Case| scope.everything || case.is_gated();
    let messages = rows::rows(scope, Server::start().address(), wanted);
    eprintln!("sessions…");
    let (wire, load) = wire_and_load(scope);
    eprintln!("idle clients…");
    let idlers = Who::ALL.into_iter().filter(|who| scope.everything || matches!(who, Who::Ours(_) | Who::Bare(_)));
    let idle = idlers.map(|who| (who, idle::measure(who, scope.clients))).collect();
    let (mut heartbeats, mut reconnects) = (Vec::new(), Vec::new());
    if scope.everything {
        eprintln!("heartbeats…");
        let measured = |who| (who, heartbeats::measure(who, heartbeats::CLIENTS, scope.seconds));
        heartbeats.extend(heartbeats::WHO.map(measured));
        eprintln!("reconnects…");
        reconnects = measure_reconnects(scope);
    }
    Results { delays, steps, core_allocations: core_allocations(), messages, wire, load, idle, heartbeats, reconnects }
}

/// Measures what sessions cost, and plain messages through the same driver, and nothing else.
pub(crate) fn measure_sessions(scope: Scope) -> Results {
    eprintln!("messages…");
    let ours = Who::Ours(Runtime::Tokio);
    let messages = rows::rows(scope, Server::start().address(), |case| case.who == Who::Session || case.who == ours);
    eprintln!("sessions…");
    let (wire, load) = wire_and_load(scope);
    Results {
        delays: Vec::new(),
        steps: Vec::new(),
        core_allocations: 0,
        messages,
        wire,
        load,
        idle: Vec::new(),
        heartbeats: Vec::new(),
        reconnects: Vec::new(),
    }
}

/// What a session's messages weigh, and many sessions at once.
fn wire_and_load(scope: Scope) -> (Vec<Wire>, Load) {
    const LEAST_SECONDS: u64 = 2;
    (wire::measure(), load::measure(scope.clients, scope.seconds.max(LEAST_SECONDS)))
}

/// Those with a base of 10 ms one by one, the others, which mostly wait, all at once.
fn measure_reconnects(scope: Scope) -> Vec<(&'static Way, Vec<f64>)> {
    let measured = |way: &'static Way| (way, reconnects::measure(way, way.restarts.min(scope.restarts)));
    let (short, long): (Vec<&Way>, Vec<&Way>) = WAYS.iter().partition(|way| way.is_short());
    let mut all: Vec<_> = short.into_iter().map(measured).collect();
    std::thread::scope(|threads| {
        let long: Vec<_> = long.into_iter().map(|way| threads.spawn(move || measured(way))).collect();
        all.extend(long.into_iter().map(|thread| thread.join().expect("a client that comes back")));
    });
    all
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

/// How many blocks are allocated meanwhile. This process has one thread when it asks.
fn allocations(run: impl FnOnce()) -> usize {
    let count = || HEAP.stats().allocations + HEAP.stats().reallocations;
    let before = count();
    run();
    count() - before
}

/// Per iteration, from a run with few and one with many: what a run costs once cancels out.
pub(crate) fn difference(count: impl Fn(u64) -> u64 + Sync, few: u64, many: u64) -> f64 {
    let (cost_of_few, cost_of_many) = in_parallel(|| count(few), || count(many));
    (cost_of_many as f64 - cost_of_few as f64) / (many - few) as f64
}
