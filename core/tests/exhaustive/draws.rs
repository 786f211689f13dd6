//! Random numbers as a choice: where a step draws, it is taken with each value that the draw can have.

use std::cell::OnceCell;

use redial::{Failover, Input, Jitter, Micros, ReconnectMachine, Snapshot, Timestamp};

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

    /// All laws; or those that have to do with draws, each alone, since shift-invariance and replay would follow draws of
    /// their own.
    pub(crate) fn laws(&self, all: Laws) -> Vec<Laws> {
        const DRAWN: [&str; 6] =
            ["single-flight", "holds-hold", "jitter-bounds", "hint-is-a-floor", "attempt-limit", "failover"];
        if self.seeds.is_empty() { vec![all] } else { DRAWN.map(|law| all.clone().only(law)).into() }
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
        let with = |seed: &u64| Node { machine: reseeded(node, *seed), ..node.clone() };
        others.get_or_init(|| self.seeds.iter().map(with).collect())
    }
}

/// The same machine with other draws to come.
fn reseeded(node: &Node, seed: u64) -> ReconnectMachine {
    let mut snapshot = serde_json::to_value(node.machine.snapshot(Timestamp::ZERO)).unwrap();
    snapshot["machine"]["rng"] = seed.into();
    let snapshot: Snapshot = serde_json::from_value(snapshot).unwrap();
    let policy = node.machine.policy().clone();
    ReconnectMachine::restore(policy, &snapshot, Timestamp::from_micros(node.now)).unwrap()
}

/// The middle of each quarter hits every value of a span of up to four.
fn quarters() -> Vec<u64> {
    let mut wanted: Vec<(u64, u64)> = (0..4).flat_map(|first| (0..4).map(move |second| (first, second))).collect();
    (0_u64..)
        .filter(|seed| {
            let mut state = *seed;
            let (Some(first), Some(second)) = (middle(split_mix(&mut state)), middle(split_mix(&mut state))) else {
                return false;
            };
            let place = wanted.iter().position(|pair| *pair == (first, second));
            place.map(|place| wanted.swap_remove(place)).is_some()
        })
        .take(16)
        .collect()
}

/// The quarter in whose middle fifth the draw lies.
fn middle(draw: u64) -> Option<u64> {
    let twentieth = (u128::from(draw) * 20) >> 64;
    (twentieth % 5 == 2).then_some((twentieth / 5) as u64)
}

/// The generator of the machine, as published.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = *state;
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
