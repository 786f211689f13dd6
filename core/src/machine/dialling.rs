//! Dials to come: when they are due, what moves them, what they wait for, when there will be none.

use super::ReconnectMachine;
use super::state::{Link, Open, Outage, Pending, Retry, State};
use crate::backoff::Schedule;
use crate::cause::Cause;
use crate::input::{Hint, KeptHint};
use crate::moment::Moment;
use crate::output::{Command, Dial, Notice, Outputs, RetryScheduled};
use crate::policy::Failover;
use crate::time::{Micros, OptionalMicros};
use crate::words::{ConnectionId, HoldReason, Limit};

impl ReconnectMachine {
    pub(super) fn on_start(&mut self, now: Moment, out: &mut Outputs) {
        self.begin_anew(now);
        self.place(Pending::Start { due: now }, Haste::AtOnce, now, out);
    }

    pub(super) fn on_reconnect(&mut self, now: Moment, out: &mut Outputs) {
        self.begin_anew(now);
        self.place(Pending::Reconnect { due: now }, Haste::AtOnce, now, out);
    }

    /// A new outage on the user's behalf.
    fn begin_anew(&mut self, now: Moment) {
        self.forget_retries();
        self.end_outage(now);
        self.begin_outage(now);
        if self.policy.failover() == Failover::Ordered {
            self.mem.endpoint = 0;
        }
    }

    pub(super) const fn begin_outage(&mut self, now: Moment) {
        self.mem.outage = Outage { began: now, uncounted: Micros::ZERO };
    }

    pub(super) fn end_outage(&mut self, now: Moment) {
        // Since never is no time.
        self.mem.accounts.on_outage_over(now.since(self.mem.outage.began));
        self.mem.outage = Outage::NONE;
    }

    pub(super) fn forget_retries(&mut self) {
        self.mem.retries = 0;
        self.mem.schedule = Schedule::new(&self.policy);
    }

    /// After a failure that the policy wants retried.
    pub(super) fn schedule_retry(&mut self, cause: Cause, now: Moment, out: &mut Outputs) {
        if self.policy.max_attempts().is_some_and(|most| self.mem.retries >= most) {
            self.give_up(Limit::Attempts, cause, now, out);
            return;
        }
        let delay = self.mem.schedule.next_delay(&self.policy, &mut self.mem.rng);
        let hint = self.hinted(delay.jittered, self.mem.hint, cause.retry_after());
        let retry = Retry {
            attempt: self.mem.retries.saturating_add(1),
            due: now.after(hint.unwrap_or(delay.jittered)),
            raw: delay.raw,
            jittered: delay.jittered,
            hint: hint.into(),
            cause,
        };
        self.place_here(Pending::Retry(retry), Haste::AfterWaiting, now, out);
    }

    /// What a hint and a Retry-After make of a delay; `None` if there is neither.
    fn hinted(&mut self, delay: Micros, hint: KeptHint, retry_after: Option<Micros>) -> Option<Micros> {
        let (min_delay, spread) = (hint.min_delay.get(), hint.spread.get());
        min_delay.or(retry_after).or(spread)?;
        let most = self.policy.max_retry_after();
        let floor = min_delay.unwrap_or_default().max(retry_after.unwrap_or_default()).min(most);
        let spread = match spread {
            Some(spread) => spread.min(most).as_micros(),
            None if floor > delay => floor.as_micros() / 5,
            None => 0,
        };
        let spread = if spread == 0 { 0 } else { self.mem.rng.between(0, spread) };
        Some(delay.max(floor).saturating_add(Micros::from_micros(spread)))
    }

    /// Gives a dial its place: held, in the future, or made now.
    #[inline(never)] // once, for all that call it
    fn place(&mut self, pending: Pending, haste: Haste, now: Moment, out: &mut Outputs) {
        self.place_here(pending, haste, now, out);
    }

    /// The same, for the most expensive step, the failure: there a call would cost a tenth of it.
    #[inline(always)]
    fn place_here(&mut self, pending: Pending, haste: Haste, now: Moment, out: &mut Outputs) {
        if pending.is_held_by(self.mem.holds) {
            self.enter(State::Held { pending, since: now }, now, out);
            return;
        }
        let mut until = self.mem.bucket.next_token(self.policy.dial_budget(), pending.due().max(now));
        // A shared budget is to be asked before the step that makes the dial.
        if self.mem.bucket.is_shared() && haste != Haste::Due {
            until = until.max(now.after(Micros::from_micros(1)));
        }
        if let Pending::Retry(retry) = pending {
            if self.passes_elapsed_limit(until, now) {
                self.give_up(Limit::Elapsed, retry.cause, now, out);
                return;
            }
        }
        if until <= now && haste != Haste::AfterWaiting {
            self.dial(&pending, now, out);
        } else {
            self.notice_schedule(&pending, until, now, out);
            self.enter(State::Waiting { pending, until }, now, out);
        }
    }

    fn notice_schedule(&self, pending: &Pending, until: Moment, now: Moment, out: &mut Outputs) {
        let (raw, jittered, hint) = match pending {
            Pending::Start { .. } | Pending::Reconnect { .. } => (Micros::ZERO, Micros::ZERO, None),
            Pending::Retry(retry) => (retry.raw, retry.jittered, retry.hint.get()),
        };
        out.notice(Notice::RetryScheduled(RetryScheduled {
            attempt: pending.attempt(),
            delay: until.since(now),
            dial_at: until.timestamp(),
            raw,
            jittered,
            hint,
            budget: until.since(pending.due().max(now)),
        }));
    }

    fn dial(&mut self, pending: &Pending, now: Moment, out: &mut Outputs) {
        let (attempt, preceding) = match pending {
            Pending::Start { .. } | Pending::Reconnect { .. } => (0, Micros::ZERO),
            Pending::Retry(retry) => (retry.attempt, retry.jittered),
        };
        self.mem.bucket.take(self.policy.dial_budget(), now);
        self.mem.retries = attempt;
        self.mem.hint = KeptHint::NONE;
        self.mem.last_connection = self.mem.last_connection.saturating_add(1);
        let endpoint = self.choose_endpoint(now);
        let link = Link {
            connection: ConnectionId(self.mem.last_connection),
            attempt,
            fresh_credentials: core::mem::take(&mut self.mem.fresh_credentials),
            preceding,
        };
        self.mem.accounts.on_dial(attempt);
        out.command(Command::Dial(Dial {
            connection: link.connection,
            endpoint,
            attempt,
            fresh_credentials: link.fresh_credentials,
        }));
        let until = now.after(self.policy.connect_timeout());
        self.enter(State::Connecting { link, until }, now, out);
    }

    fn choose_endpoint(&mut self, now: Moment) -> u32 {
        match self.policy.failover() {
            Failover::Ordered => self.mem.endpoint,
            Failover::RoundRobin => {
                let endpoint = self.mem.endpoint;
                self.next_endpoint();
                endpoint
            }
            Failover::Random if self.mem.endpoints > 1 => {
                let last = u64::from(self.mem.endpoints.saturating_sub(1));
                u32::try_from(self.mem.rng.between(0, last)).unwrap_or(0)
            }
            Failover::Random => 0,
            Failover::Healthiest => self.healthiest_endpoint(now),
        }
    }

    pub(super) const fn next_endpoint(&mut self) {
        let next = self.mem.endpoint.wrapping_add(1);
        self.mem.endpoint = if next < self.mem.endpoints { next } else { 0 };
    }

    /// The time of a waiting dial has come.
    pub(super) fn on_due(&mut self, pending: Pending, now: Moment, out: &mut Outputs) {
        self.place(pending, Haste::Due, now, out);
    }

    pub(super) fn on_hold_waiting(&mut self, pending: Pending, now: Moment, out: &mut Outputs) {
        if pending.is_held_by(self.mem.holds) {
            self.enter(State::Held { pending, since: now }, now, out);
        }
    }

    pub(super) fn on_release_held(&mut self, pending: Pending, reason: HoldReason, now: Moment, out: &mut Outputs) {
        if pending.is_held_by(self.mem.holds) {
            return;
        }
        let mut pending = pending;
        let mut haste = Haste::AtOnce;
        // All devices of a building come back online in the same instant.
        if reason == HoldReason::Offline && pending.due() <= now {
            let spread = self.mem.rng.between(0, self.policy.online_spread().as_micros());
            pending.set_due(now.after(Micros::from_micros(spread)));
            haste = Haste::AfterWaiting;
        }
        self.place(pending, haste, now, out);
    }

    /// The server's advice moves a retry that waits.
    pub(super) fn on_hint_waiting(&mut self, hint: Hint, retry: Retry, until: Moment, now: Moment, out: &mut Outputs) {
        if hint.stop {
            self.give_up(Limit::Verdict, retry.cause, now, out);
            return;
        }
        let pending = Pending::Retry(self.moved(hint, retry, now));
        if pending == Pending::Retry(retry) {
            return;
        }
        let moved = self.mem.bucket.next_token(self.policy.dial_budget(), pending.due().max(now));
        // A shared budget may have it wait for longer.
        if moved <= until {
            self.mem.state = State::Waiting { pending, until };
        } else {
            self.postpone(pending, moved, now, out);
        }
    }

    /// A shared budget has no token for the dial that waits.
    pub(super) fn on_budget_waiting(
        &mut self,
        pending: Pending,
        until: Moment,
        wait: Micros,
        now: Moment,
        out: &mut Outputs,
    ) {
        let moved = now.after(wait.min(Micros::MAX_POLICY));
        if wait > Micros::ZERO && moved > until {
            self.postpone(pending, moved, now, out);
        }
    }

    /// A dial that waits does so for longer.
    #[inline(never)]
    fn postpone(&mut self, pending: Pending, until: Moment, now: Moment, out: &mut Outputs) {
        if let Pending::Retry(retry) = pending {
            if self.passes_elapsed_limit(until, now) {
                self.give_up(Limit::Elapsed, retry.cause, now, out);
                return;
            }
        }
        self.notice_schedule(&pending, until, now, out);
        self.mem.state = State::Waiting { pending, until };
    }

    /// The server's advice moves a retry that is held.
    pub(super) fn on_hint_held(&mut self, hint: Hint, retry: Retry, since: Moment, now: Moment, out: &mut Outputs) {
        if hint.stop {
            self.give_up(Limit::Verdict, retry.cause, now, out);
        } else {
            self.mem.state = State::Held { pending: Pending::Retry(self.moved(hint, retry, now)), since };
        }
    }

    /// The retry at least the hint's floor from now, never sooner than it was.
    fn moved(&mut self, hint: Hint, retry: Retry, now: Moment) -> Retry {
        let delay = retry.due.since(now);
        match self.hinted(delay, hint.into(), None) {
            Some(hinted) if hinted > delay => {
                Retry { due: now.after(hinted), hint: OptionalMicros::some(hinted), ..retry }
            }
            Some(_) | None => retry,
        }
    }

    #[cold]
    pub(super) fn give_up(&mut self, limit: Limit, cause: Cause, now: Moment, out: &mut Outputs) {
        out.notice(Notice::GaveUp { limit, attempts: self.mem.retries, elapsed: self.elapsed(now, now), cause });
        self.mem.accounts.on_gave_up();
        self.on_finished(State::Failed, now, out);
    }

    pub(super) fn on_finished(&mut self, state: State, now: Moment, out: &mut Outputs) {
        self.end_outage(now);
        self.enter(state, now, out);
    }

    fn passes_elapsed_limit(&self, dial_at: Moment, now: Moment) -> bool {
        self.policy.max_elapsed().is_some_and(|most| self.elapsed(dial_at, now) > most)
    }

    /// The outage's age at `at`, which is `now` or later, without time held or slept.
    fn elapsed(&self, at: Moment, now: Moment) -> Micros {
        let Outage { began, uncounted } = self.mem.outage;
        at.since(began).saturating_sub(uncounted).saturating_sub(self.held_so_far(now))
    }

    /// How much of the outage the present hold has taken: one from before `reconnect` belongs to the outage before.
    fn held_so_far(&self, now: Moment) -> Micros {
        match self.mem.state {
            State::Held { since, .. } => now.since(since.max(self.mem.outage.began)),
            State::Idle
            | State::Connecting { .. }
            | State::Handshaking { .. }
            | State::Open { .. }
            | State::Waiting { .. }
            | State::Closed
            | State::Failed => Micros::ZERO,
        }
    }

    /// Enters a state, on the books and in a notice.
    pub(super) fn enter(&mut self, state: State, now: Moment, out: &mut Outputs) {
        if let State::Held { .. } = self.mem.state {
            self.mem.outage.leave_out(self.held_so_far(now));
        }
        let (from, to) = (self.mem.state.phase(), state.phase());
        self.mem.state = state;
        if from != to {
            self.mem.accounts.on_phase(from, now);
            out.notice(Notice::Phase { from, to });
        }
    }

    /// How the end of a connection leaves the endpoints.
    pub(super) fn fail_over(&mut self, was_stable: bool, cause: Cause, now: Moment) {
        // No match: it would become a jump table, which the most expensive step has no room for.
        let failover = self.policy.failover();
        if failover == Failover::Ordered {
            if was_stable {
                self.mem.endpoint = 0;
            } else {
                self.next_endpoint();
            }
        } else if failover == Failover::Healthiest {
            self.judge_endpoint(was_stable, cause, now);
        }
    }

    pub(super) fn open_state(&self, link: Link, now: Moment) -> State {
        let lasting = self.policy.stable_after().max(link.preceding);
        let health = crate::health::Health::new(&self.policy, now);
        State::Open { link, open: Open { since: now, stable_at: now.after(lasting), health } }
    }
}

/// Whether a dial that is due may be made in the same breath.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Haste {
    /// It waited, and its time came before this step: a shared budget was asked.
    Due,
    AtOnce,
    /// A retry passes through the phase waiting even where its delay is zero.
    AfterWaiting,
}
