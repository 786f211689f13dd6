//! Health.

use redial::{Cause, Command, HoldReason, Input, Notice, Phase, Quality, QualityBounds, ReconnectMachine};

use crate::exact::Srtt;
use crate::history::Seen;
use crate::step::{Us, at_us, us};

/// What becomes of an open connection from which nothing more is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    DiesAt(Us),
    Lives,
    /// It takes too many steps to find out.
    Unknown,
}

/// Nothing but timeouts, each at its deadline.
pub(crate) fn fate(machine: &ReconnectMachine) -> Fate {
    const STEPS: u32 = 200;
    let mut machine = machine.clone();
    for _ in 0..STEPS {
        let Some(due) = machine.deadline() else { return Fate::Lives };
        let dies = machine
            .handle(due, Input::Timeout)
            .commands()
            .any(|command| matches!(command, Command::HangUp { cause: Cause::PingTimeout, .. }));
        if dies {
            return Fate::DiesAt(at_us(due));
        }
    }
    Fate::Unknown
}

/// law: one-ping
#[derive(Clone, Debug, Default)]
pub(crate) struct OnePing {
    /// When the next falls due.
    next: Option<Us>,
}

impl OnePing {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        let now = step.now();
        let pings: Vec<u64> = step.pings().map(|(_, ping)| ping).collect();
        ensure!(pings.len() <= 1, "pings {pings:?} in one step");
        let Some(interval) = was.policy.health_check_interval().map(us) else {
            ensure!(pings.is_empty(), "pings {pings:?} without an interval");
            return Ok(false);
        };
        let ready = |link: &crate::history::Link| link.ready_at.is_some();
        let Some(link) = is.link.filter(ready) else {
            self.next = None;
            ensure!(pings.is_empty(), "pings {pings:?} without an open connection");
            return Ok(false);
        };
        let answered = step.notices().any(|notice| matches!(notice, Notice::HealthCheck { .. }));
        let unanswered = was.link.is_some_and(|link| link.ping.is_some()) && !answered;
        let due = self.next.is_some_and(|next| next <= now);
        let offline = step.input == Input::Hold { reason: HoldReason::Offline }
            && !was.holds.contains(&HoldReason::Offline)
            && step.before.phase() == Phase::Open;
        let woke = step.slept() > 0;
        match pings.first() {
            Some(ping) => {
                ensure!(*ping == was.last_ping + 1, "ping {ping} after {}", was.last_ping);
                ensure!(!unanswered || woke, "ping {ping} while another is unanswered");
                ensure!(due || offline || woke, "ping {ping} at {now}, and due is {:?}", self.next);
                self.next = Some(now + interval);
            }
            None if due => {
                ensure!(unanswered, "none is unanswered, and none was sent at {now}; due is {:?}", self.next);
                self.next = Some(now + interval);
            }
            None => {}
        }
        if was.link.is_none_or(|before| before.id != link.id || before.ready_at.is_none()) {
            self.next = Some(now + interval);
        }
        // Left out or not, something happens at the latest then.
        let (deadline, next) = (step.after.deadline().map(at_us), self.next);
        ensure!(deadline.is_some() && deadline <= next, "the deadline {deadline:?} is later than the ping {next:?}");
        Ok(!pings.is_empty() || due)
    }
}

/// law: dead-peer
#[derive(Clone, Debug, Default)]
pub(crate) struct DeadPeer;

impl DeadPeer {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        // It dies in no step but that of its death.
        if step.hang_ups().any(|(_, cause)| cause == Cause::PingTimeout) {
            let Some(ping) = was.link.and_then(|link| link.ping) else {
                return Err("dead without an unanswered ping".into());
            };
            let dies = ping.sent + is.patience();
            ensure!(dies <= step.now(), "dead at {}, and not at {dies}", step.now());
        }
        // A peer that was pinged, and heard of no more, dies exactly on time.
        let ping = is.link.and_then(|link| link.ping).filter(|ping| ping.heard == ping.sent);
        let Some(ping) = ping else { return Ok(false) };
        let (dies, fate) = (ping.heard + is.patience(), fate(step.after));
        ensure!(dies > step.now(), "it should be dead since {dies}");
        ensure!(fate == Fate::DiesAt(dies) || fate == Fate::Unknown, "{fate:?}, and not at {dies}");
        Ok(true)
    }
}

/// law: traffic-is-life
#[derive(Clone, Debug, Default)]
pub(crate) struct TrafficIsLife;

impl TrafficIsLife {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        ensure!(step.after.is_busy() == is.busy, "busy is {}", step.after.is_busy());
        let life = match step.input {
            Input::Received { connection } | Input::Pong { connection, .. } => was.is_present(connection),
            Input::Busy { on } => was.busy && !on,
            _ => false,
        };
        let unanswered = |link: Option<crate::history::Link>| link.and_then(|link| link.ping).map(|ping| ping.id);
        let ping = unanswered(was.link);
        if let Some(ping) = was.link.and_then(|link| link.ping) {
            let (dies, dead) =
                (ping.heard + is.patience(), step.hang_ups().any(|(_, cause)| cause == Cause::PingTimeout));
            ensure!(!dead || dies <= step.now(), "dead at {}, and not at {dies}", step.now());
        }
        if !life || ping.is_none() || unanswered(is.link) != ping {
            return Ok(false);
        }
        let (dies, fate) = (step.now() + is.patience(), fate(step.after));
        ensure!(fate == Fate::DiesAt(dies) || fate == Fate::Unknown, "{fate:?}, and not at {dies}");
        Ok(true)
    }
}

/// law: grades
#[derive(Clone, Debug, Default)]
pub(crate) struct Grades {
    srtt: Srtt,
    /// The one latency of this connection, as long as there is one.
    constant: Option<Us>,
}

impl Grades {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, .. } = *seen;
        let (mut grade, mut met) = (step.before.quality(), false);
        for notice in step.notices() {
            match notice {
                Notice::Opened { .. } => {
                    *self = Self::default();
                    grade = None;
                    met = true;
                }
                Notice::Lost { .. } | Notice::AttemptFailed { .. } => {
                    grade = Some(Quality::Disconnected);
                    met = true;
                }
                Notice::HealthCheck { latency, quality, .. } => {
                    let (latency, first) = (us(latency), self.srtt.is_empty());
                    self.constant = if first { Some(latency) } else { self.constant.filter(|all| *all == latency) };
                    self.srtt.add(latency);
                    self.check(was.policy.quality(), grade.filter(|_| !first), quality)?;
                    grade = Some(quality);
                    met = true;
                }
                _ => {}
            }
        }
        ensure!(step.after.quality() == grade, "the grade is {:?}, not {grade:?}", step.after.quality());
        let mut last = step.before.quality();
        for notice in step.notices() {
            if let Notice::QualityChanged { from, to } = notice {
                ensure!(from == last && to != from, "from {from:?} to {to:?} after {last:?}");
                last = to;
            }
        }
        ensure!(last == step.after.quality(), "told is {last:?}");
        Ok(met)
    }

    fn check(&self, bounds: QualityBounds, before: Option<Quality>, is: Quality) -> Result<(), String> {
        if let Some(latency) = self.constant {
            let table = table(bounds, latency);
            ensure!(is == table, "{is} with one latency of {latency} µs, not {table}");
        }
        let Some(before) = before else { return Ok(()) };
        let rank = |quality| Quality::ALL.iter().position(|other| *other == quality);
        let factor = bounds.hysteresis;
        if rank(is) > rank(before) {
            // Past the bound below the new grade.
            let bound = bound_above(bounds, better_by_one(is));
            let past =
                bound.is_none_or(|bound| self.srtt.compare(bound, 1.0 + factor).is_none_or(|order| order.is_ge()));
            ensure!(past, "{before} became {is} at {:?}, {bound:?} × (1 + {factor}) was not passed", self.srtt);
        }
        if rank(is) < rank(before) {
            let bound = bound_above(bounds, is);
            let past =
                bound.is_none_or(|bound| self.srtt.compare(bound, 1.0 - factor).is_none_or(|order| order.is_le()));
            ensure!(past, "{before} became {is} at {:?}, {bound:?} × (1 − {factor}) was not passed", self.srtt);
        }
        // It does move, once it is past.
        let worse = Quality::ALL.iter().filter(|quality| rank(**quality) < rank(Quality::Disconnected));
        for quality in worse {
            let Some(bound) = bound_above(bounds, *quality) else { continue };
            let above = self.srtt.compare(bound, 1.0 + factor).is_some_and(|order| order.is_gt());
            ensure!(!above || rank(is) > rank(*quality), "{is} at {:?}, past {bound} × (1 + {factor})", self.srtt);
            let below = self.srtt.compare(bound, 1.0 - factor).is_some_and(|order| order.is_lt());
            ensure!(!below || rank(is) <= rank(*quality), "{is} at {:?}, below {bound} × (1 − {factor})", self.srtt);
        }
        Ok(())
    }
}

/// "< 50 excellent, < 100 good, ≤ 200 poor, above: disconnected"
fn table(bounds: QualityBounds, latency: Us) -> Quality {
    match latency {
        latency if latency < us(bounds.excellent) => Quality::Excellent,
        latency if latency < us(bounds.good) => Quality::Good,
        latency if latency <= us(bounds.poor) => Quality::Poor,
        _ => Quality::Disconnected,
    }
}

/// The bound from which on a latency is worse than this grade.
fn bound_above(bounds: QualityBounds, quality: Quality) -> Option<Us> {
    match quality {
        Quality::Excellent => Some(us(bounds.excellent)),
        Quality::Good => Some(us(bounds.good)),
        Quality::Poor => Some(us(bounds.poor)),
        Quality::Disconnected => None,
    }
}

const fn better_by_one(quality: Quality) -> Quality {
    match quality {
        Quality::Excellent | Quality::Good => Quality::Excellent,
        Quality::Poor => Quality::Good,
        Quality::Disconnected => Quality::Poor,
    }
}

/// law: smoothed
#[derive(Clone, Debug, Default)]
pub(crate) struct Smoothed {
    srtt: Srtt,
}

impl Smoothed {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, .. } = *seen;
        let mut met = false;
        for notice in step.notices() {
            match notice {
                Notice::Opened { .. } => self.srtt = Srtt::default(),
                Notice::HealthCheck { connection, latency, smoothed, .. } => {
                    ensure!(was.is_present(connection), "a sample of {connection}, which is not there");
                    let Some(ping) = was.link.and_then(|link| link.ping) else {
                        return Err("a sample without a ping".into());
                    };
                    let taken = step.now() - ping.sent;
                    ensure!(us(latency) == taken, "latency {latency}, and it took {taken} µs");
                    self.srtt.add(taken);
                    ensure!(self.srtt.is_within_a_microsecond(us(smoothed)), "{smoothed}, not {:?}", self.srtt);
                    ensure!(step.after.latency() == Some(smoothed), "the getter says {:?}", step.after.latency());
                    met = true;
                }
                _ => {}
            }
        }
        ensure!(!self.srtt.is_empty() || step.after.latency().is_none(), "a latency without a sample");
        Ok(met)
    }
}
