//! A machine with a clock in milliseconds, outputs as short sentences, and a pseudo-random walk.

#[path = "../inputs/mod.rs"]
mod inputs;

use std::num::NonZeroU32;

use redial::{
    Cause, Command, ConnectionId, DialBudget, Hint, HoldReason, Input, Jitter, Micros, Notice, Output, Phase, PingId,
    Policy, PolicyBuilder, ReconnectMachine, RetryScheduled, Timestamp,
};

pub(crate) use inputs::*;

/// `plain` with pings: one every 5 s, and 3 s to answer.
pub(crate) fn pinging() -> PolicyBuilder {
    plain().health_check_interval(ms(5000))
}

pub(crate) struct Run {
    pub(crate) machine: ReconnectMachine,
}

impl Run {
    pub(crate) fn new(builder: PolicyBuilder) -> Self {
        Self::endpoints(builder, 1)
    }

    pub(crate) fn endpoints(builder: PolicyBuilder, endpoints: u32) -> Self {
        let endpoints = NonZeroU32::new(endpoints).unwrap();
        Self { machine: ReconnectMachine::new(builder.build().unwrap(), 7).with_endpoints(endpoints) }
    }

    /// Started and opened at 0.
    pub(crate) fn open(builder: PolicyBuilder) -> Self {
        let mut run = Self::new(builder);
        run.at(0, Input::Start);
        run.at(0, opened(1));
        assert_eq!(run.machine.phase(), Phase::Open);
        run
    }

    /// Started and failed at 0.
    pub(crate) fn waiting(builder: PolicyBuilder) -> Self {
        let mut run = Self::new(builder);
        run.at(0, Input::Start);
        run.at(0, failed(1));
        assert_eq!(run.machine.phase(), Phase::Waiting);
        run
    }

    pub(crate) fn at(&mut self, millis: u64, input: Input) -> Vec<Output> {
        self.at_micros(millis * 1000, input)
    }

    pub(crate) fn at_micros(&mut self, micros: u64, input: Input) -> Vec<Output> {
        self.machine.handle(Timestamp::from_micros(micros), input).into_iter().collect()
    }

    /// The outputs as sentences: the commands in order, then the notices, sorted (their order is free).
    pub(crate) fn says(&mut self, millis: u64, input: Input) -> Vec<String> {
        sentences(&self.at(millis, input))
    }

    pub(crate) fn says_micros(&mut self, micros: u64, input: Input) -> Vec<String> {
        sentences(&self.at_micros(micros, input))
    }

    /// The deadline in microseconds.
    pub(crate) fn due(&self) -> Option<u64> {
        self.machine.deadline().map(Timestamp::as_micros)
    }

    /// A timeout a microsecond before this time says nothing and leaves the deadline; then one at it.
    pub(crate) fn falls_due(&mut self, millis: u64) -> Vec<String> {
        assert_eq!(self.due(), Some(millis * 1000), "deadline");
        assert_eq!(self.says_micros(millis * 1000 - 1, Input::Timeout), [""; 0], "a microsecond early");
        assert_eq!(self.due(), Some(millis * 1000), "deadline after an early timeout");
        self.says(millis, Input::Timeout)
    }
}

pub(crate) fn sentences(outputs: &[Output]) -> Vec<String> {
    let (mut commands, mut notices) = (Vec::new(), Vec::new());
    for output in outputs {
        match output {
            Output::Command(command) => commands.push(command_text(command)),
            Output::Notice(notice) => notices.push(notice_text(notice)),
        }
    }
    notices.sort();
    commands.append(&mut notices);
    commands
}

fn command_text(command: &Command) -> String {
    match command {
        Command::Dial(dial) => {
            let endpoint = if dial.endpoint == 0 { String::new() } else { format!(" at endpoint {}", dial.endpoint) };
            let fresh = if dial.fresh_credentials { " with fresh credentials" } else { "" };
            format!("dial {} attempt {}{endpoint}{fresh}", dial.connection, dial.attempt)
        }
        Command::HangUp { connection, cause } => format!("hang up {connection}: {cause}"),
        Command::Ping { connection, ping } => format!("ping {ping} on {connection}"),
    }
}

fn notice_text(notice: &Notice) -> String {
    let grade = |quality: &Option<redial::Quality>| quality.map_or("none", redial::Quality::as_str);
    match notice {
        Notice::Phase { from, to } => format!("{from} > {to}"),
        Notice::RetryScheduled(RetryScheduled { attempt, delay, dial_at, .. }) => {
            format!("retry {attempt} in {delay} at {}", Micros::from_micros(dial_at.as_micros()))
        }
        Notice::AttemptFailed { connection, attempt, cause } => {
            format!("attempt {attempt} ({connection}) failed: {cause}")
        }
        Notice::Opened { connection, attempt, downtime } => {
            format!("opened {connection} attempt {attempt} after {downtime}")
        }
        Notice::Stable { connection } => format!("stable {connection}"),
        Notice::Lost { connection, cause, uptime } => format!("lost {connection} after {uptime}: {cause}"),
        Notice::HealthCheck { latency, smoothed, quality, .. } => {
            format!("latency {latency}, smoothed {smoothed}: {quality}")
        }
        Notice::QualityChanged { from, to } => format!("quality {} > {}", grade(from), grade(to)),
        Notice::GaveUp { limit, attempts, elapsed, cause } => {
            format!("gave up: {limit} after {attempts} retries, {elapsed}: {cause}")
        }
        _ => panic!("a new notice: {notice:?}"),
    }
}

/// The one `retryScheduled` among the outputs.
pub(crate) fn scheduled(outputs: &[Output]) -> RetryScheduled {
    let mut found = outputs.iter().filter_map(|output| match output {
        Output::Notice(Notice::RetryScheduled(scheduled)) => Some(*scheduled),
        Output::Notice(_) | Output::Command(_) => None,
    });
    let first = found.next().expect("a retryScheduled");
    assert_eq!(found.next(), None);
    first
}

pub(crate) fn dials(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::Command(Command::Dial(_)))).count()
}

pub(crate) const fn failed(connection: u64) -> Input {
    failed_by(connection, Cause::NETWORK)
}

pub(crate) const fn failed_by(connection: u64, cause: Cause) -> Input {
    Input::Failed { connection: ConnectionId(connection), cause }
}

pub(crate) const fn closed(connection: u64) -> Input {
    closed_by(connection, Cause::close(1006))
}

pub(crate) const fn closed_by(connection: u64, cause: Cause) -> Input {
    Input::Closed { connection: ConnectionId(connection), cause }
}

/// A hint of this floor without spread.
pub(crate) const fn hint(min_delay: u64) -> Input {
    Input::Hint(Hint { min_delay: Some(ms(min_delay)), spread: Some(Micros::ZERO), stop: false })
}

/// Knuth's MMIX generator: enough to choose a walk's steps.
pub(crate) struct Lcg(pub(crate) u64);

impl Lcg {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// One step of a walk.
pub(crate) struct Step<'a> {
    pub(crate) before: &'a ReconnectMachine,
    pub(crate) after: &'a ReconnectMachine,
    pub(crate) now: Timestamp,
    pub(crate) input: Input,
    pub(crate) outputs: &'a [Output],
}

/// Policies that lead a walk into every corner.
pub(crate) fn policies() -> Vec<Policy> {
    let budget = DialBudget { burst: 2, refill: ms(700) };
    [
        Policy::builder(),
        Policy::resilient().to_builder(),
        plain().base_delay(ms(0)).max_delay(ms(0)).health_check_interval(ms(1000)).ping_timeout(ms(1000)),
        plain().stable_after(ms(0)).health_check_interval(ms(300)).ready_timeout(ms(2000)).busy_timeout(ms(500)),
        Policy::builder().max_elapsed(ms(9000)).max_attempts(None).dial_budget(budget).wake_gap(ms(0)),
        Policy::builder().jitter(Jitter::Decorrelated).online_spread(ms(0)).auto_reconnect(false),
    ]
    .into_iter()
    .map(|builder| builder.build().unwrap())
    .collect()
}

/// Thousands of steps with every policy, the law as the assertion; `fresh` makes the law's memory for each walk.
pub(crate) fn walk<M>(steps: u64, mut fresh: impl FnMut() -> M, mut law: impl FnMut(&mut M, &Step<'_>)) {
    for (seed, policy) in policies().into_iter().enumerate() {
        let mut lcg = Lcg(seed as u64 + 1);
        let mut memory = fresh();
        let mut machine = ReconnectMachine::new(policy, seed as u64).with_endpoints(NonZeroU32::new(3).unwrap());
        let mut now = Timestamp::ZERO;
        for _ in 0..steps {
            (now, machine) = {
                let (now, input) = next(&mut lcg, now, &machine);
                let mut after = machine.clone();
                let outputs: Vec<Output> = after.handle(now, input).into_iter().collect();
                law(&mut memory, &Step { before: &machine, after: &after, now, input, outputs: &outputs });
                (now, after)
            };
        }
    }
}

fn next(lcg: &mut Lcg, now: Timestamp, machine: &ReconnectMachine) -> (Timestamp, Input) {
    let deadline = machine.deadline().unwrap_or(now);
    let at = match lcg.below(8) {
        0..=2 => deadline,
        3 => Timestamp::from_micros(deadline.as_micros().saturating_sub(1)),
        4 => deadline.saturating_add(Micros::from_micros(lcg.below(30_000_000))),
        5 => now,
        _ => now.saturating_add(Micros::from_micros(lcg.below(1_500_000))),
    };
    // Mostly the present connection, sometimes another.
    let connection = machine.connection().unwrap_or(ConnectionId(1));
    let connection = if lcg.below(8) == 0 { ConnectionId(lcg.below(connection.0 + 2)) } else { connection };
    let reason = HoldReason::ALL[usize::try_from(lcg.below(4)).unwrap()];
    let code = [1000, 1001, 1006, 1008, 1012][usize::try_from(lcg.below(5)).unwrap()];
    let status = [401, 404, 503, 502][usize::try_from(lcg.below(4)).unwrap()];
    let input = match lcg.below(32) {
        0 | 1 => Input::Start,
        2 if lcg.below(3) == 0 => Input::Stop,
        3 => Input::Reconnect,
        4 => Input::Hold { reason },
        5..=7 => Input::Release { reason },
        8..=12 => Input::Opened { connection },
        13 | 14 => Input::Ready { connection },
        15 | 16 => Input::Failed { connection, cause: Cause::NETWORK },
        17 => Input::Failed { connection, cause: Cause::Http { status, retry_after: Some(ms(1500)) } },
        18 => Input::Closed { connection, cause: Cause::close(code) },
        19 | 20 => Input::Received { connection },
        21..=23 => Input::Pong { connection, ping: PingId(1 + lcg.below(200)) },
        24 => Input::Busy { on: lcg.below(2) == 0 },
        25 => Input::Hint(Hint { min_delay: Some(ms(lcg.below(4000))), spread: None, stop: lcg.below(20) == 0 }),
        _ => Input::Timeout,
    };
    (at.max(now), input)
}
