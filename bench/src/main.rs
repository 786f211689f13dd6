//! What redial costs, and what others cost, measured in the same run. `bench/README.md` says how.
//!
//! - `bench`: measures everything in few rounds, prints tables and gates.
//! - `bench check`: measures what the gates are about and prints them; exit status 1 if one is passed.
//! - `bench table`: measures everything and writes the tables of the README.
//! - `bench table sessions`: the same for what sessions cost alone.
//!
//! What it runs under valgrind, or in a process of its own, is this program again: `bench run`, `message`, `round`, `idle`,
//! `heartbeats`, `reconnect`, `server`, `session-clients`, `session-server`.

mod callgrind;
mod children;
mod clocks;
mod delays;
mod gates;
mod heartbeats;
mod idle;
mod load;
mod messages;
mod reconnects;
mod results;
mod runtimes;
mod steps;
mod tables;

use gates::Gate;
use messages::{Case, Who, round, server};
use reconnects::Way;
use results::{Scope, measure, measure_sessions};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;

/// Counts allocations and bytes.
#[global_allocator]
pub(crate) static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CHECK: Scope = Scope { everything: false, counts: 3, rounds: 0, clients: 1000, seconds: 0, restarts: 0 };
const QUICK: Scope = Scope { everything: true, counts: 1, rounds: 3, clients: 1000, seconds: 5, restarts: 8 };
const LONG: Scope = Scope { everything: true, counts: 2, rounds: 5, clients: 10_000, seconds: 10, restarts: 40 };

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => {
            let results = measure(QUICK);
            println!("{}{}", tables::tables(&results, QUICK), tables::sessions(&results, QUICK));
            return judge(&gates::gates(&results));
        }
        // A shared machine proves nothing about times, and nothing that is measured here is about them.
        ["check"] => return judge(&gates::gates(&measure(CHECK))),
        ["table"] => {
            let results = measure(LONG);
            tables::write("tables", &tables::tables(&results, LONG));
            tables::write("sessions", &tables::sessions(&results, LONG));
            return judge(&gates::gates(&results));
        }
        ["table", "sessions"] => {
            let results = measure_sessions(LONG);
            tables::write("sessions", &tables::sessions(&results, LONG));
            return judge(&gates::session::gates(&results));
        }
        ["run", case, n] => run(case, number(n)),
        ["message", case, server, n] => self::case(case).run(address(server), number(n), None),
        ["round", case, server, n] => round::print(self::case(case), address(server), number(n)),
        ["idle", who, server, clients] => idle::print(self::who(who), address(server), number(clients) as usize),
        ["heartbeats", who, server, clients, seconds] => {
            heartbeats::print(self::who(who), address(server), number(clients) as usize, number(seconds));
        }
        ["reconnect", way, restarts] => {
            reconnects::print(Way::parse(way).expect("a way"), number(restarts) as usize);
        }
        ["session-clients", server, control, clients, seconds] => {
            load::clients::print(server, control, number(clients) as usize, number(seconds));
        }
        ["session-server"] => load::server::serve(),
        ["server", port] => server::serve(port.parse().expect("a port")),
        _ => {
            eprintln!("usage: bench [check | table [sessions]]");
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

fn case(word: &str) -> Case {
    Case::parse(word).expect("a case")
}

fn who(word: &str) -> Who {
    Who::parse(word).expect("a client")
}

fn number(word: &str) -> u64 {
    word.parse().expect("a number")
}

fn address(word: &str) -> std::net::SocketAddr {
    word.parse().expect("an address")
}
