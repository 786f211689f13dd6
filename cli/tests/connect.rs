//! `redial connect` against real servers, as a person or a program uses it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use common::client::Client;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

/// Where the child is to listen; only the child has it set.
const LISTEN: &str = "TEST_LISTEN";

/// The server process's own life: echoes text until it is killed. As a test it is nothing.
#[test]
fn server_process() {
    let Ok(address) = std::env::var(LISTEN) else { return };
    let listener = TcpListener::bind(address).unwrap();
    println!("\nlistening on {}", listener.local_addr().unwrap());
    for stream in listener.incoming() {
        std::thread::spawn(move || {
            let mut socket = tokio_tungstenite::tungstenite::accept(stream.unwrap()).unwrap();
            while let Ok(message) = socket.read() {
                if message.is_text() && socket.send(message).is_err() {
                    break;
                }
            }
        });
    }
}

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(address: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "server_process", "--nocapture"])
            .env(LISTEN, address)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = BufReader::new(process.stdout.take().unwrap())
            .lines()
            .find_map(|line| line.unwrap().strip_prefix("listening on ").map(|address| address.parse().unwrap()))
            .expect("the server says where it listens");
        Self { process, address }
    }

    /// SIGKILL.
    fn kill(mut self) -> SocketAddr {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server that takes one connection and does this with it.
fn serve<T: Send + 'static>(
    life: impl FnOnce(&mut WebSocket<TcpStream>) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        // A test that would wait for ever fails.
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        life(&mut tokio_tungstenite::tungstenite::accept(stream).unwrap())
    });
    (address, thread)
}

/// Reads until the connection has ended.
fn read_out(socket: &mut WebSocket<TcpStream>) {
    while socket.read().is_ok() {}
}

fn url(address: SocketAddr) -> String {
    format!("ws://{address}/")
}

fn replay(file: &Path, args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_redial")).arg("replay").arg(file).args(args).output().unwrap()
}

#[test]
fn a_recording_of_a_killed_and_restarted_server_replays_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("recording.jsonl");
    let server = Server::start("127.0.0.1:0");
    let unlimited = ["--set", "maxAttempts=none", "--record", recording.to_str().unwrap()];
    let mut client = Client::start(&[url(server.address)], &unlimited);
    client.event("open after");
    client.say("one");
    assert_eq!(client.message(), "one");

    let address = server.kill();
    client.event("lost after");
    client.event("attempt 1 failed: network failure (refused)");
    client.say("two, while there is no server");
    let _server = Server::start(&address.to_string());
    client.event("open after");
    assert_eq!(client.message(), "two, while there is no server");
    client.say("/quit");
    let (status, _) = client.end();
    assert!(status.success(), "{status}");

    let text = std::fs::read_to_string(&recording).unwrap();
    let outputs: String =
        text.lines().filter(|line| line.contains("\"output\"")).map(|line| format!("{line}\n")).collect();
    assert!(outputs.contains("\"gaveUp\"") || outputs.contains("\"retryScheduled\""));
    assert_eq!(String::from_utf8(replay(&recording, &[]).stdout).unwrap(), outputs);
    assert!(replay(&recording, &["--check"]).status.success());
}

#[test]
fn typed_commands_do_what_they_say() {
    let server = Server::start("127.0.0.1:0");
    let mut client = Client::start(&[url(server.address)], &[]);
    client.event("open after");
    client.say("//slash");
    assert_eq!(client.message(), "/slash");
    client.say("/reconnect");
    client.event("lost after");
    client.event("open after");
    client.say("/reconect");
    assert!(client.event("was not sent").contains("/reconnect"));
    client.say("/auto off");
    client.event("automatic reconnection off");
    let address = server.kill();
    client.event("held");
    client.say("/status");
    assert!(client.event("dials").contains("autoReconnectOff"));
    let _server = Server::start(&address.to_string());
    client.say("/auto on");
    client.event("open after");
    client.say("/quit");
    assert!(client.end().0.success());
}

#[test]
fn the_exit_status_tells_how_it_ended() {
    // Nobody listens there: the port was free a moment ago.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut client = Client::start(&[url(nobody)], &["--set", "maxAttempts=2"]);
    client.say("never sent");
    let (status, events) = client.end();
    assert_eq!(status.code(), Some(3), "gave up at a limit: {events:?}");
    assert!(events.iter().any(|event| event.contains("not sent: never sent")), "{events:?}");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = BufReader::new(stream.try_clone().unwrap()).lines();
        assert!(request.by_ref().any(|line| line.unwrap().is_empty()), "the request's end");
        stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").unwrap();
    });
    let (status, events) = Client::start(&[url(address)], &[]).end();
    assert_eq!(status.code(), Some(4), "stopped by a verdict: {events:?}");
    server.join().unwrap();
}

#[test]
fn json_has_messages_and_events_on_stdout() {
    let server = Server::start("127.0.0.1:0");
    let mut client = Client::start(&[url(server.address)], &["--json"]);
    client.say("hello");
    let mut kinds = Vec::new();
    loop {
        let line: serde_json::Value = serde_json::from_str(&client.message()).unwrap();
        assert!(line["at"].is_number(), "{line}");
        if line["message"] == "hello" {
            break;
        }
        kinds.push(line["output"].as_str().unwrap().to_owned());
    }
    assert!(kinds.iter().any(|kind| kind == "opened"), "{kinds:?}");
    client.say("/quit");
    assert!(client.end().0.success());
}

#[test]
fn whoever_asks_the_process_to_end_closes_properly() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let server = Server::start("127.0.0.1:0");
        let mut client = Client::start(&[url(server.address)], &[]);
        client.event("open after");
        client.signal(signal);
        client.event("lost after");
        let (status, _) = client.end();
        assert!(status.success(), "{signal}: {status}");
    }
}

#[test]
fn a_bad_url_does_not_cost_an_old_recording() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("recording.jsonl");
    std::fs::write(&recording, "precious").unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_redial"))
        .args(["connect", "htp://127.0.0.1/", "--record"])
        .arg(&recording)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&recording).unwrap(), "precious");
}

#[test]
fn the_second_endpoint_is_tried_when_the_first_is_gone() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::start("127.0.0.1:0");
    let mut client = Client::start(&[url(nobody), url(server.address)], &[]);
    assert!(client.event("attempt 0 failed").contains("refused"));
    assert!(client.event("connecting to").contains(&server.address.to_string()));
    client.event("open after");
    client.say("/quit");
    assert!(client.end().0.success());
}

#[test]
fn piped_lines_need_no_answers_to_go_out() {
    let (address, server) = serve(|socket| {
        let lines: Vec<_> = std::iter::repeat_with(|| socket.read().unwrap())
            .filter(Message::is_text)
            .map(|message| message.to_string())
            .take(1000)
            .collect();
        read_out(socket);
        lines
    });
    // No ping, no answer: nothing happens on the connection but what is sent.
    let mut client = Client::start(&[url(address)], &["--set", "healthCheckInterval=none"]);
    client.event("open after");
    let sent: Vec<_> = (0..1000).map(|number| format!("line {number}")).collect();
    for line in &sent {
        client.say(line);
    }
    client.say("/quit");
    assert!(client.end().0.success());
    assert_eq!(server.join().unwrap(), sent);
}

#[test]
fn a_message_of_many_lines_stays_one_line() {
    let (address, server) = serve(|socket| {
        socket.send(Message::text("one\r\ntwo\\")).unwrap();
        read_out(socket);
    });
    let mut client = Client::start(&[url(address)], &[]);
    assert_eq!(client.message(), "one\\r\\ntwo\\");
    client.say("/quit");
    assert!(client.end().0.success());
    server.join().unwrap();
}

#[test]
fn a_query_is_told_to_nobody() {
    let server = Server::start("127.0.0.1:0");
    let mut client = Client::start(&[format!("{}room?token=secret", url(server.address))], &[]);
    let line = client.event("connecting to");
    assert!(line.ends_with("/room?…"), "{line}");
    client.event("open after");
    client.say("/status");
    let line = client.event("dials");
    assert!(line.contains("/room?…") && !line.contains("secret"), "{line}");
    client.say("/quit");
    assert!(client.end().0.success());
}

#[test]
fn a_reader_that_stalls_does_not_keep_an_interrupt_waiting() {
    let (stall, stalled) = std::sync::mpsc::channel();
    let (address, server) = serve(move |socket| {
        socket.get_ref().set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let text = "x".repeat(1 << 16);
        while socket.send(Message::text(text.clone())).is_ok() {}
        stall.send(()).unwrap();
        read_out(socket);
    });
    let mut client = Client::start(&[url(address)], &[]);
    client.event("open after");
    stalled.recv().unwrap();
    client.say("/status");
    client.event("dials");
    client.signal("-TERM");
    client.event("lost after");
    // Nobody has read its stdout yet.
    assert!(client.process.wait().unwrap().success());
    server.join().unwrap();
}

#[test]
fn all_that_came_is_written_before_a_normal_end() {
    let lines: Vec<_> = (0..2000).map(|number| format!("{number:0>200}")).collect();
    let sent = lines.clone();
    let (address, server) = serve(|socket| {
        for line in sent {
            socket.write(Message::text(line)).unwrap();
        }
        socket.close(None).unwrap();
        read_out(socket);
    });
    let mut client = Client::start(&[url(address)], &["--set", "maxAttempts=1"]);
    // The pipe holds less than what comes: the rest is written while the command would like to end.
    client.event("open after");
    let came: Vec<_> = client.stdout.map(Result::unwrap).collect();
    assert_eq!(came, lines);
    server.join().unwrap();
}
