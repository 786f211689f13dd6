//! Steps of the machine, each alone: a machine that stands where the step begins is built once and cloned for each step.

use redial::{
    Cause, ConnectionId, Failover, Hint, HoldReason, Input, Jitter, Micros, NetworkDetail, Outputs, PingId, Policy,
    PolicyBuilder, ReconnectMachine, Timestamp,
};
use std::hint::black_box;
use std::num::NonZeroU32;

/// One step.
pub(crate) struct Step {
    /// Its name in the tables.
    pub(crate) name: &'static str,
    /// How many instructions it may cost.
    pub(crate) limit: u64,
    /// Makes the machine, and the time and the input of the step.
    build: fn() -> (ReconnectMachine, Timestamp, Input),
}

impl Step {
    /// Takes the step `n` times, each time with a clone of the machine. Without `HANDLE` everything but the step.
    pub(crate) fn run<const HANDLE: bool>(&self, n: u64) {
        let (machine, now, input) = (self.build)();
        for _ in 0..n {
            let mut machine = black_box(&machine).clone();
            let machine = black_box(&mut machine);
            let (now, input) = (black_box(now), black_box(input));
            if HANDLE {
                let outputs = machine.handle(now, input);
                if !outputs.is_empty() {
                    read(&outputs);
                }
            }
        }
    }

    /// How many outputs it has.
    pub(crate) fn outputs(&self) -> usize {
        let (mut machine, now, input) = (self.build)();
        machine.handle(now, input).len()
    }
}

/// As a driver reads them: by reference, and only where there are any. `black_box` on the outputs themselves would make
/// their address known outside, and so cost a copy of them (76 instructions) that no driver pays.
#[inline(never)]
fn read(outputs: &Outputs) {
    black_box(outputs.len());
}

const RECEIVED: u64 = 50;
const PONG: u64 = 150;
const OTHER: u64 = 400;
/// Up to eight endpoints are looked at, or one is judged.
const HEALTHIEST: u64 = 500;
/// Four steps in one: stable, dead, waiting, dialled.
const FOUR: u64 = 4 * 150;

/// The table of steps.
pub(crate) const STEPS: &[Step] = &[
    step("received", RECEIVED, || (open(chat()), at(101), RECEIVED_1)),
    step("received, a ping unanswered", RECEIVED, || (pinged(chat()), at(5_200), RECEIVED_1)),
    step("received, stable", RECEIVED, || (stable(), at(5_200), RECEIVED_1)),
    step("pong", PONG, || (pinged(chat()), at(5_140), PONG_1)),
    step("pong, the grade changes", PONG, || (pinged(chat()), at(5_600), PONG_1)),
    step("pong to another ping", PONG, || (pinged(chat()), at(5_140), Input::Pong { connection: C1, ping: PingId(9) })),
    step("start", OTHER, || (ReconnectMachine::new(policy(chat()), 7), at(0), Input::Start)),
    step("opened", OTHER, || (dialled(chat()), at(90), Input::Opened { connection: C1 })),
    step("opened, handshake to come", OTHER, || (dialled(strict()), at(90), Input::Opened { connection: C1 })),
    step("ready", OTHER, || (handshaking(), at(120), Input::Ready { connection: C1 })),
    step("timeout: stable", OTHER, || (open(silent()), at(5_100), Input::Timeout)),
    step("timeout: ping", OTHER, || (stable(), at(10_100), Input::Timeout)),
    step("timeout: stable and ping", OTHER, || (open(chat()), at(5_100), Input::Timeout)),
    step("timeout: ping left out", OTHER, || (pinged(chat().ping_timeout(secs(60))), at(10_100), Input::Timeout)),
    step("timeout: ping timeout", OTHER, || (pinged(chat()), at(8_100), Input::Timeout)),
    step("timeout: connect timeout", OTHER, || (dialled(chat()), at(10_000), Input::Timeout)),
    step("timeout: ready timeout", OTHER, || (handshaking(), at(2_100), Input::Timeout)),
    step("timeout: dial", OTHER, || (waiting(full()), at(60_000), Input::Timeout)),
    step("timeout: woken from sleep", OTHER, || (pinged(chat()), at(90_000), Input::Timeout)),
    step("timeout too early", OTHER, || (open(chat()), at(200), Input::Timeout)),
    step("failed, full jitter", OTHER, || (dialled(full()), at(90), FAILED_1)),
    step("failed, no jitter", OTHER, || (dialled(chat().jitter(Jitter::None)), at(90), FAILED_1)),
    step("failed, decorrelated jitter", OTHER, || (dialled(chat().jitter(Jitter::Decorrelated)), at(90), FAILED_1)),
    step("failed, Retry-After", OTHER, || (dialled(full()), at(90), UNAVAILABLE_1)),
    step("failed, hint", OTHER, || (hinted(), at(90), FAILED_1)),
    step("failed, no dial budget", OTHER, || (dialled(full().dial_budget(None)), at(90), FAILED_1)),
    step("closed while stable", OTHER, || (stable(), at(7_000), CLOSED_1)),
    step("closed while not stable", OTHER, || (open(chat()), at(900), CLOSED_1)),
    step("closed for good (1000)", OTHER, || (stable(), at(7_000), DONE_1)),
    step("gave up: attempts", OTHER, || (dialled(chat().max_attempts(0)), at(90), FAILED_1)),
    step("gave up: elapsed", OTHER, || (dialled(chat().max_elapsed(Micros::from_millis(1))), at(90), FAILED_1)),
    step("gave up: verdict", OTHER, || (dialled(chat()), at(90), FORBIDDEN_1)),
    step("hint while waiting", OTHER, || (waiting(full()), at(95), HINT)),
    step("hint while open", OTHER, || (open(chat()), at(150), HINT)),
    step("hold while waiting", OTHER, || (waiting(full()), at(95), Input::Hold { reason: HoldReason::Hidden })),
    step("release, dial due", OTHER, || (held(HoldReason::Hidden), at(60_000), RELEASE_HIDDEN)),
    step("release, dial to come", OTHER, || (held(HoldReason::Hidden), at(96), RELEASE_HIDDEN)),
    step("release offline, spread", OTHER, || (held(HoldReason::Offline), at(60_000), RELEASE_OFFLINE)),
    step("hold offline while open", OTHER, || (stable(), at(7_000), Input::Hold { reason: HoldReason::Offline })),
    step("stop while open", OTHER, || (stable(), at(7_000), Input::Stop)),
    step("stop while waiting", OTHER, || (waiting(full()), at(95), Input::Stop)),
    step("reconnect while open", OTHER, || (stable(), at(7_000), Input::Reconnect)),
    step("reconnect while waiting", OTHER, || (waiting(full()), at(95), Input::Reconnect)),
    step("busy", OTHER, || (open(chat()), at(150), Input::Busy { on: true })),
    step("stale input", OTHER, || (open(chat()), at(150), Input::Received { connection: ConnectionId(9) })),
    step("budget while waiting", OTHER, || (waiting(full()), at(95), Input::Budget { wait: secs(9) })),
    step("endpoints", OTHER, || (open(chat()), at(150), Input::Endpoints { count: NonZeroU32::MIN })),
    step("failed, healthiest of 8", HEALTHIEST, || (ninth(full()), at(900_000), failed(C9))),
    step("failed, healthiest of 8, Retry-After", HEALTHIEST, || (ninth(full()), at(900_000), unavailable(C9))),
    step("timeout: dial, healthiest of 8", HEALTHIEST, || (cooling(), at(960_000), Input::Timeout)),
    step("most outputs: 8", FOUR, || (pinged(hasty()), at(8_100), Input::Timeout)),
];

const fn step(name: &'static str, limit: u64, build: fn() -> (ReconnectMachine, Timestamp, Input)) -> Step {
    Step { name, limit, build }
}

const C1: ConnectionId = ConnectionId(1);
const RECEIVED_1: Input = Input::Received { connection: C1 };
const PONG_1: Input = Input::Pong { connection: C1, ping: PingId(1) };
const C9: ConnectionId = ConnectionId(9);
const FAILED_1: Input = failed(C1);
const FORBIDDEN_1: Input = Input::Failed { connection: C1, cause: Cause::http(404) };
const UNAVAILABLE_1: Input = unavailable(C1);
const CLOSED_1: Input = Input::Closed { connection: C1, cause: Cause::close(1006) };
const DONE_1: Input = Input::Closed { connection: C1, cause: Cause::close(1000) };
const HINT: Input = Input::Hint(Hint { min_delay: Some(Micros::from_secs(9)), spread: None, stop: false });
const RELEASE_HIDDEN: Input = Input::Release { reason: HoldReason::Hidden };
const RELEASE_OFFLINE: Input = Input::Release { reason: HoldReason::Offline };

const fn failed(connection: ConnectionId) -> Input {
    Input::Failed { connection, cause: Cause::network(NetworkDetail::Refused) }
}

const fn unavailable(connection: ConnectionId) -> Input {
    Input::Failed { connection, cause: Cause::Http { status: 503, retry_after: Some(Micros::from_secs(9)) } }
}

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const fn secs(secs: u64) -> Micros {
    Micros::from_secs(secs)
}

fn policy(builder: PolicyBuilder) -> Policy {
    builder.build().expect("in range")
}

/// The defaults: 1 s doubling to 5 s, full jitter, pings every 5 s, a dial budget.
fn chat() -> PolicyBuilder {
    Policy::builder()
}

/// The defaults, with a first delay that leaves room for a draw (the default's first is from 100 ms to 1 s too).
fn full() -> PolicyBuilder {
    chat().base_delay(secs(2))
}

/// With an application handshake.
fn strict() -> PolicyBuilder {
    chat().ready_timeout(secs(2))
}

/// Without health checks.
fn silent() -> PolicyBuilder {
    chat().health_check_interval(None)
}

/// A ping timeout, stability and a retry without delay in one step.
fn hasty() -> PolicyBuilder {
    let zero = Micros::ZERO;
    chat().base_delay(zero).max_delay(zero).min_delay(zero).stable_after(secs(8))
}

fn after(mut machine: ReconnectMachine, millis: u64, input: Input) -> ReconnectMachine {
    let _ = machine.handle(at(millis), input);
    machine
}

fn dialled(builder: PolicyBuilder) -> ReconnectMachine {
    after(ReconnectMachine::new(policy(builder), 7), 0, Input::Start)
}

/// The ninth dial, after each of eight endpoints has failed once.
fn ninth(builder: PolicyBuilder) -> ReconnectMachine {
    const EIGHT: NonZeroU32 = NonZeroU32::new(8).expect("8 is not 0");
    let builder = builder.failover(Failover::Healthiest).max_attempts(None).dial_budget(None);
    let mut machine = ReconnectMachine::new(policy(builder), 7).with_endpoints(EIGHT);
    let _ = machine.handle(at(0), Input::Start);
    for connection in (1..=8).map(ConnectionId) {
        let _ = machine.handle(at(0), failed(connection));
        let _ = machine.handle(machine.next_dial_at().expect("a retry"), Input::Timeout);
    }
    machine
}

/// The ninth dial waits, and all endpoints cool down.
fn cooling() -> ReconnectMachine {
    after(ninth(full().stable_after(secs(3_600))), 900_000, failed(C9))
}

/// Open since 100 ms, not yet stable.
fn open(builder: PolicyBuilder) -> ReconnectMachine {
    after(dialled(builder), 100, Input::Opened { connection: C1 })
}

fn handshaking() -> ReconnectMachine {
    after(dialled(strict()), 100, Input::Opened { connection: C1 })
}

/// Pinged at 5100 ms.
fn pinged(builder: PolicyBuilder) -> ReconnectMachine {
    after(open(builder), 5_100, Input::Timeout)
}

/// Stable, with its first ping answered at 5140 ms.
fn stable() -> ReconnectMachine {
    after(pinged(chat()), 5_140, PONG_1)
}

/// Retry 1 waits since 90 ms.
fn waiting(builder: PolicyBuilder) -> ReconnectMachine {
    after(dialled(builder), 90, FAILED_1)
}

fn held(reason: HoldReason) -> ReconnectMachine {
    after(waiting(full()), 95, Input::Hold { reason })
}

fn hinted() -> ReconnectMachine {
    after(dialled(full()), 50, HINT)
}
