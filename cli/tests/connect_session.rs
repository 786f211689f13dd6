//! `redial connect` against a server that speaks redial.v1.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use common::client::Client;
use common::{Server, refused};
use serde_json::Value;

const UNLIMITED: [&str; 2] = ["--set", "maxAttempts=none"];

#[test]
fn what_is_typed_while_the_server_is_dead_arrives_and_the_session_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("chat.db").display());
    let mut server = Server::start(&["--store", &store]);
    let mut client = Client::start(&[server.url("/ws/chat/")], &UNLIMITED);
    client.event("session started, kept for 300 s without a connection");
    client.event("open after");
    for round in 0..5 {
        client.say(&format!("before {round}"));
        assert_eq!(client.message(), format!("before {round}"));
        let address = server.kill();
        client.event("lost after");
        client.say(&format!("one {round}"));
        client.say(&format!("two {round}"));
        server = Server::start_at(&address.to_string(), &["--store", &store]);
        client.event("session resumed");
        assert_eq!([client.message(), client.message()], [format!("one {round}"), format!("two {round}")]);
    }
    assert_eq!(server.health()["sessions"], 1);
    client.say("/quit");
    let (status, _) = client.end();
    assert!(status.success());
    assert_eq!(server.health()["sessions"], 0, "the server need not keep what nobody comes back to");
}

#[test]
fn a_quit_waits_for_the_receipts() {
    let server = Server::start(&["--messages-per-second", "none"]);
    let mut client = Client::start(&[server.url("/ws/chat/")], &[]);
    client.say(r#"{"type":"join","room":"den"}"#);
    for number in 0..1000 {
        client.say(&format!(r#"{{"type":"message","room":"den","text":"line {number}"}}"#));
    }
    client.say("/quit");
    // While nobody reads them it would wait.
    client.stdout.for_each(|line| assert!(line.unwrap().contains("den")));
    let rest: Vec<_> = client.stderr.map(Result::unwrap).collect();
    assert!(client.process.wait().unwrap().success());
    assert!(!rest.iter().any(|line| line.contains("not sent") || line.contains("perhaps")), "{rest:?}");
    let (_, history) = server.get("/rooms/den/history?limit=1");
    assert!(history.contains("line 999"), "{history}");
}

#[test]
fn a_server_that_forgot_the_session_is_told_of_and_a_new_one_begins() {
    let server = Server::start(&[]);
    let mut client = Client::start(&[server.url("/ws/chat/")], &UNLIMITED);
    client.event("session started");
    client.event("open after");
    let address = server.kill();
    client.event("lost after");
    client.say("kept");
    let _server = Server::start_at(&address.to_string(), &[]);
    client.event("session lost: the server does not know it any more");
    client.event("session started");
    assert_eq!(client.message(), "kept");
    client.say("/quit");
    assert!(client.end().0.success());
}

#[test]
fn with_plain_nothing_is_offered_and_nothing_is_said_of_sessions() {
    let server = Server::start(&[]);
    let mut client = Client::start(&[server.url("/ws/chat/")], &["--plain"]);
    client.say("hello");
    assert_eq!(client.message(), "Echo: hello");
    client.say("/quit");
    let (status, events) = client.end();
    assert!(status.success() && !events.iter().any(|event| event.contains("session")), "{events:?}");
    assert_eq!(server.health()["sessions"], 0);
}

#[test]
fn json_has_the_session_s_events_among_the_notices() {
    let server = Server::start(&[]);
    let mut client = Client::start(&[server.url("/ws/chat/")], &["--json"]);
    client.say("hello");
    let mut kinds = Vec::new();
    while !["message", "delivered"].iter().all(|kind| kinds.iter().any(|seen| seen == kind)) {
        let line: Value = serde_json::from_str(&client.message()).unwrap();
        assert!(line["at"].is_number(), "{line}");
        kinds.push(line["output"].as_str().unwrap_or("message").to_owned());
    }
    let place =
        |kind: &str| kinds.iter().position(|seen| seen == kind).unwrap_or_else(|| panic!("no {kind}: {kinds:?}"));
    assert!(place("sessionStarted") < place("opened") && place("opened") < place("message"));
    client.say("/quit");
    assert!(client.end().0.success());
}

#[test]
fn a_recording_of_a_session_replays() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("recording.jsonl");
    let server = Server::start(&[]);
    let mut client = Client::start(&[server.url("/ws/chat/")], &["--record", recording.to_str().unwrap()]);
    client.event("open after");
    client.say("/reconnect");
    client.event("session resumed");
    client.event("open after");
    client.say("/quit");
    assert!(client.end().0.success());
    let output = common::redial(&["replay", "--check", recording.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_session_s_name_has_1_to_128_characters() {
    let long = "x".repeat(129);
    for name in ["", long.as_str()] {
        refused(&["connect", "ws://127.0.0.1:1/", "--session", name], 2, &["--session", "1 to 128 characters"]);
    }
}
