//! The binary's `demo`, from the outside.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn demo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redial"));
    command.arg("demo").args(args).stdin(Stdio::null());
    command
}

fn json_lines(output: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(output).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn number(account: &Value, key: &str) -> u64 {
    account[key].as_u64().unwrap_or_else(|| panic!("{key} in {account}"))
}

#[test]
fn every_kind_of_outage_is_survived_and_every_message_accounted_for() {
    let output = demo(&["--json", "--outages", "6", "--messages", "200", "--seed", "1"]).output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    let lines = json_lines(&output.stdout);
    let (account, events) = lines.split_last().unwrap();

    let keys: Vec<_> = account.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted = ["delivered", "downtime", "duplicated", "lost", "outOfOrder", "outages", "reconnects", "sent"];
    assert_eq!(keys, wanted);
    assert_eq!((number(account, "sent"), number(account, "outages")), (200, 6));
    assert_eq!(["delivered", "lost", "duplicated", "outOfOrder"].map(|key| number(account, key)), [200, 0, 0, 0]);
    // The slow link breaks no connection.
    assert!(number(account, "reconnects") >= 5 && account["downtime"].as_f64().unwrap() > 0.0, "{account}");

    let outages: Vec<_> = events.iter().filter_map(|event| event["outage"].as_str()).collect();
    assert_eq!(outages, ["refused", "reset", "blackHole", "acceptThenDrop", "slowLink", "restart"]);
    let of = |kind: &str| events.iter().filter(|event| event["output"] == kind).collect::<Vec<_>>();
    assert_eq!((of("sessionStarted").len(), of("sessionLost").len()), (1, 1), "the end of it all is the only one");
    assert_eq!(of("sessionResumed").len() as u64, number(account, "reconnects"));
    let replayed: u64 = of("sessionResumed").iter().map(|event| event["replayed"].as_u64().unwrap()).sum();
    assert!(replayed > 0, "the black hole swallows what is sent into it");
    for cause in [
        json!({"kind": "network", "detail": "refused"}),
        json!({"kind": "network", "detail": "reset"}),
        json!({"kind": "pingTimeout"}),
        json!({"kind": "close", "code": 1012}),
    ] {
        assert!(events.iter().any(|event| event["cause"] == cause), "no {cause}");
    }
    assert!(events.iter().any(|event| event["output"] == "qualityChanged" && event["to"] == "poor"));
}

#[test]
fn without_outages_nothing_is_lost_and_people_get_a_table() {
    let output = demo(&["--outages", "0", "--messages", "3000"]).output().unwrap();
    let text = stderr(&output);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]), "{text}");
    let row = |name: &str| text.lines().find_map(|line| line.trim_start().strip_prefix(name).map(str::trim));
    assert_eq!([row("sent"), row("delivered"), row("answers")], [Some("3000"); 3], "{text}");
    assert_eq!([row("lost"), row("duplicated"), row("out of order")], [Some("0"); 3], "{text}");
    assert_eq!([row("outages"), row("reconnects")], [Some("0"), Some("0")], "{text}");
    assert!(!text.contains('\x1b'), "colours, and no terminal");
}

/// A signal, as Ctrl-C sends it, in the middle of an outage.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_with_the_account_so_far() {
    let mut child = demo(&["--json", "--seed", "2"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("attemptFailed") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended by itself");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut rest = Vec::new();
    lines.read_to_end(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    let account = json_lines(&rest).pop().unwrap();
    assert_eq!(number(&account, "outages"), 1);
    assert_eq!((number(&account, "delivered"), number(&account, "lost")), (number(&account, "sent"), 0));
    assert!(number(&account, "sent") < 500, "{account}");
}

/// Of the page itself the tests are in `web/test`.
#[cfg(unix)]
#[test]
fn with_a_page_it_is_a_server_behind_a_network_to_break_until_an_interrupt() {
    let mut child =
        demo(&["--page", "127.0.0.1:0", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    let [server, chaos] = ["listening", "chaos"].map(|key| line[key].as_str().unwrap().to_owned());
    assert_ne!(server, chaos);
    // The page is the same through the network that it breaks.
    for address in [&server, &chaos] {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "GET / HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.0 200") && answer.contains("<title>redial"), "{answer}");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains(&format!("a faulty network on {chaos}")), "{}", stderr(&output));
}

#[test]
fn a_page_has_no_outages_of_its_own() {
    let output = demo(&["--page", "127.0.0.1:0", "--outages", "1"]).output().unwrap();
    let text = stderr(&output);
    assert_eq!((output.status.code(), text.lines().count()), (Some(2), 1), "{text}");
    assert!(text.contains("--outages"), "{text}");
}

#[test]
fn whoever_reads_its_lines_may_go_away() {
    let mut child = demo(&["--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
}

#[test]
fn a_bad_flag_is_one_line_that_says_what_is_allowed() {
    for (args, allowed) in [
        (["--outages", "1001"], "allowed: a whole number from 0 to 1000"),
        (["--outages", "-1"], "allowed: a whole number from 0 to 1000"),
        (["--messages", "0"], "allowed: a whole number from 1 to 1000000"),
        (["--messages", "many"], "allowed: a whole number from 1 to 1000000"),
        (["--seed", "0x5"], "allowed: a whole number from 0 to 18446744073709551615"),
        (["--page", "8080"], "allowed: IP:PORT"),
        (["--colour", "red"], "unexpected argument '--colour'"),
    ] {
        let [flag, value] = args;
        let output = demo(&[&format!("{flag}={value}")]).output().unwrap();
        let text = stderr(&output);
        assert_eq!((output.status.code(), text.lines().count()), (Some(2), 1), "{text}");
        assert!(text.starts_with("redial: ") && text.contains(flag) && text.contains(allowed), "{text}");
        assert!(output.stdout.is_empty());
    }
}
