//! Accounts.

use redial::{Cause, Command, Failover as Order, Input, Notice, Phase};

use crate::dialling::same_as_timeout;
use crate::history::Seen;
use crate::step::{Us, us};

/// law: time-adds-up
///
/// Summed up again from the notices.
#[derive(Clone, Debug)]
pub(crate) struct TimeAddsUp {
    phase: Phase,
    first: Option<Us>,
    uptime: Us,
    downtime: Us,
    held: Us,
    idle: Us,
    retries: u64,
    retries_opened: u64,
}

impl Default for TimeAddsUp {
    fn default() -> Self {
        Self {
            phase: Phase::Idle,
            first: None,
            uptime: 0,
            downtime: 0,
            held: 0,
            idle: 0,
            retries: 0,
            retries_opened: 0,
        }
    }
}

impl TimeAddsUp {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, .. } = *seen;
        let passed = step.now() - was.now.unwrap_or_else(|| step.now());
        let first = *self.first.get_or_insert_with(|| step.now());
        match self.phase {
            Phase::Open => self.uptime += passed,
            Phase::Held => self.held += passed,
            Phase::Idle | Phase::Closed | Phase::Failed => self.idle += passed,
            Phase::Connecting | Phase::Handshaking | Phase::Waiting => self.downtime += passed,
        }
        for notice in step.notices() {
            match notice {
                Notice::Phase { from, to } => {
                    ensure!(from == self.phase && to != from, "{from} became {to}, and it was {}", self.phase);
                    self.phase = to;
                }
                Notice::Opened { attempt, .. } => self.retries_opened += u64::from(attempt > 0),
                _ => {}
            }
        }
        ensure!(step.after.phase() == self.phase, "{}, and told was {}", step.after.phase(), self.phase);
        self.retries += step.dials().filter(|dial| dial.attempt > 0).count() as u64;
        let stats = step.after.stats(step.now);
        let told = [stats.uptime, stats.downtime, stats.held, stats.idle].map(us);
        let summed = [self.uptime, self.downtime, self.held, self.idle];
        ensure!(told == summed, "up, down, held, idle are {told:?}, not {summed:?}");
        ensure!(told.iter().sum::<Us>() == step.now() - first, "{told:?} is not the time since {first}");
        let (retries, opened) = (stats.retries, stats.retries_opened);
        ensure!(retries == self.retries && opened == self.retries_opened, "{opened} of {retries} retries");
        #[allow(clippy::cast_precision_loss)]
        let rate = (self.retries > 0).then(|| self.retries_opened as f64 / self.retries as f64);
        ensure!(stats.success_rate() == rate, "a success rate of {:?}", stats.success_rate());
        // Accounts go on by themselves.
        let later = step.after.stats(step.now.saturating_add(redial::Micros::from_micros(7)));
        let sum: Us = [later.uptime, later.downtime, later.held, later.idle].map(us).iter().sum();
        ensure!(sum == step.now() - first + 7, "7 µs later it is {sum}");
        Ok(passed > 0)
    }
}

/// law: one-end
#[derive(Clone, Debug, Default)]
pub(crate) struct OneEnd;

impl OneEnd {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        let mut lost = Vec::new();
        let mut failed = Vec::new();
        for notice in step.notices() {
            match notice {
                Notice::Lost { connection, cause, uptime } => {
                    let ready_at = was.link.and_then(|link| link.ready_at);
                    ensure!(ready_at == Some(step.now() - us(uptime)), "an uptime of {uptime} since {ready_at:?}");
                    lost.push((connection, cause));
                }
                Notice::AttemptFailed { connection, cause, .. } => failed.push((connection, cause)),
                _ => {}
            }
        }
        let hung_up: Vec<_> = step.hang_ups().collect();
        let ends = lost.len() + failed.len() + hung_up.len();
        let Some(link) = was.link else {
            ensure!(ends == 0, "ends of nothing: {:?}", step.outputs);
            return Self::misplaced(seen);
        };
        let ended_by = match step.input {
            Input::Failed { connection, cause } | Input::Closed { connection, cause } if connection == link.id => {
                Some(cause)
            }
            _ => hung_up.first().map(|(_, cause)| *cause),
        };
        let over = step.after.connection() != Some(link.id);
        ensure!(over == ended_by.is_some(), "over: {over}, because of {ended_by:?}");
        let Some(cause) = ended_by else {
            ensure!(ends == 0, "an end that is none: {:?}", step.outputs);
            return Self::misplaced(seen);
        };
        let end = [(link.id, cause)];
        let if_so = |so: bool| if so { &end[..] } else { &[] };
        let by_itself =
            step.names() == Some(link.id) && matches!(step.input, Input::Failed { .. } | Input::Closed { .. });
        ensure!(hung_up == if_so(!by_itself), "hung up was {hung_up:?}");
        // "except when `stop` withdraws it: then only `hangUp`"
        let withdrawn = step.input == Input::Stop && link.ready_at.is_none();
        let (is_lost, is_failed) = (link.ready_at.is_some(), link.ready_at.is_none() && !withdrawn);
        ensure!(lost == if_so(is_lost), "lost was {lost:?}");
        ensure!(failed == if_so(is_failed), "failed was {failed:?}");
        ensure!(!withdrawn || cause == Cause::User, "withdrawn because of {cause}");
        // "After `hangUp` the id is stale at once."
        let mut again = step.after.clone();
        let late = again.handle(step.now, Input::Closed { connection: link.id, cause: Cause::close(1006) });
        ensure!(late.is_empty() && !is.is_present(link.id), "{} ended twice", link.id);
        Ok(true)
    }

    /// "what else does not fit the phase is only counted."
    fn misplaced(seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, .. } = *seen;
        if !step.names().is_some_and(|id| was.is_present(id)) {
            return Ok(false);
        }
        let phase = step.before.phase();
        let fits = match step.input {
            Input::Opened { .. } => phase == Phase::Connecting,
            Input::Ready { .. } => phase == Phase::Handshaking,
            Input::Received { .. } | Input::Pong { .. } => phase == Phase::Open,
            _ => true,
        };
        if fits {
            return Ok(false);
        }
        same_as_timeout(step)?;
        let (before, after) = (step.before.stats(step.now), step.after.stats(step.now));
        ensure!(after.misplaced_inputs == before.misplaced_inputs + 1, "{} are misplaced", after.misplaced_inputs);
        Ok(true)
    }
}

/// law: failover
#[derive(Clone, Debug, Default)]
pub(crate) struct Failover {
    /// The endpoint of the next dial; of random failover any.
    next: u32,
}

impl Failover {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        let order = was.policy.failover();
        if order == Order::Ordered {
            if let Some(failure) = is.failure {
                self.next = if failure.link.stable { 0 } else { (self.next + 1) % was.endpoints };
            }
            if was.asked_by_user(step).is_some() || is.link.is_some_and(|link| link.stable) {
                self.next = 0;
            }
        }
        if self.next >= is.endpoints {
            self.next = 0;
        }
        let any = matches!(order, Order::Random | Order::Healthiest);
        let mut met = false;
        for command in step.commands() {
            let Command::Dial(dial) = command else { continue };
            ensure!(dial.endpoint < is.endpoints, "endpoint {} of {}", dial.endpoint, is.endpoints);
            ensure!(any || dial.endpoint == self.next, "{}, not {}", dial.endpoint, self.next);
            if order == Order::RoundRobin {
                self.next = (dial.endpoint + 1) % is.endpoints;
            }
            met |= is.endpoints > 1 && was.last_connection > 0;
        }
        Ok(met)
    }
}
