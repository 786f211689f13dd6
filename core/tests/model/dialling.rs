//! When the next dial comes, and when none does.

use redial::{Command, ConnectionId, Dial, Failover, HoldReason, Limit, Notice, Output, Phase, RetryScheduled};

use super::health::Pings;
use super::{Connection, Model, Oracle, Outage, Us, micros, timestamp, us};

/// Who asked for a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Start,
    Reconnect,
    Retry,
}

/// A dial to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) asked: Asked,
    pub(super) attempt: u32,
    /// When it is due, waiting for its token not included.
    pub(super) due: Us,
    pub(super) raw: Us,
    pub(super) jittered: Us,
    pub(super) hint: Option<Us>,
    /// The `dialAt` of the last notice.
    pub(super) told: Option<Us>,
    /// Not before this, for the sake of a shared budget.
    pub(super) not_before: Us,
}

impl Pending {
    /// "The dial made at once on `start` or `reconnect` is attempt 0."
    fn at_once(asked: Asked, now: Us) -> Self {
        Self { asked, attempt: 0, due: now, raw: 0, jittered: 0, hint: None, told: None, not_before: 0 }
    }
}

impl Model {
    /// "`start` acts in idle, closed and failed only."
    pub(super) fn start(&mut self, oracle: &mut Oracle) {
        if self.phase.is_terminal() {
            self.ask(Asked::Start, oracle);
        }
    }

    /// "dials in the same step (if the budget has a token), begins a new outage, and while open hangs up the old
    /// connection first (`lost` with cause `user`); while connecting or handshaking it does nothing."
    pub(super) fn reconnect(&mut self, oracle: &mut Oracle) {
        if !self.phase.is_connecting() {
            self.withdraw_connection();
            self.ask(Asked::Reconnect, oracle);
        }
    }

    fn ask(&mut self, asked: Asked, oracle: &mut Oracle) {
        self.outage = Some(Outage::new(self.now));
        // "`start` and `reconnect` go back to the first"
        if self.policy.failover() == Failover::Ordered {
            self.endpoint = 0;
        }
        self.pending = Some(Pending::at_once(asked, self.now));
        self.dial_at_once_or_wait(oracle);
    }

    /// "`autoReconnectOff` holds retries only; the others hold the dial of `start` too; `reconnect` passes them all,
    /// once."
    pub(super) fn is_held(&self) -> bool {
        match self.pending.map(|pending| pending.asked) {
            Some(Asked::Retry) => !self.holds.is_empty(),
            Some(Asked::Start) => self.holds.iter().any(|reason| *reason != HoldReason::AutoReconnectOff),
            Some(Asked::Reconnect) | None => false,
        }
    }

    /// "a reason that stands already, or doesn't stand, changes nothing."
    pub(super) fn hold(&mut self, reason: HoldReason) {
        if self.holds.contains(&reason) {
            return;
        }
        self.holds.push(reason);
        if self.phase == Phase::Waiting && self.is_held() {
            self.pending.as_mut().expect("a dial waits").not_before = 0;
            self.enter(Phase::Held);
        }
        if self.phase == Phase::Open && reason == HoldReason::Offline {
            self.probe();
        }
    }

    /// "When the last hold ends, a dial that was due in the meantime is made at once (after `offline`: within
    /// `onlineSpread`), one that is still to come keeps its time."
    pub(super) fn release(&mut self, reason: HoldReason, oracle: &mut Oracle) {
        if !self.holds.contains(&reason) {
            return;
        }
        self.holds.retain(|other| *other != reason);
        if self.phase != Phase::Held || self.is_held() {
            return;
        }
        let now = self.now;
        let pending = self.pending.as_mut().expect("a dial is held");
        if pending.due > now {
            self.wait_anew();
        } else if reason == HoldReason::Offline {
            // "`onlineSpread` applies where `offline` is the last hold to end and the dial is due; it waits in phase
            // waiting."
            pending.due = oracle.due(now, now + us(self.policy.online_spread()));
            self.wait_anew();
        } else {
            pending.due = now;
            self.dial_at_once_or_wait(oracle);
        }
    }

    fn dial_at_once_or_wait(&mut self, oracle: &mut Oracle) {
        self.ask_shared_budget_first();
        if self.is_held() {
            self.enter(Phase::Held);
        } else if self.dial_at().is_some_and(|at| at <= self.now) {
            self.dial_falls_due(oracle);
        } else {
            self.wait();
        }
    }

    /// "From the first of these on, a step makes no dial but one that was waiting and due when the step began"
    fn ask_shared_budget_first(&mut self) {
        if let Some(pending) = self.pending.as_mut().filter(|_| self.shares_budget) {
            pending.not_before = self.now + 1;
        }
    }

    /// "While a dial waits, this moves it to `wait` from now, never sooner than it was"
    pub(super) fn share_budget(&mut self, wait: Us) {
        self.shares_budget = true;
        let until = self.now + wait;
        if wait > 0 && self.phase == Phase::Waiting && self.dial_at().is_some_and(|at| until > at) {
            self.pending.as_mut().expect("a dial waits").not_before = until;
            self.wait();
        }
    }

    /// Begins to wait for the dial.
    pub(super) fn wait_anew(&mut self) {
        self.ask_shared_budget_first();
        self.wait();
    }

    /// Waits for the dial, in phase waiting.
    pub(super) fn wait(&mut self) {
        let pending = self.pending.expect("a dial is waited for");
        let dial_at = self.dial_at().expect("a dial is waited for");
        // "as soon as a retry's `dialAt` would lie later than maxElapsed after the outage began, the machine gives up".
        // Waiting for a token is part of `dialAt`; that "nothing is given up for it" can also be read the other way.
        if self.is_too_late_at(dial_at) {
            self.give_up(Limit::Elapsed);
            return;
        }
        // "sent whenever the phase becomes waiting and whenever the dial's time changes there"
        if self.phase != Phase::Waiting || pending.told != Some(dial_at) {
            self.notice(Notice::RetryScheduled(RetryScheduled {
                attempt: pending.attempt,
                delay: micros(dial_at - self.now),
                dial_at: timestamp(dial_at),
                raw: micros(pending.raw),
                jittered: micros(pending.jittered),
                hint: pending.hint.map(micros),
                budget: micros(dial_at - pending.due.max(self.now)),
            }));
        }
        self.pending = Some(Pending { told: Some(dial_at), ..pending });
        self.enter(Phase::Waiting);
    }

    /// "a token bucket": from when on there is a token.
    fn token_at(&self) -> Us {
        let Some(budget) = self.policy.dial_budget() else { return 0 };
        // In microseconds of refilling. "the bucket is full at first and refills evenly"
        let (token, full) = (us(budget.refill), us(budget.refill) * Us::from(budget.burst));
        let (mut level, mut since) = (full, 0);
        for dialled_at in &self.dials {
            level = (level + dialled_at - since).min(full) - token;
            since = *dialled_at;
        }
        since + (token - level).max(0)
    }

    /// "a dial … without one waits for it in phase waiting"
    pub(super) fn dial_at(&self) -> Option<Us> {
        let pending = self.pending?;
        Some(pending.due.max(self.token_at()).max(pending.not_before))
    }

    /// The dial is made now, unless: "a dial whose timer comes late is judged again".
    pub(super) fn dial_falls_due(&mut self, oracle: &mut Oracle) {
        let pending = self.pending.expect("a dial falls due");
        if self.is_too_late_at(self.now) {
            self.give_up(Limit::Elapsed);
            return;
        }
        let endpoint = match self.policy.failover() {
            Failover::Ordered => self.endpoint,
            // "every dial takes the next."
            Failover::RoundRobin => {
                let endpoint = self.endpoint;
                self.endpoint = (endpoint + 1) % self.endpoints;
                endpoint
            }
            Failover::Random => oracle.endpoint(self.endpoints),
            Failover::Healthiest => self.healthiest(),
        };
        self.dials.push(self.now);
        if pending.asked == Asked::Retry {
            self.outage.as_mut().expect("a dial is in an outage").retries += 1;
            self.retries_dialled += 1;
        }
        // "any dial uses it up"
        self.hint = None;
        self.pending = None;
        let connection = Connection {
            id: ConnectionId(self.dials.len() as u64),
            attempt: pending.attempt,
            asked: pending.asked,
            fresh_credentials: std::mem::take(&mut self.refused),
            endpoint: Some(endpoint),
            preceding_delay: pending.jittered,
            dialled_at: self.now,
            opened_at: None,
            ready_at: None,
            stable: false,
            pings: Pings::default(),
        };
        self.outputs.push(Output::Command(Command::Dial(Dial {
            connection: connection.id,
            endpoint,
            attempt: connection.attempt,
            fresh_credentials: connection.fresh_credentials,
        })));
        self.connection = Some(connection);
        self.enter(Phase::Connecting);
    }
}
