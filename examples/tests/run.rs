//! Every example runs to its end and does what it shows.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests

use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::process::Command;

/// What the slowest needs on a shared machine, many times over: whoever takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

async fn run(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("the example hangs").unwrap()
}

/// The lines of an example that ends well.
async fn lines(program: &str) -> Vec<String> {
    let output = run(&mut Command::new(program)).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && errors.is_empty(), "{}\n{text}{errors}", output.status);
    text.lines().map(str::to_owned).collect()
}

/// Without what differs from run to run: what follows on any of these in its line.
fn cut(lines: Vec<String>, marks: &[&str]) -> Vec<String> {
    let cut = |line: String| match marks.iter().find(|mark| line.starts_with(**mark)) {
        Some(mark) => (*mark).to_owned(),
        None => line,
    };
    lines.into_iter().map(cut).collect()
}

#[tokio::test]
async fn tcp_lines() {
    let lines = cut(lines(env!("CARGO_BIN_EXE_tcp_lines")).await, &["-- open", "-- lost", "-- latency"]);
    // How often it measures is a matter of time.
    let lines: Vec<_> = lines.iter().map(String::as_str).filter(|line| *line != "-- latency").collect();
    let part = |from: u32| (from..from + 3).map(|n| format!("LINE {n}"));
    let mut expected = Vec::new();
    for from in [1, 4, 7] {
        expected.push("-- open".to_owned());
        expected.extend(part(from));
        expected.push("-- lost".to_owned());
    }
    expected.extend(["-- open", "LINE 10", "-- lost"].map(str::to_owned));
    assert_eq!(lines, expected);
}

#[cfg(unix)]
#[tokio::test]
async fn unix_socket() {
    let expected = [
        "welcome",
        "-- open",
        "done 1",
        "done 2",
        "-- lost: close 1006",
        "-- there is no socket: network failure (refused)",
        "welcome",
        "-- open",
        "done 3",
        "done 4",
        "-- lost: close 1006",
        "-- nobody listens: network failure (refused)",
        "welcome",
        "-- open",
        "done 5",
        "done 6",
        "-- lost: asked by the user",
    ];
    assert_eq!(lines(env!("CARGO_BIN_EXE_unix_socket")).await, expected);
}

#[tokio::test]
async fn redis() {
    // Whether a dead Redis is found by an end or by a reset, and how fast a live one answers, is not ours to say.
    let lines = cut(lines(env!("CARGO_BIN_EXE_redis")).await, &["-- Redis answers in", "-- lost"]);
    let expected = [
        "-- subscribed",
        "news: first",
        "-- Redis answers in",
        "-- lost",
        "-- not there: network failure (refused)",
        "-- subscribed",
        "news: kept",
        "news: last",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn redis_that_is_not_installed_is_one_clear_line() {
    let output = run(Command::new(env!("CARGO_BIN_EXE_redis")).env("PATH", "")).await;
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors, "redis-server is missing: sudo apt-get install redis-server\n");
}

#[tokio::test]
async fn axum_upstream() {
    let lines = cut(lines(env!("CARGO_BIN_EXE_axum_upstream")).await, &["GET /health 200", "GET /health 503"]);
    // A killed server's connections end, or are reset where it had not read everything.
    let lines = lines.into_iter().map(|line| line.replace("network failure (reset)", "close 1006"));
    let lines: Vec<_> = lines.collect();
    let expected = [
        "-- upstream open",
        "GET /health 200",
        "POST /say \"hello\" 200 \"HELLO\"",
        "-- upstream lost: close 1006",
        "GET /health 503",
        "POST /say \"anybody there?\" 503 \"\"",
        "-- upstream open",
        "GET /health 200",
        "POST /say \"welcome back\" 200 \"WELCOME BACK\"",
        "-- the service is down",
        "-- upstream lost: asked by the user",
        "-- upstream was closed with 1000",
    ];
    assert_eq!(lines, expected);
}
