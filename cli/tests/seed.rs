//! The seed's three runs, each by itself from beginning to end: `make test-reconnect`, `make test-message-format`,
//! `make test-session-resumption`.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use common::client::Client;
use common::{Plain, Server};
use serde_json::{Value, json};

const PATH: &str = "/ws/chat/?session=seed-1";

/// What whoever starts it by hand sees.
fn step(text: &str) {
    println!("  {text}");
}

/// Says something by `redial connect` and reads the answer.
fn count(client: &mut Client, message: &str) -> Value {
    client.say(&json!({ "message": message }).to_string());
    serde_json::from_str(&client.message()).unwrap()
}

#[test]
fn reconnect() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("chat.db").display());
    let server = Server::start(&["--store", &store]);
    let mut client = Client::start(&[server.url("/ws/chat/")], &["--session", "seed-1", "--set", "maxAttempts=none"]);
    client.event("open after");
    assert_eq!(count(&mut client, "one")["count"], 1);
    step("connected; the first message was answered");

    let address = server.kill();
    client.event("lost after");
    client.event("attempt 1 failed: network failure (refused)");
    step("the server was killed; the client tries again");
    client.say(&json!({ "message": "said while nobody listens" }).to_string());
    let server = Server::start_at(&address.to_string(), &["--store", &store]);
    client.event("open after");
    let answer: Value = serde_json::from_str(&client.message()).unwrap();
    assert_eq!(answer, json!({ "session": "seed-1", "count": 2, "message": "said while nobody listens" }));
    step("the server is back; the client came back by itself, and what waited was sent");

    client.say("/reconnect");
    client.event("lost after");
    client.event("open after");
    assert_eq!(count(&mut client, "three")["count"], 3);
    step("a reconnection by hand is immediate");

    client.say("/auto off");
    client.event("automatic reconnection off");
    let address = server.kill();
    client.event("held");
    let _server = Server::start_at(&address.to_string(), &["--store", &store]);
    client.say("/auto on");
    client.event("open after");
    assert_eq!(count(&mut client, "four")["count"], 4);
    step("without automatic reconnection it waits to be told");
    client.say("/quit");
    assert!(client.end().0.success());
}

#[test]
fn message_format() {
    let server = Server::start(&[]);
    let mut client = server.plain(PATH);
    for message in [json!("hello"), json!(""), json!({ "any": ["thing", 1, null] }), json!(null)] {
        let answer = client.count(&message);
        let count = answer["count"].as_u64().unwrap();
        assert_eq!(answer, json!({ "session": "seed-1", "count": count, "message": message }));
    }
    step("JSON with a message is answered with session, count and message");

    for text in ["hello", "{\"message\":", "{", "[1,2]", "\"message\"", "{\"other\":1}", ""] {
        let answer = client.ask(text);
        assert!(answer.ends_with(text), "{answer}");
        assert!(serde_json::from_str::<Value>(&answer).is_err(), "plain text: {answer}");
    }
    step("plain text, and JSON that is broken or has no message, is answered with plain text");

    assert_eq!(client.count(&json!("still there"))["count"], 5);
    let answer = server.plain("/ws/chat/").count(&json!("x"));
    assert!(answer["session"].as_str().is_some_and(|name| !name.is_empty() && name != "seed-1"), "{answer}");
    step("neither ends the connection or is counted; without a session there is a new one");

    let mut client = Client::start(&[server.url("/ws/chat/")], &["--session", "seed-1"]);
    assert_eq!(count(&mut client, "by hand"), json!({ "session": "seed-1", "count": 6, "message": "by hand" }));
    client.say("and text");
    assert!(client.message().ends_with("and text"));
    client.say("/quit");
    assert!(client.end().0.success());
    step("the same by `redial connect --session seed-1`");
}

#[test]
fn session_resumption() {
    let server = Server::start(&["--ttl", "1"]);
    let counts = |client: &mut Plain, times: usize| -> Vec<u64> {
        (0..times).map(|_| client.count(&json!("x"))["count"].as_u64().unwrap()).collect()
    };
    let mut client = server.plain(PATH);
    assert_eq!(counts(&mut client, 3), [1, 2, 3]);
    drop(client);
    step("first connection: 1, 2, 3");
    assert_eq!(counts(&mut server.plain(PATH), 1), [4]);
    step("after a disconnection: 4");
    assert_eq!(counts(&mut server.plain("/ws/chat/?session=other"), 1), [1]);
    step("another session: 1");

    // Whether a counter's time has passed can't be asked without starting it anew. But a session of redial.v1 whose client
    // is killed after the last count lives at least as long, and the room that it was in hears of its end.
    let [mut witness, mut bystander] = [(); 2].map(|()| {
        let mut client = Client::start(&[server.url("/ws/chat/")], &[]);
        client.say(r#"{"type":"join","room":"r"}"#);
        assert!(client.message().contains(r#""type":"joined""#));
        client
    });
    bystander.process.kill().unwrap();
    bystander.process.wait().unwrap();
    while !witness.message().contains(r#""type":"left""#) {}
    assert_eq!(counts(&mut server.plain(PATH), 1), [1]);
    step("when its time to live has passed it begins anew: 1");
}
