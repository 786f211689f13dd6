//! The tables of `bench/README.md`.

mod clients;
mod messages;
pub(crate) mod sessions;

use crate::clocks::{least, median};
use crate::results::{DelayRow, Results, Scope};
use redial::{Backoff, Outputs, ReconnectMachine, Stats};
use std::fmt::Write;

/// All tables, one after the other.
pub(crate) fn tables(results: &Results, scope: Scope) -> String {
    [
        machine(scope.rounds),
        delays(results),
        steps(results),
        sizes(results),
        messages::instructions(results),
        messages::allocations(results),
        messages::rates(results),
        messages::round_trips(results),
        clients::idle(results, scope.clients),
        clients::heartbeats(results, scope.seconds),
        clients::reconnects(results),
    ]
    .concat()
}

/// What sessions cost, one table after the other: they may be of another run than the rest.
pub(crate) fn sessions(results: &Results, scope: Scope) -> String {
    [machine(scope.rounds), sessions::messages(results), sessions::wire(&results.wire), sessions::load(&results.load)]
        .concat()
}

/// Puts the tables between the markers of this name in the README.
pub(crate) fn write(name: &str, tables: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).expect("bench/README.md");
    let (begin, end) = (format!("<!-- {name}: "), format!("<!-- end of {name} -->\n"));
    let (head, rest) = readme.split_once(&begin).expect("the marker of the tables");
    let (by, rest) = rest.split_once('\n').expect("the marker's end");
    let (_, tail) = rest.split_once(&end).expect("the marker behind the tables");
    std::fs::write(path, format!("{head}{begin}{by}\n\n{tables}{end}{tail}")).expect("bench/README.md");
}

fn machine(rounds: usize) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let cpu = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cpu = cpu.trim_start_matches([' ', '\t', ':']);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "Measured on {}: {cores} × {cpu}, Linux {}, {}, {}. Load average at the end of the run: {load}. {rounds} rounds.\n\n",
        said("date", "--iso-8601"),
        kernel.trim(),
        said("rustc", "--version"),
        said("valgrind", "--version"),
    )
}

fn said(program: &str, argument: &str) -> String {
    let output = std::process::Command::new(program).arg(argument).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn delays(results: &Results) -> String {
    let mut table = "### Delays\n\n\
        | | instructions, episode | at cap | ns, median | ns, least | × floor | state, B | allocations |\n\
        |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    let floor = results.delays.iter().find(|delay| delay.name.starts_with("floor"));
    for delay in &results.delays {
        let DelayRow { name, state, episode, at_cap, nanos, allocations } = delay;
        let nanos = || nanos.iter().copied();
        let against = floor.map_or(0.0, |floor| median(nanos().zip(&floor.nanos).map(|(one, floor)| one / floor)));
        let (middle, least) = (median(nanos()), least(nanos()));
        line(
            &mut table,
            format_args!(
                "| {name} | {episode:.1} | {at_cap:.1} | {middle:.1} | {least:.1} | {against:.1} | {state} | {allocations} |"
            ),
        );
    }
    table + "\n"
}

fn steps(results: &Results) -> String {
    let mut table =
        "### Steps of the machine\n\n| step | outputs | instructions | limit |\n|---|---|---|---|\n".to_owned();
    for step in &results.steps {
        let over = if step.instructions > step.limit as f64 { " **over**" } else { "" };
        let (name, outputs, limit) = (step.name, step.outputs, step.limit);
        line(&mut table, format_args!("| {name} | {outputs} | {:.0}{over} | {limit} |", step.instructions));
    }
    table + "\n"
}

fn sizes(results: &Results) -> String {
    let (machine, stats) = (size_of::<ReconnectMachine>(), size_of::<Stats>());
    format!(
        "### Sizes\n\n| | bytes | limit |\n|---|---|---|\n\
         | `Backoff` | {} | 64 |\n\
         | `ReconnectMachine` without its `Stats`, policy included | {} | 512 |\n\
         | `ReconnectMachine` | {machine} | 1024 |\n\
         | `Stats` | {stats} | |\n\
         | `Outputs` | {} | |\n\n\
         Allocations of all delays and steps above: {}.\n\n",
        size_of::<Backoff>(),
        machine - stats,
        size_of::<Outputs>(),
        results.core_allocations,
    )
}

fn line(table: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(table, "{arguments}").expect("a string takes everything");
}
