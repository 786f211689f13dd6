//! When the next dial comes, and when none does.

use redial::{
    Cause, Command, ConnectionId, Dial, Failover, Hint, HoldReason, Jitter, Limit, Notice, Output, Phase, Quality,
    RetryScheduled, Verdict, VerdictKey,
};

use super::health::Pings;
use super::{Connection, Model, Oracle, Outage, Us, micros, timestamp, us};

/// Who asked for a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    ByStart,
    ByReconnect,
    ByRetry,
}

/// A dial to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    asked: Asked,
    attempt: u32,
    /// When it is due, waiting for its token not included.
    due: Us,
    raw: Us,
    jittered: Us,
    hint: Option<Us>,
    /// The `dialAt` of the last notice.
    told: Option<Us>,
}

impl Pending {
    /// "The dial made at once on `start` or `reconnect` is attempt 0."
    fn at_once(asked: Asked, now: Us) -> Self {
        Self { asked, attempt: 0, due: now, raw: 0, jittered: 0, hint: None, told: None }
    }
}

impl Model {
    /// "`start` acts in idle, closed and failed only."
    pub(super) fn start(&mut self, oracle: &mut Oracle) {
        if self.phase.is_terminal() {
            self.ask(Asked::ByStart, oracle);
        }
    }

    /// "dials in the same step (if the budget has a token), begins a new outage, and while open hangs up the old
    /// connection first (`lost` with cause `user`); while connecting or handshaking it does nothing."
    pub(super) fn reconnect(&mut self, oracle: &mut Oracle) {
        if !self.phase.is_connecting() {
            self.withdraw_connection();
            self.ask(Asked::ByReconnect, oracle);
        }
    }

    fn ask(&mut self, asked: Asked, oracle: &mut Oracle) {
        self.outage = Some(Outage::new(self.now));
        // "`start` and `reconnect` go back to the first"
        self.endpoint = 0;
        self.pending = Some(Pending::at_once(asked, self.now));
        self.dial_at_once_or_wait(oracle);
    }

    /// "`autoReconnectOff` holds retries only; the others hold the dial of `start` too; `reconnect` passes them all,
    /// once."
    fn is_held(&self) -> bool {
        match self.pending.map(|pending| pending.asked) {
            Some(Asked::ByRetry) => !self.holds.is_empty(),
            Some(Asked::ByStart) => self.holds.iter().any(|reason| *reason != HoldReason::AutoReconnectOff),
            Some(Asked::ByReconnect) | None => false,
        }
    }

    /// "a reason that stands already, or doesn't stand, changes nothing."
    pub(super) fn hold(&mut self, reason: HoldReason) {
        if self.holds.contains(&reason) {
            return;
        }
        self.holds.push(reason);
        if self.phase == Phase::Waiting && self.is_held() {
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
            self.wait();
        } else if reason == HoldReason::Offline {
            // "`onlineSpread` applies where `offline` is the last hold to end and the dial is due; it waits in phase
            // waiting."
            pending.due = oracle.due(now, now + us(self.policy.online_spread()));
            self.wait();
        } else {
            pending.due = now;
            self.dial_at_once_or_wait(oracle);
        }
    }

    fn dial_at_once_or_wait(&mut self, oracle: &mut Oracle) {
        if self.is_held() {
            self.enter(Phase::Held);
        } else if self.dial_at().is_some_and(|at| at <= self.now) {
            self.dial_falls_due(oracle);
        } else {
            self.wait();
        }
    }

    /// "the n-th retry": what follows from the end of the connection.
    pub(super) fn connection_ended(&mut self, cause: Cause, oracle: &mut Oracle) {
        let was_ready = self.phase == Phase::Open;
        if was_ready {
            self.lost(cause);
        }
        let connection = self.connection.take().expect("only a connection ends");
        if !was_ready {
            self.notice(Notice::AttemptFailed { connection: connection.id, attempt: connection.attempt, cause });
            self.grade(Some(Quality::Disconnected));
        }
        self.last_failure = cause;
        if matches!(cause, Cause::Http { status: 401 | 403, .. }) {
            self.refused = true;
        }
        if connection.stable {
            self.outage = Some(Outage::new(self.now));
        } else {
            // "a failed dial or an unstable connection moves on to the next endpoint"
            self.endpoint = (self.endpoint + 1) % self.endpoints;
        }
        match self.verdict(cause, connection.fresh_credentials) {
            // "close 1000 from the peer ends in closed, without `gaveUp`"
            None => {
                self.outage = None;
                self.enter(Phase::Closed);
            }
            Some(Verdict::Stop) => self.give_up(Limit::Verdict),
            // "`stop: true`: no retry follows"
            Some(Verdict::Retry) if self.hint.is_some_and(|hint| hint.stop) => self.give_up(Limit::Verdict),
            Some(Verdict::Retry) => self.retry(cause, oracle),
        }
    }

    fn verdict(&self, cause: Cause, fresh_credentials: bool) -> Option<Verdict> {
        let own = |key| self.policy.verdicts().verdict(key);
        match cause {
            Cause::Close { code, .. } => match (own(VerdictKey::Close(code)), code) {
                (Some(verdict), _) => Some(verdict),
                (None, 1000) => None,
                (None, 1002 | 1003 | 1007 | 1008 | 1009 | 1010) => Some(Verdict::Stop),
                (None, _) => Some(Verdict::Retry),
            },
            Cause::Http { status, .. } => Some(match (own(VerdictKey::Http(status)), status) {
                (Some(verdict), _) => verdict,
                (None, 400 | 404 | 410 | 426) => Verdict::Stop,
                // "a 401 or 403 on such a dial stops"
                (None, 401 | 403) if fresh_credentials => Verdict::Stop,
                (None, _) => Verdict::Retry,
            }),
            Cause::Superseded => Some(Verdict::Stop),
            Cause::Network { .. } | Cause::Timeout | Cause::PingTimeout | Cause::Protocol | Cause::User => {
                Some(Verdict::Retry)
            }
        }
    }

    fn retry(&mut self, cause: Cause, oracle: &mut Oracle) {
        let outage = self.outage.as_ref().expect("a retry is in an outage");
        // "an outage has at most maxAttempts retries; when they have failed: `gaveUp`, failed."
        if self.policy.max_attempts().is_some_and(|max| outage.retries >= max) {
            self.give_up(Limit::Attempts);
            return;
        }
        let attempt = outage.retries + 1;
        let raw = self.raw(attempt);
        let (low, high) = self.jitter_bounds(raw);
        let jittered = oracle.jittered(low, high);
        self.outage.as_mut().expect("a retry is in an outage").previous_delay = Some(jittered);
        // "Of hint and Retry-After the longer counts"
        let floor = self.hint.and_then(|hint| hint.min_delay).max(cause.retry_after()).map(us);
        let due = self.floored(jittered, floor, self.hint, oracle);
        let advised = floor.is_some() || self.hint.is_some_and(|hint| hint.spread.is_some());
        let hint = advised.then_some(due - self.now);
        self.pending = Some(Pending { asked: Asked::ByRetry, attempt, due, raw, jittered, hint, told: None });
        if self.is_held() {
            self.enter(Phase::Held);
        } else {
            self.wait();
        }
    }

    /// "delay = max(delay, min(floor, maxRetryAfter)) + uniform[0, min(spread, maxRetryAfter)]; without `spread`, a fifth
    /// of the floor where the floor prevailed, else 0"
    fn floored(&self, delay: Us, floor: Option<Us>, hint: Option<Hint>, oracle: &mut Oracle) -> Us {
        let cap = us(self.policy.max_retry_after());
        let floor = floor.unwrap_or(0).min(cap);
        let spread = match hint.and_then(|hint| hint.spread) {
            Some(spread) => us(spread).min(cap),
            None if floor > delay => rounded(floor, 5),
            None => 0,
        };
        let least = self.now + delay.max(floor);
        if spread == 0 { least } else { oracle.due(least, least + spread) }
    }

    /// "clamp(baseDelay × multiplier^(n-1), minDelay, maxDelay)"
    fn raw(&self, attempt: u32) -> Us {
        let max = us(self.policy.max_delay());
        // The tests' multipliers are multiples of 1/4: the powers are exact.
        #[allow(clippy::cast_possible_truncation)]
        let quarters = (self.policy.backoff_multiplier() * 4.0) as Us;
        let (mut delay, mut parts) = (us(self.policy.base_delay()), 1);
        for _ in 1..attempt {
            if delay > max * parts || quarters == 4 {
                break;
            }
            (delay, parts) = (delay * quarters, parts * 4);
        }
        self.clamped(rounded(delay, parts))
    }

    fn clamped(&self, delay: Us) -> Us {
        delay.min(us(self.policy.max_delay())).max(us(self.policy.min_delay()))
    }

    /// "full [minDelay, raw], equal [raw/2, raw], ratio r [raw(1-r), raw(1+r)], decorrelated [baseDelay, 3 × previous]";
    /// "A jitter's two bounds are clamped, then the draw is uniform between them."
    fn jitter_bounds(&self, raw: Us) -> (Us, Us) {
        let (low, high) = match self.policy.jitter() {
            Jitter::None => (raw, raw),
            Jitter::Full => (us(self.policy.min_delay()), raw),
            Jitter::Equal => (rounded(raw, 2), raw),
            Jitter::Decorrelated => {
                let base = us(self.policy.base_delay());
                // "the first `previous` is baseDelay"
                let previous = self.outage.as_ref().and_then(|outage| outage.previous_delay).unwrap_or(base);
                (base, 3 * previous)
            }
            Jitter::Ratio(ratio) => {
                #[allow(clippy::cast_possible_truncation)]
                let thousandths = (ratio * 1000.0).round() as Us;
                (rounded(raw * (1000 - thousandths), 1000), rounded(raw * (1000 + thousandths), 1000))
            }
        };
        (self.clamped(low), self.clamped(high))
    }

    /// "while a retry waits or is held it moves that to at least the floor from now; dials of `start` and `reconnect`
    /// ignore it. `stop: true`: no retry follows (at once if one waits or is held; `gaveUp` by verdict)."
    pub(super) fn advise(&mut self, hint: Hint, oracle: &mut Oracle) {
        self.hint = Some(hint);
        let Some(pending) = self.pending.filter(|pending| pending.asked == Asked::ByRetry) else { return };
        if hint.stop {
            self.give_up(Limit::Verdict);
            return;
        }
        let remaining = (pending.due - self.now).max(0);
        let due = self.floored(remaining, hint.min_delay.map(us), Some(hint), oracle);
        if due > pending.due.max(self.now) {
            self.pending = Some(Pending { due, hint: Some(due - self.now), ..pending });
            if self.phase == Phase::Waiting {
                self.wait();
            }
        }
    }

    /// Waits for the dial, in phase waiting.
    fn wait(&mut self) {
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

    fn is_too_late_at(&self, at: Us) -> bool {
        let is_retry = self.pending.is_some_and(|pending| pending.asked == Asked::ByRetry);
        // "Neither limits attempt 0."
        is_retry && self.policy.max_elapsed().is_some_and(|max| self.elapsed() + at - self.now > us(max))
    }

    /// "time in phase held and time slept (lateness beyond wakeGap) does not count."
    fn elapsed(&self) -> Us {
        let outage = self.outage.as_ref().expect("what elapses is an outage");
        let held = self.time_in(&[Phase::Held], outage.began);
        self.now - outage.began - held - outage.sleeps.iter().sum::<Us>()
    }

    fn give_up(&mut self, limit: Limit) {
        let elapsed = micros(self.elapsed());
        let attempts = self.outage.take().expect("only an outage is given up").retries;
        self.pending = None;
        self.notice(Notice::GaveUp { limit, attempts, elapsed, cause: self.last_failure });
        self.enter(Phase::Failed);
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
        Some(self.pending?.due.max(self.token_at()))
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
            Failover::RoundRobin => self.dials.len() as u32 % self.endpoints,
            Failover::Random => oracle.endpoint(self.endpoints),
        };
        self.dials.push(self.now);
        if pending.asked == Asked::ByRetry {
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

/// "rounded to the nearest microsecond, halves up"
fn rounded(span: Us, parts: Us) -> Us {
    (2 * span + parts) / (2 * parts)
}
