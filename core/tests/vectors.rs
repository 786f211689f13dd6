//! The golden vectors, replayed natively.

#![cfg(feature = "trace")]
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

#[path = "../vectors/mod.rs"]
mod vectors;

use redial::trace::{Event, Trace};
use redial::{Input, Output, ReconnectMachine, Snapshot, Timestamp};
use vectors::VECTORS;

/// Trace times keep their microseconds up to here.
const LATEST_IN_JSON: Timestamp = Timestamp::from_millis(4_000_000_000_000);

#[test]
fn every_vector_replays_to_its_outputs() {
    for (name, text) in VECTORS {
        vectors::check(text).unwrap_or_else(|difference| panic!("{name}: {difference}"));
    }
}

#[test]
fn every_vector_replays_to_its_outputs_from_snapshots() {
    for (name, text) in VECTORS {
        let trace = Trace::parse(text).unwrap();
        let mut whole = Vec::new();
        trace.replay(trace.machine(), trace.lines.last().map(|line| line.at), |at, output| whole.push((at, output)));
        assert_eq!(replay_from_snapshots(&trace), whole, "{name}");
    }
}

/// As `Trace::replay` does, but each step is made by a machine that was restored from a snapshot; from its text as long as
/// microseconds survive there.
fn replay_from_snapshots(trace: &Trace) -> Vec<(Timestamp, Output)> {
    let as_it_was = trace.inputs().any(|(_, input)| input == Input::Timeout);
    let mut machine = trace.machine();
    let mut latest = Timestamp::ZERO;
    let mut told = Vec::new();
    let mut step = |machine: &mut ReconnectMachine, at: Timestamp, input| {
        let mut snapshot = machine.snapshot(latest);
        if latest <= LATEST_IN_JSON {
            let text = serde_json::to_string(&snapshot).unwrap();
            snapshot = serde_json::from_str::<Snapshot>(&text).unwrap();
        }
        *machine = ReconnectMachine::restore(trace.header.policy.clone(), &snapshot, latest).unwrap();
        latest = latest.max(at);
        told.extend(machine.handle(at, input).into_iter().map(|output| (latest, output)));
    };
    for line in &trace.lines {
        while let Some(due) = machine.deadline().filter(|due| !as_it_was && *due <= line.at) {
            step(&mut machine, due, Input::Timeout);
        }
        if let Event::Input(input) = line.event {
            step(&mut machine, line.at, input);
        }
    }
    told
}

#[test]
fn the_list_the_folder_and_the_table_agree() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".jsonl").map(str::to_owned))
        .collect();
    files.sort_unstable();
    let listed: Vec<_> = VECTORS.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, files);

    let table = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let rows: Vec<_> = table.lines().filter_map(|row| row.strip_prefix("| `")?.split_once(".jsonl` |")).collect();
    let mut named: Vec<_> = rows.iter().map(|(name, _)| *name).collect();
    named.sort_unstable();
    assert_eq!(named, files);
}
