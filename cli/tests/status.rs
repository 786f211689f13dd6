//! `redial status`, from the outside.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use common::{Server, redial, refused};
use serde_json::{Value, json};

/// The exit status, and the report.
fn look(url: &str, args: &[&str]) -> (i32, Value) {
    let output = redial(&[&["status", url, "--json"], args].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let report = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (output.status.code().unwrap(), report)
}

fn parts(report: &Value) -> [bool; 4] {
    [&report["ok"], &report["health"]["ok"], &report["connection"]["open"], &report["session"]["resumed"]]
        .map(|part| part.as_bool().unwrap_or_else(|| panic!("{report}")))
}

/// A server that echoes, whoever comes, and knows neither HTTP nor subprotocols.
fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                if let Ok(mut socket) = tokio_tungstenite::tungstenite::accept(stream.unwrap()) {
                    while socket.read().is_ok() {}
                }
            });
        }
    });
    address
}

#[test]
fn all_is_well_with_a_chat_server_and_nothing_stays_behind() {
    let server = Server::start(&[]);
    let (status, report) = look(&server.url("/ws/chat/"), &[]);
    assert_eq!((status, parts(&report)), (0, [true; 4]), "{report}");
    assert_eq!(report["health"]["report"]["store"], "ok");
    assert_eq!((&report["session"]["protocol"], &report["session"]["ttl"]), (&json!("redial.v1"), &json!(300_000)));
    assert_eq!(report["connection"]["pings"], 5);
    assert!(report["connection"]["latency"].as_f64().unwrap() > 0.0 && report["connection"]["quality"].is_string());
    assert_eq!(server.health()["sessions"], 0);

    let (status, report) = look(&format!("http://{}", server.address), &[]);
    assert_eq!((status, &report["url"]), (0, &json!(server.url("/ws/chat/"))));
}

#[test]
fn people_read_it_on_stderr() {
    let server = Server::start(&["--ttl", "60"]);
    let output = redial(&["status", &server.url("/ws/chat/?token=secret")]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{text}");
    let row = |name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(str::trim)).unwrap();
    assert_eq!(row("url"), server.url("/ws/chat/?…"));
    assert!(row("health").starts_with("ok, store ok, sessions "), "{text}");
    assert!(row("connection").starts_with("open after ") && row("latency").contains("(pings: 5)"), "{text}");
    assert_eq!(row("session"), "redial.v1, kept for 60 s without a connection");
    assert!(row("resumption").starts_with("works: "), "{text}");
}

#[test]
fn a_plain_server_without_health_is_not_well_and_all_else_is_told() {
    let url = format!("ws://{}/", echo_server());
    let (status, report) = look(&url, &[]);
    assert_eq!((status, parts(&report)), (1, [false, false, true, false]), "{report}");
    assert_eq!((&report["session"]["protocol"], &report["connection"]["pings"]), (&json!("plain"), &json!(5)));
    let output = redial(&["status", &url]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("\nhealth      none") && text.contains("speaks no redial.v1"), "{text}");
    assert_eq!(text.lines().last(), Some("redial: not all is well: health, resumption"));
}

#[test]
fn where_nobody_listens_or_nobody_answers_it_says_so_in_bounded_time() {
    // Nobody listens there: the port was free a moment ago.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (status, report) = look(&format!("ws://{nobody}/"), &[]);
    assert_eq!((status, parts(&report)), (1, [false; 4]));
    assert!(report["connection"]["problem"].as_str().unwrap().contains("refused"), "{report}");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (status, report) = look(&format!("ws://{}/", silent.local_addr().unwrap()), &["--timeout", "1"]);
    assert_eq!((status, parts(&report)), (1, [false; 4]));
    assert_eq!(report["health"]["problem"], "no answer within 1 s");
    assert!(report["connection"]["problem"].is_string(), "{report}");
}

#[test]
fn what_is_not_well_is_named() {
    let server = Server::start(&[]);
    let (status, report) = look(&server.url("/nothing/here"), &[]);
    assert_eq!((status, parts(&report)), (1, [false, true, false, false]));
    assert_eq!(report["connection"]["problem"], "HTTP 404");

    let (address, server) = unhealthy();
    let (status, report) = look(&format!("ws://{address}/"), &[]);
    assert_eq!((status, &report["health"]["status"], parts(&report)), (1, &json!(503), [false; 4]));
    assert_eq!(report["health"]["report"]["status"], "store down");
    server.join().unwrap();
}

/// A server that answers 503 to two requests.
fn unhealthy() -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stream.try_clone().unwrap()));
            assert!(lines.any(|line| line.unwrap().is_empty()), "the request's end");
            stream.write_all(b"HTTP/1.1 503 x\r\nconnection: close\r\n\r\n{\"status\":\"store down\"}").unwrap();
        }
    });
    (address, server)
}

#[test]
fn a_token_opens_what_needs_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    std::fs::write(&file, "open-sesame\n").unwrap();
    let server = Server::start(&["--tokens", file.to_str().unwrap()]);
    let url = server.url("/ws/chat/");
    let (status, report) = look(&url, &[]);
    assert_eq!((status, &report["connection"]["problem"]), (1, &json!("HTTP 401")));
    let (status, report) = look(&url, &["--header", "Authorization: Bearer open-sesame"]);
    assert_eq!((status, parts(&report)), (0, [true; 4]), "{report}");
}

#[test]
fn bad_usage_is_one_line_that_says_what_is_allowed() {
    refused(&["status"], 2, &["URL"]);
    refused(&["status", "a.example"], 2, &["a.example", "ws://HOST"]);
    refused(&["status", "ftp://a.example/"], 2, &["ftp", "allowed"]);
    refused(&["status", "ws://a:99999/"], 2, &["99999"]);
    refused(&["status", "ws://a/", "--timeout", "0"], 2, &["--timeout", "from 1 to 300"]);
    refused(&["status", "ws://a/", "--header", "nonsense"], 2, &["--header nonsense", "NAME:VALUE"]);
    refused(&["status", "ws://a/", "--header", "a b: c"], 2, &["a b"]);
}
