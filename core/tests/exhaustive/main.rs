//! Every state that small policies can lead to.

#![cfg(feature = "serde")]

mod draws;
mod fields;
mod key;
mod moves;
mod policies;
mod promises;
mod search;

use std::sync::Mutex;
use std::thread;

use policies::{Case, cases};
use search::{Found, search};

#[test]
fn every_state_keeps_the_laws() {
    let mut cases = cases();
    if let Ok(only) = std::env::var("ONLY") {
        cases.retain(|case| case.name.contains(&only));
    }
    let found = all(&cases);
    let mut total = (0, 0);
    for (case, found) in cases.iter().zip(&found) {
        let Found { states, transitions, steps_to_open } = found;
        println!("{states:7} states {transitions:9} transitions, open within {steps_to_open}: {}", case.name);
        total = (total.0 + states, total.1 + transitions);
    }
    println!("{:7} states {:9} transitions in all", total.0, total.1);
}

/// The policies side by side, as many as there are processors.
fn all(cases: &[Case]) -> Vec<Found> {
    let next = Mutex::new(cases.iter().enumerate());
    let found = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    thread::scope(|scope| {
        for _ in 0..workers.min(cases.len()) {
            scope.spawn(|| {
                loop {
                    let Some((index, case)) = next.lock().unwrap().next() else { return };
                    let one = search(case);
                    eprintln!(
                        "{} {:?} {:?}",
                        case.name,
                        one.as_ref().map(|f| (f.states, f.transitions)),
                        one.as_ref().err()
                    );
                    found.lock().unwrap().push((index, one));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(index, _)| *index);
    let found = found.into_iter();
    found.map(|(index, one)| one.unwrap_or_else(|broken| panic!("{}: {broken}", cases[index].name))).collect()
}
