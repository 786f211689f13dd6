//! The golden vectors, replayed natively.

#![cfg(feature = "trace")]
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

#[path = "../vectors/mod.rs"]
mod vectors;

use redial::trace::{Event, Trace};
use redial::{Input, Micros, Notice, Output, ReconnectMachine, Snapshot, Timestamp};
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

/// As `Trace::replay` does, but each step is made by a machine that was restored from a snapshot, on a clock that goes ahead
/// a little more each time. The snapshot goes by way of text as long as microseconds survive there.
fn replay_from_snapshots(trace: &Trace) -> Vec<(Timestamp, Output)> {
    let as_it_was = trace.inputs().any(|(_, input)| input == Input::Timeout);
    let mut machine = trace.machine();
    let mut latest = Timestamp::ZERO;
    let mut ahead = Micros::ZERO;
    let mut told = Vec::new();
    let mut step = |machine: &mut ReconnectMachine, ahead: &mut Micros, at: Timestamp, input| {
        let mut snapshot = machine.snapshot(latest.saturating_add(*ahead));
        if latest <= LATEST_IN_JSON {
            let text = serde_json::to_string(&snapshot).unwrap();
            snapshot = serde_json::from_str::<Snapshot>(&text).unwrap();
        }
        *ahead = ahead.saturating_add(Micros::from_micros(3_600_000_007));
        let now = latest.saturating_add(*ahead);
        *machine = ReconnectMachine::restore(trace.header.policy.clone(), &snapshot, now).unwrap();
        latest = latest.max(at);
        let outputs = machine.handle(at.saturating_add(*ahead), input).into_iter();
        told.extend(outputs.map(|output| (latest, behind(output, *ahead))));
    };
    for line in &trace.lines {
        let due_by_then = |machine: &ReconnectMachine, ahead: Micros| {
            machine.deadline().map(|due| earlier(due, ahead)).filter(|due| !as_it_was && *due <= line.at)
        };
        while let Some(due) = due_by_then(&machine, ahead) {
            step(&mut machine, &mut ahead, due, Input::Timeout);
        }
        if let Event::Input(input) = line.event {
            step(&mut machine, &mut ahead, line.at, input);
        }
    }
    told
}

fn behind(output: Output, ahead: Micros) -> Output {
    match output {
        Output::Notice(Notice::RetryScheduled(mut retry)) => {
            retry.dial_at = earlier(retry.dial_at, ahead);
            Output::Notice(Notice::RetryScheduled(retry))
        }
        Output::Notice(_) | Output::Command(_) => output,
    }
}

fn earlier(at: Timestamp, by: Micros) -> Timestamp {
    Timestamp::from_micros(at.as_micros() - by.as_micros())
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
