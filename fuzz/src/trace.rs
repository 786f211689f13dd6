//! The trace reader.

use redial::trace::{Event, Trace, Writer};
use redial::{Input, Notice, Output, Timestamp};

use crate::text::assert_one_line;

/// Reads a trace: an error in one line, or a trace that reads again as it was written. Checking it ends, and a recording
/// of its inputs passes its own check.
pub fn trace(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    let trace = match Trace::parse(text) {
        Ok(trace) => trace,
        Err(error) => {
            let message = error.to_string();
            assert_one_line(&message);
            assert!(
                message.starts_with(&format!("trace line {}: ", error.line())),
                "an error names its line: {message}"
            );
            assert!((1..=text.lines().count().max(1)).contains(&error.line()), "there is such a line: {message}");
            return;
        }
    };
    assert_reads_again(&trace);
    if let Err(difference) = trace.check(trace.machine(), None) {
        assert_one_line(&difference.to_string());
    }
    assert_recording_checks(&trace);
}

fn assert_reads_again(trace: &Trace) {
    let mut written = Vec::new();
    let mut writer = Writer::new(&mut written);
    writer.header(&trace.header).expect("memory takes all");
    for line in &trace.lines {
        match line.event {
            Event::Input(input) => writer.input(line.at, &input),
            Event::Output(output) => writer.output(line.at, &output),
        }
        .expect("memory takes all");
    }
    let again = parse(&written);
    assert_eq!(again.header, trace.header, "a header reads as it was written");
    assert_eq!(again.lines.len(), trace.lines.len(), "as many lines as were written");
    for (ours, theirs) in again.lines.iter().zip(&trace.lines) {
        assert_eq!((ours.at, ours.event), (theirs.at, theirs.event), "a line reads as it was written");
    }
}

/// Does as a recorder does: every input, then its outputs.
fn assert_recording_checks(trace: &Trace) {
    let mut recording = Vec::new();
    let mut writer = Writer::new(&mut recording);
    writer.header(&trace.header).expect("memory takes all");
    let mut machine = trace.machine();
    let mut latest = Timestamp::ZERO;
    // A recording has timeouts; one that says nothing before all else makes this one, too.
    for (at, input) in [(Timestamp::ZERO, Input::Timeout)].into_iter().chain(trace.inputs()) {
        latest = latest.max(at);
        writer.input(latest, &input).expect("memory takes all");
        for output in machine.handle(latest, input) {
            if !is_exact(latest) || !is_exact(scheduled(&output).unwrap_or(latest)) {
                return;
            }
            writer.output(latest, &output).expect("memory takes all");
        }
    }
    let recording = parse(&recording);
    if let Err(difference) = recording.check(recording.machine(), None) {
        panic!("a recording passes its own check: {difference}");
    }
}

/// Whether a trace keeps the microseconds of this time.
fn is_exact(at: Timestamp) -> bool {
    at <= Timestamp::from_millis(4_000_000_000_000)
}

fn scheduled(output: &Output) -> Option<Timestamp> {
    match output {
        Output::Notice(Notice::RetryScheduled(scheduled)) => Some(scheduled.dial_at),
        Output::Notice(_) | Output::Command(_) => None,
    }
}

fn parse(written: &[u8]) -> Trace {
    let text = core::str::from_utf8(written).expect("a trace is text");
    Trace::parse(text).unwrap_or_else(|error| panic!("what was written is refused: {error}\n{text}"))
}
