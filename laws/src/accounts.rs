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
        // "Where the next endpoint would be out of range it is the first": after the one that lives, or now.
        if matches!(step.input, Input::Endpoints { .. }) && self.next >= is.endpoints {
            let lives = order == Order::Ordered && was.link.is_some();
            self.next = if lives { is.endpoints - 1 } else { 0 };
        }
        if order == Order::Ordered {
            if let Some(failure) = is.failure {
                self.next = if failure.link.stable { 0 } else { (self.next + 1) % is.endpoints };
            }
            if was.asked_by_user(step).is_some() || is.link.is_some_and(|link| link.stable) {
                self.next = 0;
            }
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

/// law: healthiest
///
/// What is known of each endpoint, put together again from what was told of its connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Healthiest {
    first: Option<Us>,
    endpoints: Vec<Endpoint>,
    link: Option<Dialled>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Endpoint {
    failures: u32,
    /// The cool-down's end, or the last success.
    time: Option<Us>,
    latency: Option<Us>,
}

/// A connection by its endpoint; `None` once another may have its place.
#[derive(Clone, Copy, Debug)]
struct Dialled {
    endpoint: Option<usize>,
    latency: Option<Us>,
    stable: bool,
}

impl Healthiest {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        let known = step.after.stats(step.now).endpoints;
        if was.policy.failover() != Order::Healthiest {
            ensure!(known.is_empty(), "{known:?} is known, and nobody asks");
            return Ok(false);
        }
        let first = *self.first.get_or_insert_with(|| step.now());
        self.endpoints.resize(was.endpoints as usize, Endpoint::default());
        if step.notices().any(|notice| matches!(notice, Notice::Stable { .. })) {
            self.is_well(step.now());
        }
        self.endpoints.resize(is.endpoints as usize, Endpoint::default());
        if let Some(link) = &mut self.link {
            link.endpoint = link.endpoint.filter(|endpoint| *endpoint < self.endpoints.len());
        }
        for notice in step.notices() {
            match notice {
                Notice::HealthCheck { smoothed, .. } => {
                    if let Some(link) = &mut self.link {
                        link.latency = Some(us(smoothed));
                    }
                }
                Notice::AttemptFailed { cause, .. } | Notice::Lost { cause, .. } => {
                    self.has_ended(seen, cause, first);
                }
                _ => {}
            }
        }
        let mut met = false;
        for dial in step.dials() {
            let best = self.best(seen);
            ensure!(best == Some(dial.endpoint as usize), "{}, not {best:?} of {:?}", dial.endpoint, self.endpoints);
            self.link = Some(Dialled { endpoint: best, latency: None, stable: false });
            met |= self.endpoints.iter().any(|endpoint| endpoint.failures > 0) && is.endpoints > 1;
        }
        // Where stableAfter is 0.
        if is.link.is_some_and(|link| link.stable) && self.link.is_some_and(|link| !link.stable) {
            self.is_well(step.now());
        }
        for (place, told) in known.iter().enumerate() {
            let endpoint = self.endpoints.get(place).copied().unwrap_or_default();
            let time = if endpoint.failures > 0 { told.cooling_until } else { told.last_success };
            let told = Endpoint {
                failures: told.failures,
                time: time.map(|time| us(time) + first),
                latency: told.latency.map(us),
            };
            ensure!(told == endpoint, "endpoint {place} is {told:?}, not {endpoint:?}");
        }
        Ok(met)
    }

    fn is_well(&mut self, now: Us) {
        let Some(link) = &mut self.link else { return };
        link.stable = true;
        if let Some(endpoint) = link.endpoint.and_then(|endpoint| self.endpoints.get_mut(endpoint)) {
            (endpoint.failures, endpoint.time) = (0, Some(now));
        }
    }

    fn has_ended(&mut self, seen: &Seen<'_>, cause: Cause, first: Us) {
        /// 8.9 years.
        const LONGEST: Us = (1 << 48) - 2;
        let (now, policy) = (seen.step.now(), &seen.was.policy);
        let Some(link) = self.link.take() else { return };
        let Some(endpoint) = link.endpoint.and_then(|endpoint| self.endpoints.get_mut(endpoint)) else { return };
        if cause != Cause::User {
            let shortest = us(policy.stable_after()).max(us(policy.base_delay())).max(1);
            let most = us(policy.max_retry_after());
            let grown = (shortest << endpoint.failures).min(most);
            let asked = cause.retry_after().map_or(0, us).min(most);
            endpoint.failures = (endpoint.failures + 1).min(15);
            endpoint.time = Some((now + shortest.max(grown).max(asked)).min(first + LONGEST));
        } else if link.stable {
            endpoint.time = Some(now);
        } else {
            return;
        }
        if let Some(latency) = link.latency {
            // To eight binary digits.
            let latency = latency.clamp(1, 255 << 15);
            let lost = (Us::BITS - latency.leading_zeros()).saturating_sub(8);
            endpoint.latency = Some(latency >> lost << lost);
        }
    }

    /// Not cooling down before cooling down; then the best grade, or the soonest end; then the list's order.
    fn best(&self, seen: &Seen<'_>) -> Option<usize> {
        let (now, policy) = (seen.step.now(), &seen.was.policy);
        let bounds = policy.quality();
        let rank = |endpoint: &Endpoint| match (endpoint.time, endpoint.latency) {
            (Some(time), _) if endpoint.failures > 0 && time > now => (1, time),
            (Some(time), Some(latency)) if now - time < us(policy.max_retry_after()) => {
                let grade = if latency < us(bounds.excellent) {
                    0
                } else if latency < us(bounds.good) {
                    1
                } else if latency <= us(bounds.poor) {
                    2
                } else {
                    3
                };
                (0, grade)
            }
            _ => (0, 0),
        };
        (0..self.endpoints.len().min(redial::Endpoints::RECORDS)).min_by_key(|place| rank(&self.endpoints[*place]))
    }
}
