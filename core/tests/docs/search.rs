//! What a real machine does, from every phase and on every input: a search, breadth first, and a walk.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::num::NonZeroU32;

use redial::{
    Cause, Command, ConnectionId, DialBudget, Hint, HoldReason, Input, Jitter, Limit, Micros, Notice, Output, Phase,
    PingId, Policy, ReconnectMachine, Timestamp,
};

/// From one phase to another.
pub(crate) type Edge = (usize, usize);

/// What an input did in a phase. A machine's own deadlines are told apart by what they were about.
#[derive(Default)]
pub(crate) struct Found {
    /// By edge: the inputs that lead along it, each with the limits at which the machine gave up.
    pub(crate) edges: BTreeMap<Edge, BTreeMap<usize, BTreeSet<&'static str>>>,
    /// By input and phase: the phases after it.
    pub(crate) after: BTreeMap<(usize, usize), BTreeSet<usize>>,
    /// By phase: what its deadlines are about.
    pub(crate) deadlines: BTreeMap<usize, BTreeSet<&'static str>>,
    /// Inputs and phases where an input was more than counted.
    pub(crate) acts: BTreeSet<(usize, usize)>,
}

/// The inputs, in the order of the contract.
pub(crate) const INPUTS: [&str; 16] = [
    "start",
    "stop",
    "reconnect",
    "hold",
    "release",
    "opened",
    "ready",
    "failed",
    "closed",
    "received",
    "pong",
    "busy",
    "hint",
    "endpoints",
    "budget",
    "timeout",
];

pub(crate) fn place(phase: Phase) -> usize {
    Phase::ALL.iter().position(|one| *one == phase).expect("a phase")
}

fn kind(input: Input) -> usize {
    match input {
        Input::Start => 0,
        Input::Stop => 1,
        Input::Reconnect => 2,
        Input::Hold { .. } => 3,
        Input::Release { .. } => 4,
        Input::Opened { .. } => 5,
        Input::Ready { .. } => 6,
        Input::Failed { .. } => 7,
        Input::Closed { .. } => 8,
        Input::Received { .. } => 9,
        Input::Pong { .. } => 10,
        Input::Busy { .. } => 11,
        Input::Hint(_) => 12,
        Input::Endpoints { .. } => 13,
        Input::Budget { .. } => 14,
        Input::Timeout => 15,
    }
}

const fn ms(millis: u64) -> Micros {
    Micros::from_millis(millis)
}

/// Small policies that between them reach every situation.
fn policies() -> Vec<Policy> {
    let plain = Policy::builder().jitter(Jitter::None).dial_budget(None).max_attempts(None);
    let scarce = DialBudget { burst: 1, refill: ms(60_000) };
    [
        plain.max_attempts(1).online_spread(ms(0)),
        plain.ready_timeout(ms(2000)).max_elapsed(ms(3500)),
        plain.ready_timeout(ms(2000)).max_attempts(1).dial_budget(scarce),
        plain.auto_reconnect(false).max_elapsed(ms(3500)).dial_budget(scarce),
    ]
    .into_iter()
    .map(|builder| builder.build().unwrap())
    .collect()
}

/// Every input about the present connection, each way to end it that is judged differently, and one hold of each sort.
fn inputs(machine: &ReconnectMachine) -> Vec<Input> {
    let connection = machine.connection().unwrap_or(ConnectionId(0));
    let mut inputs = vec![
        Input::Start,
        Input::Stop,
        Input::Reconnect,
        Input::Opened { connection },
        Input::Ready { connection },
        Input::Received { connection },
        Input::Pong { connection, ping: PingId(1) },
        Input::Busy { on: !machine.is_busy() },
        Input::Hint(Hint { min_delay: Some(ms(4000)), spread: None, stop: false }),
        Input::Hint(Hint { stop: true, ..Hint::default() }),
        Input::Endpoints { count: NonZeroU32::MIN },
        Input::Budget { wait: ms(5000) },
        Input::Timeout,
    ];
    for cause in [Cause::NETWORK, Cause::close(1000), Cause::close(1008)] {
        inputs.extend([Input::Failed { connection, cause }, Input::Closed { connection, cause }]);
    }
    for reason in [HoldReason::AutoReconnectOff, HoldReason::Offline] {
        inputs.extend([Input::Hold { reason }, Input::Release { reason }]);
    }
    inputs
}

/// The machine's situation, as far as its getters tell: one of each is looked at in every layer.
fn situation(machine: &ReconnectMachine) -> impl std::hash::Hash + Eq + use<> {
    let holds: Vec<_> = machine.holds().iter().collect();
    (
        machine.phase(),
        machine.wake_reason(),
        holds,
        machine.attempt().min(3),
        machine.awaits_pong(),
        machine.is_busy(),
        machine.shares_budget(),
        machine.last_failure().is_some(),
    )
}

pub(crate) fn search() -> Found {
    let mut found = Found::default();
    for policy in policies() {
        let mut layer = vec![(ReconnectMachine::new(policy, 7), Timestamp::ZERO)];
        for _ in 0..9 {
            let mut next = Vec::new();
            let mut seen = HashSet::new();
            for (machine, now) in layer {
                for input in inputs(&machine) {
                    for at in times(&machine, now, input) {
                        let mut after = machine.clone();
                        let outputs: Vec<Output> = after.handle(at, input).into_iter().collect();
                        found.note(&machine, &after, input, &outputs);
                        if seen.insert(situation(&after)) {
                            next.push((after, at));
                        }
                    }
                }
            }
            layer = next;
        }
    }
    found
}

/// A deadline is met in time, and after the computer slept; without one, an input may also come much later. So what
/// follows from an input is never what was due before it.
fn times(machine: &ReconnectMachine, now: Timestamp, input: Input) -> Vec<Timestamp> {
    let hour = ms(3_600_000);
    match (machine.deadline(), input) {
        (Some(deadline), Input::Timeout) => vec![deadline, deadline.saturating_add(hour)],
        (Some(_), _) => vec![now],
        (None, _) => vec![now, now.saturating_add(hour)],
    }
}

impl Found {
    fn note(&mut self, before: &ReconnectMachine, after: &ReconnectMachine, input: Input, outputs: &[Output]) {
        let (from, to, input) = (place(before.phase()), place(after.phase()), kind(input));
        if let Some(reason) = before.wake_reason() {
            self.deadlines.entry(from).or_default().insert(reason.as_str());
        }
        let now = Timestamp::ZERO;
        let counts = |machine: &ReconnectMachine| {
            let stats = machine.stats(now);
            stats.misplaced_inputs + stats.stale_inputs
        };
        self.after.entry((input, from)).or_default().insert(to);
        if counts(before) == counts(after) && (input != kind(Input::Timeout) || before.deadline().is_some()) {
            self.acts.insert((input, from));
        }
        // What fires after the input fires as at a timeout.
        let causes = std::iter::once(input).chain(std::iter::repeat(kind(Input::Timeout)));
        for (edge, input) in edges(outputs).into_iter().zip(causes) {
            let limits = self.edges.entry(edge).or_default().entry(input).or_default();
            limits.extend(outputs.iter().filter_map(gave_up).map(Limit::as_str));
        }
    }
}

fn edges(outputs: &[Output]) -> Vec<Edge> {
    let phase = |output: &Output| match output {
        Output::Notice(Notice::Phase { from, to }) => Some((place(*from), place(*to))),
        Output::Notice(_) | Output::Command(Command::Dial(_) | Command::HangUp { .. } | Command::Ping { .. }) => None,
    };
    outputs.iter().filter_map(phase).collect()
}

fn gave_up(output: &Output) -> Option<Limit> {
    match output {
        Output::Notice(Notice::GaveUp { limit, .. }) => Some(*limit),
        Output::Notice(_) | Output::Command(_) => None,
    }
}

/// The edges that pseudo-random walks take: any input at any of many times.
pub(crate) fn walk(steps: u32) -> BTreeSet<Edge> {
    let mut walked = BTreeSet::new();
    let mut random = 1_u64;
    // Knuth's MMIX generator: enough to choose steps.
    let mut below = |end: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % end
    };
    let hasty = Policy::builder().min_delay(ms(0)).max_delay(ms(0)).base_delay(ms(0)).stable_after(ms(0));
    for policy in policies().into_iter().chain([Policy::default(), hasty.build().unwrap()]) {
        let mut machine = ReconnectMachine::new(policy, 7);
        let mut now = Timestamp::ZERO;
        for _ in 0..steps {
            let deadline = machine.deadline().unwrap_or(now);
            let times = [now, now.saturating_add(ms(700)), deadline, deadline.saturating_add(ms(20_000))];
            now = now.max(times[below(times.len())]);
            let inputs = inputs(&machine);
            let outputs: Vec<Output> = machine.handle(now, inputs[below(inputs.len())]).into_iter().collect();
            walked.extend(edges(&outputs));
        }
    }
    walked
}
