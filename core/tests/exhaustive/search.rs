//! Breadth first over the states of one policy's machine.

use std::cell::OnceCell;
use std::collections::{HashSet, VecDeque};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};

use redial::{Command, Input, Output, ReconnectMachine, Timestamp};

use redial_laws::Laws;

use crate::draws::Draws;
use crate::key::key;
use crate::moves::{Ids, Only, inputs, times};
use crate::policies::Case;
use crate::promises;

/// What was found.
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    /// The most steps that any state is from open once the network is back.
    pub(crate) steps_to_open: usize,
}

/// A state as it was first reached.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) machine: ReconnectMachine,
    /// The latest time seen.
    pub(crate) now: u64,
    pub(crate) ids: Ids,
    /// The laws, with all that they have seen on the first way here.
    pub(crate) laws: Laws,
}

impl Node {
    /// The state after one input, and what was answered.
    pub(crate) fn step(&mut self, at: u64, input: Input) -> Vec<Output> {
        let outputs: Vec<Output> = self.machine.handle(Timestamp::from_micros(at), input).into_iter().collect();
        self.now = self.now.max(at);
        for output in &outputs {
            match output {
                Output::Command(Command::Dial(dial)) => self.ids.connection = dial.connection.0,
                Output::Command(Command::Ping { ping, .. }) => self.ids.ping = ping.0,
                Output::Command(Command::HangUp { .. }) | Output::Notice(_) => {}
            }
        }
        outputs
    }
}

/// How a state was first reached.
struct Step {
    from: usize,
    at: u64,
    input: Input,
}

/// All states, or the shortest way to one that breaks a promise. Once another search has failed, this one ends.
pub(crate) fn search(case: &Case, failed: &AtomicBool) -> Result<Found, String> {
    let endpoints = NonZeroU32::new(case.endpoints).unwrap();
    let machine = ReconnectMachine::new(case.policy.clone(), 7).with_endpoints(endpoints);
    let draws = Draws::of(case);
    let laws = draws.laws(Laws::new(&case.policy, endpoints));
    let mut seen = HashSet::from([key(&machine)]);
    let mut ways: Vec<Step> = Vec::new();
    let mut found = Found { states: 1, transitions: 0, steps_to_open: 0 };
    let start = Node { machine, now: 0, ids: Ids::default(), laws };
    let mut queue = VecDeque::from([(0, start)]);
    while let Some((index, node)) = queue.pop_front() {
        let steps = promises::of_state(&node).map_err(|broken| way(&ways, index, None, &broken))?;
        found.steps_to_open = found.steps_to_open.max(steps);
        if failed.load(Ordering::Relaxed) {
            break;
        }
        let inputs = inputs(case, node.machine.phase(), node.ids);
        let others = OnceCell::new();
        for (at, only) in times(&node.machine, node.now) {
            let inputs = if only == Only::Timeouts { &inputs[..1] } else { &inputs[..] };
            for &input in inputs {
                for before in draws.each(&node, &others, at, input) {
                    let mut next = before.clone();
                    let outputs = next.step(at, input);
                    found.transitions += 1;
                    promises::of_step(before, at, input, &outputs, &mut next)
                        .map_err(|broken| way(&ways, index, Some((at, input, &outputs)), &broken))?;
                    if seen.insert(key(&next.machine)) {
                        ways.push(Step { from: index, at, input });
                        queue.push_back((ways.len(), next));
                        found.states += 1;
                    }
                }
            }
        }
    }
    Ok(found)
}

/// The inputs that lead from the start to the state with this index, and to what broke there.
fn way(ways: &[Step], mut index: usize, last: Option<(u64, Input, &[Output])>, broken: &str) -> String {
    let mut lines = Vec::new();
    if let Some((at, input, outputs)) = last {
        lines.push(format!("  at {at} µs {input:?} gives {outputs:?}"));
    }
    while let Some(Step { from, at, input }) = index.checked_sub(1).map(|place| &ways[place]) {
        lines.push(format!("  at {at} µs {input:?}"));
        index = *from;
    }
    lines.reverse();
    format!("{broken}, after\n{}", lines.join("\n"))
}
