//! Every state that small policies lead to: breadth first over all inputs and times until no new state appears. Each
//! transition is held against every law, and each state against the promises of `promises.rs`: from there a network that
//! is back leads to open, `stop` to silence, `reconnect` to a dial, and a snapshot to the same state.
//!
//! Own code, because the laws are about steps and what was seen before them: stateright's properties look at one state at
//! a time, and would need both packed into it.
//!
//! **Times.** All spans are a few microseconds, the machine's own unit. A timeout one microsecond later is always among
//! the moves, so every time before a deadline is visited. Inputs come now, with the deadline and past the wake gap;
//! timeouts also right before and after the deadline, and as late as is not yet sleep.
//!
//! **States.** Two machines are the same state where their snapshots agree, but for
//! - ids, which are only compared: inputs name the present one, the one before and the one after;
//! - what is only counted or reported: statistics, uptime, a pending retry's cause, `raw` and `hint`, and of an open
//!   connection how it came about;
//! - the retry count without a limit, but for 0, since the schedule stands beside it;
//! - how long a dial has been overdue;
//! - the outage, of which the limit counts: so much of it is used up, one microsecond too much being all that matters;
//! - of an endpoint's health, what is over: a cool-down, the last success, failures that lengthen the next cool-down no more;
//! - the token bucket, of which the tokens there are now, and the part of the next one, count;
//! - random numbers: either no draw has more than one value, or a step that draws is taken with each value.
//!
//! These lose nothing: from two such machines the same inputs lead to the same outputs, but for what is left out. One
//! thing does: latencies count by the bounds of the grades that they have passed. Their exact values would be endless, so
//! a grade is followed from the first latency of its kind only. And the laws remember the first way to a state only.

#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, clippy::panic)] // outside test functions, too

mod draws;
mod fields;
mod key;
mod moves;
mod policies;
mod promises;
mod search;

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use policies::{Case, cases};
use search::{Found, search};

/// In all: states and transitions. The README names them.
const FOUND: (usize, usize) = (23_275, 2_035_749);

#[test]
fn every_state_keeps_the_laws() {
    let cases = cases();
    let found = all(&cases);
    let mut sum = (0, 0);
    for (case, found) in cases.iter().zip(&found) {
        let Found { states, transitions, steps_to_open } = found;
        println!("{states:7} states {transitions:9} transitions, open within {steps_to_open}: {}", case.name);
        sum = (sum.0 + states, sum.1 + transitions);
    }
    println!("{:7} states {:9} transitions in all", sum.0, sum.1);
    for (case, found) in cases.iter().zip(&found) {
        assert_eq!((found.states, found.transitions), case.found, "{}", case.name);
        assert_eq!(found.steps_to_open, case.steps_to_open, "steps to open: {}", case.name);
    }
    assert_eq!(sum, FOUND, "in all");
}

/// The policies side by side, as many as there are processors, until all are searched or one has failed.
fn all(cases: &[Case]) -> Vec<Found> {
    let next = Mutex::new(cases.iter().enumerate());
    let found = Mutex::new(Vec::new());
    let failed = AtomicBool::new(false);
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            let Some((index, case)) = next.lock().unwrap().next() else { return };
            match search(case, &failed) {
                Ok(one) => found.lock().unwrap().push((index, one)),
                Err(broken) => {
                    failed.store(true, Ordering::Relaxed);
                    panic!("{}: {broken}", case.name);
                }
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    let mut found = found.into_inner().unwrap();
    found.sort_unstable_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, one)| one).collect()
}
