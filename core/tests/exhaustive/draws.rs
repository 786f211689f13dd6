//! Random numbers as a choice: where a step draws, it is taken with each value that the draw can have.

use std::cell::OnceCell;

use redial::{
    Cause, Failover, Hint, Input, Jitter, Micros, Notice, Output, Policy, ReconnectMachine, Snapshot, Timestamp,
};

use redial_laws::Laws;

use crate::key;
use crate::policies::Case;
use crate::search::Node;

pub(crate) struct Draws {
    /// Seeds whose first and second draw lie in each quarter of their span; empty where no draw matters.
    seeds: Vec<u64>,
}

impl Draws {
    pub(crate) fn of(case: &Case) -> Self {
        let policy = &case.policy;
        let draws = policy.jitter() != Jitter::None
            || policy.failover() == Failover::Random
            || policy.online_spread() > Micros::ZERO
            || case.hints.iter().any(|hint| hint.min_delay.is_some() && hint.spread != Some(Micros::ZERO));
        Self { seeds: if draws { quarters() } else { Vec::new() } }
    }

    /// All laws; where draws matter, without those that send a twin of the first machine along: it would draw its own.
    pub(crate) fn laws(&self, all: Laws) -> Laws {
        const WITH_TWINS: [&str; 3] = ["shift-invariance", "replay", "snapshot"];
        if self.seeds.is_empty() { all } else { all.without(&WITH_TWINS) }
    }

    /// The state before a step, once for each draw that can come of it. `others` keeps them for the state's other steps.
    pub(crate) fn each<'a>(
        &self,
        node: &'a Node,
        others: &'a OnceCell<Vec<Node>>,
        at: u64,
        input: Input,
    ) -> &'a [Node] {
        let alone = std::slice::from_ref(node);
        if self.seeds.is_empty() {
            return alone;
        }
        let mut next = node.clone();
        next.step(at, input);
        if key::draws(&next.machine) == key::draws(&node.machine) {
            return alone;
        }
        let with = |seed: &u64| Node { machine: reseeded(&node.machine, node.now, *seed), ..node.clone() };
        others.get_or_init(|| self.seeds.iter().map(with).collect())
    }
}

/// The same machine with other draws to come.
fn reseeded(machine: &ReconnectMachine, now: u64, seed: u64) -> ReconnectMachine {
    let mut snapshot = serde_json::to_value(machine.snapshot(Timestamp::ZERO)).unwrap();
    snapshot["machine"]["rng"] = seed.into();
    let snapshot: Snapshot = serde_json::from_value(snapshot).unwrap();
    ReconnectMachine::restore(machine.policy().clone(), &snapshot, Timestamp::from_micros(now)).unwrap()
}

/// Seeds for all pairs of quarters. The middle of each quarter hits every value of a span of up to four.
fn quarters() -> Vec<u64> {
    /// Each pair comes up once in 400 seeds.
    const TRIED: u64 = 20_000;
    let probe = probe();
    let mut wanted: Vec<(u64, u64)> = (0..4).flat_map(|first| (0..4).map(move |second| (first, second))).collect();
    let mut seeds = Vec::new();
    for seed in 0..TRIED {
        let (first, second) = drawn(reseeded(&probe, 0, seed));
        let pair = middle(first).zip(middle(second));
        if let Some(place) = wanted.iter().position(|wanted| Some(*wanted) == pair) {
            wanted.swap_remove(place);
            seeds.push(seed);
        }
    }
    assert!(wanted.is_empty(), "no seed draws {wanted:?}");
    seeds
}

const TWENTY: u64 = 20;

/// A dial whose failure makes two draws in one step, each of twenty values: so the machine itself tells what a seed draws.
fn probe() -> ReconnectMachine {
    let (one, most) = (Micros::from_micros(1), Micros::from_micros(TWENTY));
    let policy = Policy::builder().jitter(Jitter::Full).min_delay(one).base_delay(most).max_delay(most);
    let mut probe = ReconnectMachine::new(policy.build().unwrap(), 7);
    let _ = probe.handle(Timestamp::ZERO, Input::Start);
    let hint = Hint { min_delay: None, spread: Some(Micros::from_micros(TWENTY - 1)), stop: false };
    let _ = probe.handle(Timestamp::ZERO, Input::Hint(hint));
    probe
}

/// The probe's next two draws, each counted from 0.
fn drawn(mut probe: ReconnectMachine) -> (u64, u64) {
    let connection = probe.connection().unwrap();
    let failed = probe.handle(Timestamp::ZERO, Input::Failed { connection, cause: Cause::NETWORK });
    let delays = failed.into_iter().find_map(|output| match output {
        Output::Notice(Notice::RetryScheduled(told)) => Some((told.jittered.as_micros(), told.dial_at.as_micros())),
        Output::Notice(_) | Output::Command(_) => None,
    });
    let (jittered, spread) = delays.unwrap();
    (jittered - 1, spread - jittered)
}

/// The quarter in whose middle fifth a draw of twenty lies.
const fn middle(draw: u64) -> Option<u64> {
    if draw % 5 == 2 { Some(draw / 5) } else { None }
}
