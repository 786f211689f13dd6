//! Traces written by hand: which deadlines a replay fires, and what a check lets pass.

#![cfg(feature = "trace")]
#![allow(clippy::unwrap_used)]

use redial::trace::{Event, Line, Trace};
use redial::{Command, ConnectionId, Input, Output, PingId, ReconnectMachine, Timestamp};

/// A trace without `timeout` lines, of one connection that opens at once, under this policy.
fn open_trace(policy: &str, more: &[String]) -> Trace {
    let header = format!("{{\"redial\":1,\"policy\":{policy},\"seed\":1}}");
    let start = [r#"{"at":0,"input":"start"}"#, r#"{"at":0,"input":"opened","connection":1}"#];
    Trace::parse(&format!("{header}\n{}\n{}\n", start.join("\n"), more.join("\n"))).unwrap()
}

fn replayed(trace: &Trace, until: Timestamp) -> Vec<(Timestamp, Output)> {
    let mut outputs = Vec::new();
    trace.replay(trace.machine(), Some(until), |at, output| outputs.push((at, output)));
    outputs
}

/// A ping that falls due while another is unanswered is left out: in these few lines there is one for each microsecond of
/// 126 years.
#[test]
fn pings_left_out_take_no_time() {
    let policy = r#"{"healthCheckInterval":0.001,"pingTimeout":9000000000000}"#;
    let last = 4_000_000_000_000;
    let trace = open_trace(policy, &[format!("{{\"at\":{last},\"input\":\"pong\",\"connection\":1,\"ping\":1}}")]);
    let (last, until) = (last * 1000, Timestamp::from_millis(8_000_000_000_000));
    let outputs = replayed(&trace, until);
    let ping = |output| matches!(output, Output::Command(Command::Ping { .. }));
    let pings: Vec<u64> = outputs.iter().filter(|(_, output)| ping(*output)).map(|(at, _)| at.as_micros()).collect();
    assert_eq!(pings, [1, last + 1]);

    let mut whole = trace;
    whole.lines.extend(outputs.iter().map(|(at, output)| Line { at: *at, event: Event::Output(*output), number: 5 }));
    assert_eq!(whole.check(whole.machine(), Some(until)), Ok(()));
}

/// A replay says what a machine says to which every timeout is told, one by one.
#[test]
fn pings_left_out_change_nothing_else() {
    let until = Timestamp::from_millis(1000);
    for (interval, timeout, pong) in
        (1..12).flat_map(|interval| [30, 33, 34].map(|pong| (interval, 20 + interval % 3, pong)))
    {
        let policy = format!(
            "{{\"jitter\":false,\"stableAfter\":41,\"healthCheckInterval\":{interval},\"pingTimeout\":{timeout},\"busyTimeout\":150}}"
        );
        let line = |at: u64, rest: &str| format!("{{\"at\":{at},\"input\":{rest}}}");
        let trace = open_trace(
            &policy,
            &[
                line(18, r#""received","connection":1"#),
                line(pong, r#""pong","connection":1,"ping":1"#),
                line(35, r#""busy","on":true"#),
                line(100, r#""hold","reason":"offline""#),
                line(120, r#""busy","on":false"#),
                line(136, r#""received","connection":1"#),
                line(300, r#""release","reason":"offline""#),
                line(305, r#""opened","connection":2"#),
            ],
        );
        let mut machine = trace.machine();
        let mut expected = Vec::new();
        let mut fire = |machine: &mut ReconnectMachine, until, input: Option<Input>| {
            while let Some(due) = machine.deadline().filter(|due| *due <= until) {
                expected.extend(machine.handle(due, Input::Timeout).iter().map(|output| (due, output)));
            }
            if let Some(input) = input {
                expected.extend(machine.handle(until, input).iter().map(|output| (until, output)));
            }
        };
        trace.inputs().for_each(|(at, input)| fire(&mut machine, at, Some(input)));
        fire(&mut machine, until, None);
        assert_eq!(replayed(&trace, until), expected, "{interval} {timeout} {pong}");
    }
}

/// A timeout that comes much later than the deadline sends a new ping: none such is passed over.
#[test]
fn a_ping_that_comes_late_is_not_left_out() {
    let trace = open_trace(r#"{"pingTimeout":1000000}"#, &[]);
    let mut machine = trace.machine();
    for (at, input) in trace.inputs() {
        let _ = machine.handle(at, input);
    }
    let _ = machine.handle(Timestamp::from_millis(5000), Input::Timeout);
    let zero = Timestamp::ZERO;
    let snapshot = machine.snapshot(Timestamp::from_millis(60_000));
    let restored = ReconnectMachine::restore(trace.header.policy.clone(), &snapshot, zero).unwrap();

    let mut outputs = Vec::new();
    let none = Trace { lines: Vec::new(), ..trace };
    none.replay(restored, Some(zero), |_, output| outputs.push(output));
    let ping = Command::Ping { connection: ConnectionId(1), ping: PingId(2) };
    assert_eq!(outputs, [Output::Command(ping)]);
}

#[test]
fn notices_of_one_instant_may_be_in_any_order() {
    let outputs = [
        r#"{"at":0,"output":"dial","connection":1,"endpoint":0,"attempt":0,"freshCredentials":false}"#,
        r#"{"at":0,"output":"phase","from":"idle","to":"connecting"}"#,
        r#"{"at":0,"output":"opened","connection":1,"attempt":0,"downtime":0}"#,
        r#"{"at":0,"output":"phase","from":"connecting","to":"open"}"#,
    ];
    let check = |outputs: &[&str]| {
        let trace = open_trace("{}", &outputs.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
        trace.check(trace.machine(), None).map_err(|difference| difference.to_string())
    };
    let [dial, idle, opened, connecting] = outputs;
    assert_eq!(check(&[dial, idle, opened, connecting]), Ok(()));
    assert_eq!(check(&[connecting, opened, dial, idle]), Ok(()));
    let twice = check(&[connecting, opened, dial, opened]).unwrap_err();
    assert_eq!(twice, format!("trace line 7: the trace has {opened}, the replay {idle}"));
    let more = check(&[opened, dial, idle]).unwrap_err();
    assert_eq!(more, format!("trace line 6: the trace has nothing more, the replay {connecting}"));
}

#[test]
fn commands_of_one_instant_keep_their_order() {
    let trace = open_trace("{}", &[r#"{"at":9,"input":"reconnect"}"#.to_owned()]);
    let (mut commands, notices): (Vec<_>, Vec<_>) = replayed(&trace, Timestamp::from_millis(9))
        .into_iter()
        .partition(|(_, output)| matches!(output, Output::Command(_)));
    assert_eq!(commands.len(), 3, "a dial, then a hang-up and a dial in one instant");
    let check = |commands: &[_]| {
        let mut whole = trace.clone();
        let outputs = notices.iter().rev().chain(commands);
        let mut lines: Vec<_> =
            outputs.map(|(at, output)| Line { at: *at, event: Event::Output(*output), number: 5 }).collect();
        lines.sort_by_key(|line| line.at);
        whole.lines.extend(lines);
        whole.check(whole.machine(), None)
    };
    assert_eq!(check(&commands), Ok(()));
    commands.swap(1, 2);
    let difference = check(&commands).unwrap_err();
    assert_eq!((difference.expected, difference.found), (Some(commands[1]), Some(commands[2])));
}
