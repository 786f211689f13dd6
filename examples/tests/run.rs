//! Every example runs to its end and does what it shows.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests

use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::Mutex;

/// What the slowest needs on a shared machine, several times over: whoever takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// One at a time: the fleet would hold up the others.
static TURN: Mutex<()> = Mutex::const_new(());

async fn run(command: &mut Command) -> Output {
    let _turn = TURN.lock().await;
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("the example hangs").unwrap()
}

/// The lines of an example that ends well.
async fn lines(program: &str, args: &[&str]) -> Vec<String> {
    let output = run(Command::new(program).args(args)).await;
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

/// Ten answers, and a server that leaves after every third.
fn ten_answers(word: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for answers in [1..=3, 4..=6, 7..=9, 10..=10] {
        lines.push("-- open".to_owned());
        lines.extend(answers.map(|n| format!("{word} {n}")));
        lines.push("-- lost".to_owned());
    }
    lines
}

#[tokio::test]
async fn blocking() {
    let lines = cut(lines(env!("CARGO_BIN_EXE_blocking"), &[]).await, &["-- open", "-- lost"]);
    assert_eq!(lines, ten_answers("MESSAGE"));
}

#[tokio::test]
async fn tcp_lines() {
    let mut lines = cut(lines(env!("CARGO_BIN_EXE_tcp_lines"), &[]).await, &["-- open", "-- lost", "-- latency"]);
    // How often it measures is a matter of time.
    lines.retain(|line| line != "-- latency");
    assert_eq!(lines, ten_answers("LINE"));
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
    assert_eq!(lines(env!("CARGO_BIN_EXE_unix_socket"), &[]).await, expected);
}

#[tokio::test]
async fn redis() {
    // Whether a dead Redis is found by an end or by a reset, and how fast a live one answers, is not ours to say.
    let lines = cut(lines(env!("CARGO_BIN_EXE_redis"), &[]).await, &["-- Redis answers in", "-- lost"]);
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
    let lines = cut(lines(env!("CARGO_BIN_EXE_axum_upstream"), &[]).await, &["GET /health 200", "GET /health 503"]);
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

#[tokio::test]
async fn fleet() {
    let lines = lines(env!("CARGO_BIN_EXE_fleet"), &[]).await;
    // A machine that allows too few open files gets a smaller fleet, and a line that says so.
    let first = lines.iter().position(|line| line.contains(" clients, one budget: ")).unwrap();
    let size: u64 = lines[first].split(' ').next().unwrap().parse().unwrap();
    assert!(size == 10_000 || first == 1, "{lines:#?}");

    let open = format!("all {size} are open after");
    let acts = lines[first + 1..].iter().filter(|line| !line.starts_with("  ")).cloned().collect();
    let acts = cut(acts, &[&open, "all are lost, "]);
    let expected = [&*open, "-- the server is killed", "all are lost, ", "-- the server is back", &*open];
    assert_eq!(acts, expected);

    // Everybody dialled in both acts. That the budget held is the example's own verdict.
    let dials = lines.iter().filter_map(|line| line.strip_prefix("  ")?.split_once(" dials, "));
    let dials: Vec<u64> = dials.map(|(dials, _)| dials.parse().unwrap()).collect();
    assert!(dials.len() == 2 && dials.iter().all(|dials| *dials >= size), "{lines:#?}");
}
