//! What is recorded is what the machine was fed.

// Tests may panic, and read what they expect only.
#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod common;

use std::sync::{Arc, Mutex};

use common::*;
use redial::{HoldReason, Input, Output, ReconnectMachine, Timestamp};
use redial_driver::testing::{Message, Script, Sim};
use redial_driver::{Reconnecting, Record};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    In(Timestamp, Input),
    Out(Timestamp, Output),
}

#[derive(Clone, Debug, Default)]
struct Tape(Arc<Mutex<Vec<Line>>>);

impl Record for Tape {
    fn input(&mut self, at: Timestamp, input: &Input) {
        self.0.lock().unwrap().push(Line::In(at, *input));
    }

    fn output(&mut self, at: Timestamp, output: &Output) {
        self.0.lock().unwrap().push(Line::Out(at, *output));
    }
}

impl Tape {
    fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap().clone()
    }
}

/// A bit of everything, with full jitter.
fn recorded(sim: &Sim) -> (Vec<Line>, redial::Policy) {
    let tape = Tape::default();
    let slow = Script::AcceptAfter(span(700));
    sim.net().script([slow, Script::Fail(redial::Cause::NETWORK), slow, Script::Never, Script::AcceptAndDrop]);
    let jittery = redial::Policy::builder().max_attempts(None).build().unwrap();
    let mut connection =
        Reconnecting::builder(sim.clock(), sim.connector(), jittery, 77).recorder(Some(tape.clone())).build();
    let handle = connection.handle();
    let (net, commands) = (sim.net().clone(), handle.clone());
    sim.at(3000, move || {
        net.peer(0).send(Message::Data(1));
        net.peer(0).fail();
        commands.hold(HoldReason::Offline);
    });
    sim.at(9000, move || handle.release(HoldReason::Offline));
    let (clock, net) = (sim.clock(), sim.net().clone());
    // The clock goes back, and something happens then.
    sim.at(30_000, move || {
        clock.set(ms(20_000));
        net.peer(net.opened() - 1).send(Message::Data(2));
    });
    run(sim, &mut connection, 60_000);
    connection.stop();
    settle(sim, &mut connection);
    (tape.lines(), connection.machine().policy().clone())
}

#[test]
fn a_replay_of_the_recorded_inputs_gives_the_recorded_outputs() {
    let (lines, policy) = recorded(&Sim::new());
    let mut machine = ReconnectMachine::new(policy, 77);
    let mut replayed = Vec::new();
    for line in &lines {
        if let Line::In(at, input) = *line {
            replayed.push(*line);
            replayed.extend(machine.handle(at, input).into_iter().map(|output| Line::Out(at, output)));
        }
    }
    assert!(lines.len() > 60, "{}", lines.len());
    assert_eq!(lines, replayed);
}

#[test]
fn recorded_times_never_go_back() {
    let (lines, _) = recorded(&Sim::new());
    let times: Vec<Timestamp> = lines.iter().map(|(Line::In(at, _) | Line::Out(at, _))| *at).collect();
    assert!(times.is_sorted());
}

#[test]
fn a_recording_is_the_same_each_time() {
    assert_eq!(recorded(&Sim::new()), recorded(&Sim::new()));
}

const RECEIVED: Input = Input::Received { connection: redial::ConnectionId(1) };

/// At 5500, the ping of 5000 unanswered: from here on the machine wants to know of traffic.
fn with_unanswered_ping(sim: &Sim, connection: &mut Connection<Tape>) {
    settle(sim, connection);
    sim.net().peer(0).go_silent();
    run(sim, connection, 5500);
    assert!(connection.machine().awaits_pong());
}

#[test]
fn a_burst_of_messages_is_one_input() {
    let sim = Sim::new();
    let tape = Tape::default();
    let mut connection =
        Reconnecting::builder(sim.clock(), sim.connector(), policy(), 7).recorder(tape.clone()).build();
    with_unanswered_ping(&sim, &mut connection);
    let before = tape.lines().len();
    (0..100).for_each(|n| sim.net().peer(0).send(Message::Data(n)));
    assert_eq!(messages(&settle(&sim, &mut connection)), data(0..100));
    assert_eq!(tape.lines()[before..], [Line::In(ms(5500), RECEIVED)]);
}

#[test]
fn a_repeated_command_is_one_input() {
    let sim = Sim::new();
    let tape = Tape::default();
    let mut connection =
        Reconnecting::builder(sim.clock(), sim.connector(), policy(), 7).recorder(tape.clone()).build();
    (0..1000).for_each(|_| connection.handle().busy(true));
    settle(&sim, &mut connection);
    let busy = tape.lines().iter().filter(|line| matches!(line, Line::In(_, Input::Busy { .. }))).count();
    assert_eq!(busy, 1);
}

#[test]
fn an_input_after_its_deadline_is_recorded_with_a_timeout() {
    let sim = Sim::new();
    let tape = Tape::default();
    let mut connection =
        Reconnecting::builder(sim.clock(), sim.connector(), policy(), 7).recorder(tape.clone()).build();
    with_unanswered_ping(&sim, &mut connection);
    let before = tape.lines().len();
    sim.clock().set(ms(8100)); // the pong was due at 8000
    sim.net().peer(0).send(Message::Data(1));
    settle(&sim, &mut connection);
    let is_input = |line: &Line| matches!(line, Line::In(..));
    let inputs: Vec<Line> = tape.lines()[before..].iter().copied().filter(is_input).collect();
    assert_eq!(inputs, [Line::In(ms(8100), RECEIVED), Line::In(ms(8100), Input::Timeout)]);
}

#[cfg(feature = "recorder")]
#[test]
fn a_recorded_trace_checks() {
    let sim = Sim::new();
    let (slow, refused) = (Script::AcceptAfter(span(700)), Script::Fail(redial::Cause::http(503)));
    sim.net().script([slow, refused, slow]);
    let mut file = Vec::new();
    let recorder = redial_driver::TraceRecorder::new(&mut file);
    let mut connection = Reconnecting::builder(sim.clock(), sim.connector(), policy(), 77).recorder(recorder).build();
    let net = sim.net().clone();
    sim.at(3000, move || net.peer(0).fail());
    run(&sim, &mut connection, 20_000);
    sim.block_on(connection.close());
    assert!(connection.recorder_mut().error().is_none());
    drop(connection);
    let trace = redial::trace::Trace::parse(std::str::from_utf8(&file).unwrap()).unwrap();
    assert!(trace.lines.len() > 30);
    assert!(trace.check(trace.machine(), None).is_ok());
}
