//! `vectors/frames.txt`, line by line, and the table of `docs/protocol.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use redial::Micros;
use redial_session::{Advice, EndReason, Frame, FrameError, Outcome, Payload, Welcome};

use crate::support::{hex, lines, unhex};

#[test]
fn every_line_of_the_vectors() {
    let mut kinds = BTreeSet::new();
    for line in lines("frames.txt") {
        let words: Vec<&str> = line.split_whitespace().collect();
        let bytes = unhex(words[1]);
        let frame = Frame::decode(bytes.clone());
        match words[0] {
            "frame" => {
                let frame = frame.unwrap_or_else(|error| panic!("{line}: {error}"));
                assert_eq!(describe(&frame), words[2..].join(" "), "{line}");
                assert_eq!(frame.encode(), bytes, "{line}");
                kinds.insert(frame.kind());
            }
            "ignored" => assert_eq!(frame, Ok(Frame::Unknown { kind: bytes[0] }), "{line}"),
            "refused" => assert_eq!(word(frame.expect_err(&line)), words[2], "{line}"),
            other => panic!("no such line: {other}"),
        }
    }
    assert_eq!(kinds, (0x01..=0x0a).collect(), "every type has a line");
}

#[test]
fn every_reason_to_refuse_has_a_line() {
    let words: BTreeSet<String> = lines("frames.txt")
        .filter_map(|line| Some(line.strip_prefix("refused ")?.split_whitespace().nth(1)?.to_owned()))
        .collect();
    assert_eq!(words.len(), ["empty", "type", "short", "long", "number", "zero", "utf8", "choice"].len(), "{words:?}");
}

/// The document's table has lines of the file and no others, one of each type at least.
#[test]
fn the_table_of_the_document_is_of_the_file() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md")).unwrap();
    let (_, section) = document.split_once("## Test vectors").unwrap();
    let known: BTreeSet<String> = lines("frames.txt").collect();
    let mut types = BTreeSet::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let (bytes, meaning) = (cells[1], cells[2]);
        let line = match meaning.strip_prefix("refused: ") {
            Some(why) => format!("refused {bytes} {why}"),
            None => format!("frame {bytes} {meaning}"),
        };
        assert!(known.contains(&line), "not in the file: {line}");
        types.insert(bytes[..2].to_owned());
    }
    assert!(types.len() >= 10, "types in the table: {types:?}");
}

fn word(error: FrameError) -> &'static str {
    match error {
        FrameError::Empty => "empty",
        FrameError::Type(_) => "type",
        FrameError::Short => "short",
        FrameError::Long => "long",
        FrameError::Number => "number",
        FrameError::Zero => "zero",
        FrameError::NotUtf8 => "utf8",
        FrameError::Choice(_) => "choice",
        other => panic!("{other:?} has no word"),
    }
}

fn describe(frame: &Frame) -> String {
    match frame {
        Frame::Start => "start".to_owned(),
        Frame::Resume { id, secret, received } => {
            format!("resume id={} secret={} received={received}", hex(id.as_bytes()), hex(secret.as_bytes()))
        }
        Frame::Welcome(welcome) => describe_welcome(welcome),
        Frame::Message { number, received, payload } => {
            let name = if payload.is_text() { "text" } else { "binary" };
            format!("{name} number={number} received={received} payload={}", bytes(payload))
        }
        Frame::Ack { received } => format!("ack received={received}"),
        Frame::Ping { id } => format!("ping id={id}"),
        Frame::Pong { id } => format!("pong id={id}"),
        Frame::GoingAway(advice) => describe_advice(advice),
        Frame::End { reason } => {
            let reason = match reason {
                EndReason::Done => "done",
                EndReason::Superseded => "superseded",
                EndReason::Overflow => "overflow",
                EndReason::Gone => "gone",
            };
            format!("end reason={reason}")
        }
        other => panic!("{other:?} is no line's"),
    }
}

fn describe_welcome(welcome: &Welcome) -> String {
    let Welcome { outcome, id, secret, received, ttl, most_payload } = welcome;
    let outcome = match outcome {
        Outcome::New => "new",
        Outcome::Resumed => "resumed",
        Outcome::Replaced => "replaced",
    };
    let (id, secret, ttl) = (hex(id.as_bytes()), hex(secret.as_bytes()), millis(*ttl));
    format!(
        "welcome outcome={outcome} id={id} secret={secret} received={received} ttl={ttl} most_payload={most_payload}"
    )
}

fn describe_advice(advice: &Advice) -> String {
    let Advice { min_delay, spread, redirect, stop } = advice;
    let mut text = "going-away".to_owned();
    for (name, span) in [("min_delay", min_delay), ("spread", spread)] {
        if let Some(span) = span {
            write!(text, " {name}={}", millis(*span)).unwrap();
        }
    }
    text += if *stop { " stop" } else { "" };
    if let Some(url) = redirect {
        write!(text, " redirect={url}").unwrap();
    }
    text
}

fn bytes(payload: &Payload) -> String {
    if payload.is_empty() { "-".to_owned() } else { hex(payload.bytes()) }
}

fn millis(span: Micros) -> u64 {
    assert_eq!(span.as_micros() % 1000, 0);
    span.as_micros() / 1000
}

/// A frame that is shared with what it came in, and not copied.
#[test]
fn a_payload_shares_the_frames_bytes() {
    let frame = Frame::Message { number: 1, received: 0, payload: Payload::text("shared") }.encode();
    let within = frame.as_ptr_range();
    let Ok(Frame::Message { payload, .. }) = Frame::decode(frame.clone()) else { panic!("a message") };
    assert!(within.contains(&payload.bytes().as_ptr()));
    assert_eq!(Bytes::copy_from_slice(&frame[3..]), payload.into_bytes());
}
