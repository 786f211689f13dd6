//! The present connection: how it opens, lasts, is checked and ends.

use core::num::NonZeroU64;

use super::ReconnectMachine;
use super::state::{Link, Open, State};
use crate::cause::Cause;
use crate::grades::grade;
use crate::moment::Moment;
use crate::output::{Command, Notice, Outputs};
use crate::policy::{Failover, Ruling};
use crate::time::Micros;
use crate::words::{ConnectionId, HoldReason, Limit, PingId, Quality};

impl ReconnectMachine {
    /// The latest time seen.
    pub(super) fn observe(&mut self, now: Moment) -> Moment {
        if now < self.mem.now {
            self.mem.accounts.on_rewind();
        } else {
            if self.mem.now == Moment::EVER {
                self.mem.accounts.begin(now);
            }
            self.mem.now = now;
        }
        self.mem.now
    }

    /// Whether an input at `now` on this open connection comes in order and before any deadline; then it is the latest
    /// time seen.
    #[inline]
    pub(super) fn is_in_peace(&mut self, connection: ConnectionId, now: Moment) -> bool {
        let in_peace = self.mem.now <= now
            && now < self.due
            && matches!(&self.mem.state, State::Open { link, .. } if link.connection == connection);
        if in_peace {
            self.mem.now = now;
        }
        in_peace
    }

    /// Something came on the open connection, or the peer is no longer busy: it is alive.
    #[inline]
    pub(super) fn on_traffic(&mut self, now: Moment) {
        let patience = self.patience();
        match &mut self.mem.state {
            State::Open { open, .. } if open.health.awaits_pong() => {
                open.health.on_life(now);
                self.due = open.deadline(patience);
            }
            State::Open { .. }
            | State::Idle
            | State::Connecting { .. }
            | State::Handshaking { .. }
            | State::Waiting { .. }
            | State::Held { .. }
            | State::Closed
            | State::Failed => {}
        }
    }

    /// A ping was answered on the open connection.
    pub(super) fn on_pong(&mut self, connection: ConnectionId, ping: PingId, now: Moment, out: &mut Outputs) {
        let patience = self.patience();
        let State::Open { open, .. } = &mut self.mem.state else {
            return;
        };
        let Some((latency, smoothed)) = open.health.on_pong(now, ping) else {
            self.on_traffic(now);
            return;
        };
        self.due = open.deadline(patience);
        self.mem.accounts.on_latency(latency);
        let quality = grade(self.policy.quality_bounds(), self.mem.quality, smoothed);
        out.notice(Notice::HealthCheck { connection, latency, smoothed: smoothed.micros(), quality });
        self.grade(Some(quality), out);
    }

    /// Whether the deadline was passed by so much that the computer must have slept; what is beyond the gap does not
    /// count as part of the outage.
    pub(super) fn notice_sleep(&mut self, now: Moment) -> bool {
        let lateness = now.since(self.due);
        let slept = lateness.saturating_sub(self.policy.wake_gap());
        if slept == Micros::ZERO {
            return false;
        }
        self.mem.accounts.on_wake();
        self.mem.outage.leave_out(slept);
        true
    }

    /// A connection that was ready for long enough becomes stable.
    pub(super) fn settle(&mut self, now: Moment, out: &mut Outputs) {
        let State::Open { link, open } = &mut self.mem.state else {
            return;
        };
        if open.stable_at <= now {
            open.stable_at = Moment::NEVER;
            out.notice(Notice::Stable { connection: link.connection });
            self.forget_retries();
            self.end_outage(now);
            if self.policy.failover() == Failover::Healthiest {
                self.on_stable_endpoint(now);
            }
        }
    }

    pub(super) fn on_opened(&mut self, link: Link, now: Moment, out: &mut Outputs) {
        match self.policy.ready_timeout() {
            Some(timeout) => self.enter(State::Handshaking { link, until: now.after(timeout) }, now, out),
            None => self.on_ready(link, now, out),
        }
    }

    pub(super) fn on_ready(&mut self, link: Link, now: Moment, out: &mut Outputs) {
        let downtime = now.since(self.mem.outage.began);
        self.mem.accounts.on_opened(link.attempt);
        out.notice(Notice::Opened { connection: link.connection, attempt: link.attempt, downtime });
        self.grade(None, out);
        let open = self.open_state(link, now);
        self.enter(open, now, out);
    }

    /// The present connection ended, by itself or because we hung up.
    pub(super) fn on_ended(&mut self, cause: Cause, now: Moment, out: &mut Outputs) {
        let link = match self.mem.state {
            State::Connecting { link, .. } | State::Handshaking { link, .. } => {
                self.mem.accounts.on_attempt_failed();
                let Link { connection, attempt, .. } = link;
                out.notice(Notice::AttemptFailed { connection, attempt, cause });
                self.grade(Some(Quality::Disconnected), out);
                link
            }
            State::Open { link, open } => {
                self.on_lost(&link, &open, cause, now, out);
                link
            }
            State::Idle | State::Waiting { .. } | State::Held { .. } | State::Closed | State::Failed => return,
        };

        let was_stable = !self.mem.outage.is_on();
        if was_stable {
            self.begin_outage(now);
        }
        self.fail_over(was_stable, cause, now);
        if matches!(cause, Cause::Http { status: 401 | 403, .. }) {
            self.mem.fresh_credentials = true;
        }
        match self.policy.verdicts().rule(cause, link.fresh_credentials) {
            Ruling::End => self.on_finished(State::Closed, now, out),
            Ruling::Stop => self.give_up(Limit::Verdict, cause, now, out),
            Ruling::Retry if self.mem.hint.stop => {
                self.give_up(Limit::Verdict, cause, now, out);
            }
            Ruling::Retry => self.schedule_retry(cause, now, out),
        }
    }

    pub(super) fn on_lost(&mut self, link: &Link, open: &Open, cause: Cause, now: Moment, out: &mut Outputs) {
        self.mem.accounts.on_lost();
        out.notice(Notice::Lost { connection: link.connection, cause, uptime: now.since(open.since) });
        self.grade(Some(Quality::Disconnected), out);
    }

    pub(super) fn hang_up(&self, connection: ConnectionId, cause: Cause, out: &mut Outputs) {
        out.command(Command::HangUp { connection, cause });
    }

    /// The user wants the open connection no more.
    pub(super) fn hang_up_open(&mut self, link: &Link, open: &Open, now: Moment, out: &mut Outputs) {
        self.hang_up(link.connection, Cause::User, out);
        self.on_lost(link, open, Cause::User, now, out);
        if self.policy.failover() == Failover::Healthiest {
            self.judge_endpoint(!self.mem.outage.is_on(), Cause::User, now);
        }
    }

    /// A false "offline" is common: the connection stays, and a ping finds out.
    pub(super) fn on_hold_open(&mut self, reason: HoldReason, now: Moment, out: &mut Outputs) {
        match reason {
            HoldReason::Offline => {
                if let State::Open { link, open } = self.mem.state {
                    if !open.health.awaits_pong() {
                        self.ping(link.connection, now, out);
                    }
                }
            }
            HoldReason::AutoReconnectOff | HoldReason::Hidden | HoldReason::Idle => {}
        }
    }

    /// A health check's deadline has come, or the computer has slept.
    pub(super) fn on_health_due(&mut self, connection: ConnectionId, slept: bool, now: Moment, out: &mut Outputs) {
        let patience = self.patience();
        let State::Open { open, .. } = &mut self.mem.state else {
            return;
        };
        let checked = self.policy.health_check_interval().is_some();
        if slept && checked {
            // The answer to an old ping may have been lost with the sleep. It says nothing.
            self.ping(connection, now, out);
        } else if open.health.death(patience) <= now {
            self.hang_up(connection, Cause::PingTimeout, out);
            self.on_ended(Cause::PingTimeout, now, out);
        } else if open.health.ping_is_due(now) {
            if open.health.awaits_pong() {
                open.health.on_left_out(&self.policy, now);
            } else {
                self.ping(connection, now, out);
            }
        }
    }

    fn ping(&mut self, connection: ConnectionId, now: Moment, out: &mut Outputs) {
        let State::Open { open, .. } = &mut self.mem.state else {
            return;
        };
        if self.policy.health_check_interval().is_none() {
            return;
        }
        let ping = NonZeroU64::MIN.saturating_add(self.mem.last_ping);
        self.mem.last_ping = ping.get();
        open.health.on_sent(&self.policy, now, ping);
        out.command(Command::Ping { connection, ping: PingId(ping.get()) });
    }

    fn grade(&mut self, to: Option<Quality>, out: &mut Outputs) {
        let from = core::mem::replace(&mut self.mem.quality, to);
        if from != to {
            out.notice(Notice::QualityChanged { from, to });
        }
    }
}
