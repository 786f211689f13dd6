//! What follows from the end of a connection: verdicts, delays and limits.

use redial::{Cause, Failover, Hint, Jitter, Limit, Notice, Phase, Quality, Verdict, VerdictKey};

use super::dialling::{Asked, Pending};
use super::{Model, Oracle, Outage, Us, micros, us};

impl Model {
    /// "`failed` and `closed` both end the connection they name", and so do timeouts: `lost` where it was ready, else
    /// `attemptFailed`.
    pub(super) fn connection_ended(&mut self, cause: Cause, oracle: &mut Oracle) {
        let was_ready = self.phase == Phase::Open;
        if was_ready {
            self.lost(cause);
        }
        self.endpoint_ended(cause);
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
        } else if self.policy.failover() == Failover::Ordered {
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
        // "Of hint and Retry-After the longer counts"
        let floor = self.hint.and_then(|hint| hint.min_delay).max(cause.retry_after()).map(us);
        let mut jittered = oracle.jittered(low, high);
        if oracle.blind {
            // It gave up because of what it drew: can that be right?
            let latest = |jittered: &Us| self.floored(*jittered, floor, self.hint).1;
            jittered = [low, high].into_iter().max_by_key(latest).unwrap_or(high);
        }
        let (least, latest) = self.floored(jittered, floor, self.hint);
        let due = oracle.due(least, latest);
        self.outage.as_mut().expect("a retry is in an outage").previous_delay = Some(jittered);
        let advised = floor.is_some() || self.hint.is_some_and(|hint| hint.spread.is_some());
        let hint = advised.then_some(due - self.now);
        self.pending =
            Some(Pending { asked: Asked::Retry, attempt, due, raw, jittered, hint, told: None, not_before: 0 });
        if self.is_held() {
            self.enter(Phase::Held);
        } else {
            self.wait_anew();
        }
    }

    /// "delay = max(delay, min(floor, maxRetryAfter)) + uniform[0, min(spread, maxRetryAfter)]; without `spread`, a fifth
    /// of the floor where the floor prevailed, else 0". Between which times the dial is due.
    fn floored(&self, delay: Us, floor: Option<Us>, hint: Option<Hint>) -> (Us, Us) {
        let cap = us(self.policy.max_retry_after());
        // "a fifth of the floor": of the honoured floor, as the model reads it.
        let floor = floor.unwrap_or(0).min(cap);
        let spread = match hint.and_then(|hint| hint.spread) {
            Some(spread) => us(spread).min(cap),
            None if floor > delay => rounded(floor, 5),
            None => 0,
        };
        let least = self.now + delay.max(floor);
        (least, least + spread)
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
                let share = raw * thousandths / 1000;
                (raw - share, raw + share)
            }
        };
        (self.clamped(low), self.clamped(high))
    }

    /// "while a retry waits or is held it moves that to at least the floor from now; dials of `start` and `reconnect`
    /// ignore it. `stop: true`: no retry follows (at once if one waits or is held; `gaveUp` by verdict)."
    pub(super) fn advise(&mut self, hint: Hint, oracle: &mut Oracle) {
        self.hint = Some(hint);
        let Some(pending) = self.pending.filter(|pending| pending.asked == Asked::Retry) else { return };
        if hint.stop {
            self.give_up(Limit::Verdict);
            return;
        }
        let remaining = (pending.due - self.now).max(0);
        let (least, latest) = self.floored(remaining, hint.min_delay.map(us), Some(hint));
        let due = oracle.due(least, latest);
        if due > pending.due.max(self.now) {
            self.pending = Some(Pending { due, hint: Some(due - self.now), ..pending });
            if self.phase == Phase::Waiting {
                self.wait();
            }
        }
    }

    pub(super) fn is_too_late_at(&self, at: Us) -> bool {
        let is_retry = self.pending.is_some_and(|pending| pending.asked == Asked::Retry);
        // "Neither limits attempt 0."
        is_retry && self.policy.max_elapsed().is_some_and(|max| self.elapsed() + at - self.now > us(max))
    }

    /// "time in phase held and time slept (lateness beyond wakeGap) does not count."
    fn elapsed(&self) -> Us {
        let outage = self.outage.as_ref().expect("what elapses is an outage");
        let held = self.time_in(&[Phase::Held], outage.began);
        self.now - outage.began - held - outage.sleeps.iter().sum::<Us>()
    }

    pub(super) fn give_up(&mut self, limit: Limit) {
        let elapsed = micros(self.elapsed());
        let attempts = self.outage.take().expect("only an outage is given up").retries;
        self.pending = None;
        self.notice(Notice::GaveUp { limit, attempts, elapsed, cause: self.last_failure });
        self.enter(Phase::Failed);
    }
}

/// "rounded to the nearest microsecond, halves up"
fn rounded(span: Us, parts: Us) -> Us {
    (2 * span + parts) / (2 * parts)
}
