//! What a person types: delays, replays, and one clear line for what is wrong.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

fn redial(args: &[&str]) -> Output {
    with_stdin(args, "")
}

fn with_stdin(args: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_redial"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that ends before it reads is right to do so.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn delays(args: &[&str]) -> Vec<f64> {
    let output = redial(&[&["schedule", "--json"], args].concat());
    assert!(output.status.success(), "{output:?}");
    stdout(&output)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["delay"].as_f64().unwrap())
        .collect()
}

/// The command ends with status 2 and one line on stderr that names all these.
fn refused(args: &[&str], named: &[&str]) {
    let output = redial(args);
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{args:?}");
    for name in named {
        assert!(stderr.contains(name), "{args:?}: {stderr:?} does not name {name:?}");
    }
}

#[test]
fn the_seed_schedules() {
    assert_eq!(delays(&["--set", "jitter=false"]), [1000.0, 2000.0, 4000.0, 5000.0, 5000.0]);
    let wide = delays(&["--set", "jitter=none", "--set", "maxDelay=16000"]);
    assert_eq!(wide, [1000.0, 2000.0, 4000.0, 8000.0, 16_000.0]);
    let session = delays(&["--preset", "session", "--retries", "8"]);
    assert_eq!(session, [500.0, 1000.0, 2000.0, 4000.0, 8000.0, 10_000.0, 10_000.0, 10_000.0]);
    assert_eq!(delays(&["--preset", "session"]).len(), 10, "without a limit ten are shown");
}

#[test]
fn a_row_is_retry_raw_and_delay() {
    let output = redial(&["schedule", "--json", "--seed", "4", "--retries", "1"]);
    let row: serde_json::Value = serde_json::from_str(stdout(&output).trim()).unwrap();
    assert_eq!(row["retry"], 1);
    assert_eq!(row["raw"], 1000);
    assert!((100.0..=1000.0).contains(&row["delay"].as_f64().unwrap()));
    let again = redial(&["schedule", "--json", "--seed", "4", "--retries", "1"]);
    assert_eq!(stdout(&output), stdout(&again), "the same seed, the same delays");
}

#[test]
fn people_read_the_table_on_stderr() {
    let output = redial(&["schedule", "--seed", "4"]);
    assert!(output.stdout.is_empty());
    assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 6);
}

#[test]
fn a_policy_comes_from_flag_environment_file_and_preset_in_this_order() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("policy.json");
    let toml = folder.path().join("policy.toml");
    fs::write(&json, r#"{"baseDelay":10,"maxDelay":80,"minDelay":1,"jitter":false,"maxAttempts":null}"#).unwrap();
    fs::write(&toml, "baseDelay = 10\nmaxDelay = 80\nminDelay = 1\njitter = false\nmaxAttempts = \"none\"\n").unwrap();
    for file in [json, toml] {
        let file = file.to_str().unwrap();
        let run = |variable: &str, set: &[&str]| {
            let output = Command::new(env!("CARGO_BIN_EXE_redial"))
                .args(["schedule", "--json", "--retries", "1", "--policy", file])
                .args(set)
                .env("REDIAL_BASE_DELAY", variable)
                .output()
                .unwrap();
            stdout(&output)
        };
        assert!(delays(&["--policy", file, "--retries", "3"]) == [10.0, 20.0, 40.0]);
        assert!(run("20", &[]).contains("\"delay\":20"), "the environment comes before the file");
        assert!(run("20", &["--set", "baseDelay=30"]).contains("\"delay\":30"), "a flag comes before both");
    }
}

#[test]
fn the_seeds_json_loads_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("seed.json");
    fs::write(
        &file,
        r#"{"baseDelay":1000,"maxDelay":5000,"maxAttempts":5,"backoffMultiplier":2,"jitter":true,"healthCheckInterval":5000,"pingTimeout":3000}"#,
    )
    .unwrap();
    assert_eq!(delays(&["--policy", file.to_str().unwrap(), "--seed", "1"]), delays(&["--seed", "1"]));
}

#[test]
fn bad_usage_is_one_line_that_says_what_is_allowed() {
    refused(&[], &["allowed: schedule", "replay", "connect", "chaos"]);
    refused(&["conect"], &["conect", "allowed: schedule, replay, connect, demo, chaos"]);
    refused(&["--retries", "3"], &["--retries", "allowed: schedule"]);
    let flags = "allowed: --preset, --policy, --set, --seed, --retries, --json, --help";
    refused(&["schedule", "--retry", "3"], &["--retry", flags]);
    refused(&["schedule", "3"], &["'3'", flags]);
    refused(&["schedule", "--preset", "chatty"], &["chatty", "chat, assistant, support, session, resilient"]);
    refused(&["schedule", "--seed", "-1"], &["--seed", "-1"]);
    refused(&["schedule", "--seed", "x"], &["--seed", "a whole number from 0"]);
    refused(&["schedule", "--retries", "4294967296"], &["4294967295"]);
    refused(&["schedule", "--set", "maxDelay"], &["--set maxDelay", "KEY=VALUE"]);
    refused(&["schedule", "--set", "maxDlay=3"], &["maxDlay", "maxDelay"]);
    refused(&["schedule", "--set", "maxDelay=-3"], &["maxDelay", "-3", "milliseconds from 0"]);
    refused(&["schedule", "--set", "quality.good=20"], &["quality.good", "20", "excellent < good"]);
    refused(&["schedule", "--set", "verdicts={\"close:1\":\"stop\"}"], &["close:1", "1000 to 4999"]);
    refused(&["schedule", "--policy", "/no/such/file"], &["/no/such/file"]);
    refused(&["replay", "/no/such/file"], &["/no/such/file"]);
    refused(&["replay", "-", "--until", "soon"], &["--until", "milliseconds"]);
    refused(&["chaos", "--listen", "here", "--upstream", "127.0.0.1:1"], &["--listen", "here", "IP:PORT"]);
    refused(&["connect"], &["URL"]);
    refused(&["connect", "htp://127.0.0.1/"], &["htp", "ws"]);
    refused(&["connect", "ws://"], &["ws://"]);
    refused(&["connect", "ws://127.0.0.1:99999/"], &["99999"]);
    refused(&["connect", "ws://127.0.0.1:1/", "--header", "nonsense"], &["--header nonsense", "NAME:VALUE"]);
    refused(&["connect", "ws://127.0.0.1:1/", "--header", "a b: c"], &["a b"]);
    refused(&["connect", "ws://127.0.0.1:1/", "--record", "/no/such/folder/file"], &["--record"]);
}

#[test]
fn bad_files_are_named_with_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let case = |name: &str, text: &str, args: &[&str], named: &[&str]| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        refused(&[args, &[file.to_str().unwrap()]].concat(), &[named, &[name]].concat());
    };
    let policy = ["schedule", "--policy"];
    case("a.json", "{\"baseDelay\":\"soon\"}", &policy, &["baseDelay", "soon", "milliseconds", "line 1"]);
    case("b.json", "{\n\"baseDelay\":1,\n", &policy, &["line 3"]);
    case("c.json", "{} {}", &policy, &["trailing"]);
    case("d.toml", "baseDelay = 1\nmaxAttempts = 2.5\n", &policy, &["line 2", "maxAttempts", "whole number"]);
    case("e.toml", "baseDelay = \n", &policy, &["line 1"]);
    case("f.jsonl", "", &["replay"], &["line 1", "header"]);
    let header = r#"{"redial":1,"policy":{},"seed":1,"endpoints":1}"#;
    case("g.jsonl", &format!("{header}\n{{\"at\":0,\"input\":\"strt\"}}"), &["replay"], &["line 2", "strt", "start"]);
    case("h.jsonl", &format!("{header}\n{{\"at\":0,\"inp"), &["replay"], &["line 2"]);
}

#[test]
fn a_replay_fires_deadlines_and_checks() {
    let trace = concat!(
        r#"{"redial":1,"policy":{"jitter":false},"seed":1,"endpoints":1}"#,
        "\n",
        r#"{"at":0,"input":"start"}"#,
        "\n",
    );
    let output = with_stdin(&["replay", "-", "--until", "11000"], trace);
    assert!(output.status.success());
    let lines = stdout(&output);
    assert!(
        lines.starts_with(
            r#"{"at":0,"output":"dial","connection":1,"endpoint":0,"attempt":0,"freshCredentials":false}"#
        )
    );
    assert!(lines.contains(r#"{"at":10000,"output":"hangUp","connection":1,"cause":{"kind":"timeout"}}"#));
    assert!(lines.contains(r#"{"at":11000,"output":"dial","connection":2"#));
    assert!(
        with_stdin(&["replay", "-", "--until", "11000", "--set", "baseDelay=2000"], trace).stdout.len() < lines.len()
    );

    let recorded = format!("{trace}{lines}");
    assert!(with_stdin(&["replay", "-", "--check"], &recorded).status.success());
    let forged = recorded.replace("\"attempt\":0", "\"attempt\":7");
    let output = with_stdin(&["replay", "-", "--check"], &forged);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("trace line 3") && stderr.contains("\"attempt\":7"), "{stderr}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_redial"))
        .args(["schedule", "--json", "--retries", "1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
