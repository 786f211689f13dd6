//! What redial costs, and what others cost, measured in the same run. `bench/README.md` says how.
//!
//! - `bench`: measures everything in few rounds, prints tables and gates.
//! - `bench check`: measures what the gates are about and prints them; exit status 1 if one is passed.
//! - `bench table`: measures everything and writes the tables of the README.
//!
//! What it runs under valgrind, or in a process of its own, is this program again: `bench run`, `message`, `idle`, `server`.

mod callgrind;
mod clocks;
mod delays;
mod gates;
mod idle;
mod messages;
mod results;
mod steps;
mod tables;

use gates::Gate;
use messages::{Case, Who, server};
use results::{Scope, measure};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;

/// Counts allocations and bytes.
#[global_allocator]
pub(crate) static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const QUICK: usize = 3;
const LONG: usize = 11;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => {
            let results = measure(Scope { everything: true, rounds: QUICK });
            println!("{}", tables::tables(&results, QUICK));
            return judge(&gates::gates(&results));
        }
        ["check"] => {
            let mut gates = gates::gates(&measure(Scope { everything: false, rounds: QUICK }));
            // A shared machine proves nothing about times.
            gates.retain(|gate| !gate.is_timed());
            return judge(&gates);
        }
        ["table"] => {
            let results = measure(Scope { everything: true, rounds: LONG });
            tables::write(&tables::tables(&results, LONG));
            return judge(&gates::gates(&results));
        }
        ["run", case, n] => run(case, number(n)),
        ["message", case, server, n] => Case::parse(case).expect("a case").run(address(server), number(n)),
        ["idle", who, server] => idle::print(Who::parse(who).expect("a client"), address(server)),
        ["server"] => server::serve(),
        _ => {
            eprintln!("usage: bench [check | table]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Prints the gates; failure if one is passed.
fn judge(gates: &[Gate]) -> ExitCode {
    for gate in gates {
        println!("{gate}");
    }
    let passed = gates.iter().filter(|gate| !gate.is_kept()).count();
    println!("{} gates, {passed} of them not kept", gates.len());
    ExitCode::from(u8::from(passed > 0))
}

/// `bench run KIND/NAME N`: what callgrind counts.
fn run(case: &str, n: u64) {
    let (kind, name) = case.split_once('/').expect("KIND/NAME");
    let delay = || delays::all().into_iter().find(|delay| delay.name == name).expect("a delay");
    let step = || steps::STEPS.iter().find(|step| step.name == name).expect("a step");
    match kind {
        "episode" => (delay().episode)(n),
        "at-cap" => (delay().at_cap)(n),
        "step" => step().run::<true>(n),
        "control" => step().run::<false>(n),
        _ => panic!("no case {case}"),
    }
}

fn number(word: &str) -> u64 {
    word.parse().expect("a number")
}

fn address(word: &str) -> std::net::SocketAddr {
    word.parse().expect("an address")
}
