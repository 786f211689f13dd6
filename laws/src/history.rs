//! What has happened so far, as told by inputs and outputs.

use std::num::NonZeroU32;

use redial::{Cause, ConnectionId, Dial, Hint, HoldReason, Input, Notice, Phase, Policy};

use crate::exact::Bucket;
use crate::shown::Shown;
use crate::step::{Step, Us, at_us, us};

/// A step with the history before and after it.
pub(crate) struct Seen<'a> {
    pub(crate) step: &'a Step<'a>,
    pub(crate) was: &'a History,
    pub(crate) is: &'a History,
}

#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) policy: Policy,
    pub(crate) endpoints: u32,
    /// The latest time seen; `None` before the first input.
    pub(crate) now: Option<Us>,
    pub(crate) holds: Vec<HoldReason>,
    pub(crate) busy: bool,
    /// From the first `budget` on.
    pub(crate) shares_budget: bool,
    /// The newest since the last dial.
    pub(crate) hint: Option<Hint>,
    /// "after a 401 or 403 the next dial, whoever asks for it, has `freshCredentials`"
    pub(crate) refused: bool,
    pub(crate) link: Option<Link>,
    pub(crate) pending: Option<Pending>,
    pub(crate) outage: Option<Outage>,
    /// Retries dialled since the count fell back to 0.
    pub(crate) retries: u32,
    /// The delay before, for decorrelated jitter; `None` if it was never shown.
    pub(crate) previous: Option<Us>,
    pub(crate) bucket: Bucket,
    pub(crate) last_connection: u64,
    pub(crate) last_ping: u64,
    /// A connection that ended in this step, and not by the user's will.
    pub(crate) failure: Option<Failure>,
    /// The outage by which this step was judged, even if it is over now.
    pub(crate) judged: Option<Outage>,
}

/// Who asked for a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Start,
    Reconnect,
    Retry,
}

/// The present connection, from its dial on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) id: ConnectionId,
    pub(crate) attempt: u32,
    pub(crate) fresh_credentials: bool,
    /// `None` if it was never shown.
    pub(crate) preceding: Option<Us>,
    pub(crate) dialled_at: Us,
    pub(crate) opened_at: Option<Us>,
    pub(crate) ready_at: Option<Us>,
    pub(crate) stable: bool,
    pub(crate) ping: Option<Ping>,
}

/// A ping that is unanswered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ping {
    pub(crate) id: u64,
    pub(crate) sent: Us,
    /// The last sign of life; at first the sending.
    pub(crate) heard: Us,
}

/// A dial that waits or is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) asked: Asked,
    pub(crate) attempt: u32,
    /// The token of the budget aside; `None` if it was never shown.
    pub(crate) due: Option<Us>,
    pub(crate) jittered: Option<Us>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    pub(crate) began: Us,
    pub(crate) held: Us,
    pub(crate) slept: Us,
}

impl Outage {
    pub(crate) const fn new(began: Us) -> Self {
        Self { began, held: 0, slept: 0 }
    }

    /// Its age at `at`, "time in phase held and time slept" not counted.
    pub(crate) const fn elapsed(&self, at: Us) -> Us {
        let elapsed = at - self.began - self.held - self.slept;
        if elapsed > 0 { elapsed } else { 0 }
    }
}

/// How things stood when the end of a connection was judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure {
    pub(crate) link: Link,
    pub(crate) cause: Cause,
    pub(crate) retries: u32,
    pub(crate) hint: Option<Hint>,
    pub(crate) previous: Option<Us>,
    pub(crate) outage: Outage,
}

impl History {
    pub(crate) fn new(policy: &Policy, endpoints: NonZeroU32) -> Self {
        Self {
            endpoints: endpoints.get(),
            now: None,
            // "false: starts with the hold `autoReconnectOff`"
            holds: if policy.auto_reconnect() { Vec::new() } else { vec![HoldReason::AutoReconnectOff] },
            busy: false,
            shares_budget: false,
            hint: None,
            refused: false,
            link: None,
            pending: None,
            outage: None,
            retries: 0,
            previous: Some(us(policy.base_delay())),
            bucket: Bucket::full(policy.dial_budget()),
            last_connection: 0,
            last_ping: 0,
            failure: None,
            judged: None,
            policy: policy.clone(),
        }
    }

    pub(crate) fn after(&self, step: &Step<'_>) -> Self {
        let mut is = self.clone();
        is.failure = None;
        is.pass_time(step);
        is.settle(step);
        is.take(step);
        is.end(step);
        if let Some(asked) = self.asked_by_user(step) {
            is.forget_retries();
            is.outage = Some(Outage::new(step.now()));
            is.pending = Some(Pending { asked, attempt: 0, due: Some(step.now()), jittered: Some(0) });
        }
        is.open(step);
        is.schedule(step);
        for dial in step.dials() {
            is.dial(dial, step.now());
        }
        for (_, ping) in step.pings() {
            is.last_ping = ping;
            if let Some(link) = &mut is.link {
                link.ping = Some(Ping { id: ping, sent: step.now(), heard: step.now() });
            }
        }
        is.judged = is.outage;
        if step.after.phase().is_terminal() {
            is.outage = None;
            is.pending = None;
        }
        is
    }

    /// "`start` acts in idle, closed and failed only"; `reconnect` "while connecting or handshaking … does nothing".
    pub(crate) fn asked_by_user(&self, step: &Step<'_>) -> Option<Asked> {
        match step.input {
            Input::Start => step.before.phase().is_terminal().then_some(Asked::Start),
            Input::Reconnect => (!step.before.phase().is_connecting()).then_some(Asked::Reconnect),
            Input::Stop
            | Input::Hold { .. }
            | Input::Release { .. }
            | Input::Opened { .. }
            | Input::Ready { .. }
            | Input::Failed { .. }
            | Input::Closed { .. }
            | Input::Received { .. }
            | Input::Pong { .. }
            | Input::Busy { .. }
            | Input::Hint(_)
            | Input::Endpoints { .. }
            | Input::Budget { .. }
            | Input::Timeout => None,
        }
    }

    /// From when on a dial can be made that begins to wait at `now`: its own budget's token, and no sooner than a shared
    /// budget can be asked.
    pub(crate) fn soonest(&self, now: Us) -> Us {
        self.soonest_of(&self.bucket, now)
    }

    /// The same with this bucket.
    pub(crate) fn soonest_of(&self, bucket: &Bucket, now: Us) -> Us {
        bucket.token_at().max(if self.shares_budget { now + 1 } else { 0 })
    }

    /// "`autoReconnectOff` holds retries only; the others hold the dial of `start` too; `reconnect` passes them all"
    pub(crate) fn holds_dial_of(&self, asked: Asked) -> bool {
        match asked {
            Asked::Start => self.holds.iter().any(|reason| *reason != HoldReason::AutoReconnectOff),
            Asked::Reconnect => false,
            Asked::Retry => !self.holds.is_empty(),
        }
    }

    /// "a connection is stable once ready for max(stableAfter, the delay that preceded it)"
    pub(crate) fn stable_at(&self, link: &Link) -> Option<Us> {
        Some(link.ready_at? + us(self.policy.stable_after()).max(link.preceding?))
    }

    /// How long an unanswered ping may stay so.
    pub(crate) fn patience(&self) -> Us {
        us(if self.busy { self.policy.busy_timeout() } else { self.policy.ping_timeout() })
    }

    pub(crate) fn is_present(&self, id: ConnectionId) -> bool {
        self.link.is_some_and(|link| link.id == id)
    }

    fn pass_time(&mut self, step: &Step<'_>) {
        if let Some(outage) = &mut self.outage {
            if step.before.phase() == Phase::Held {
                outage.held += step.now() - self.now.unwrap_or_else(|| step.now());
            }
            outage.slept += step.slept();
        }
        self.now = Some(step.now());
    }

    /// A connection that was ready becomes stable.
    fn settle(&mut self, step: &Step<'_>) {
        for notice in step.notices() {
            if let (Notice::Stable { connection }, Some(link)) = (notice, &mut self.link) {
                if link.id == connection && link.ready_at.is_some() {
                    link.stable = true;
                    self.outage = None;
                    self.forget_retries();
                }
            }
        }
    }

    fn take(&mut self, step: &Step<'_>) {
        let named = step.names().is_some_and(|id| self.is_present(id));
        match step.input {
            Input::Hold { reason } if !self.holds.contains(&reason) => self.holds.push(reason),
            Input::Release { reason } => self.holds.retain(|other| *other != reason),
            Input::Busy { on } => {
                if self.busy && !on {
                    self.hear(step.now());
                }
                self.busy = on;
            }
            Input::Hint(hint) => self.hint = Some(hint),
            Input::Endpoints { count } => self.endpoints = count.get(),
            Input::Budget { .. } => self.shares_budget = true,
            Input::Received { .. } | Input::Pong { .. } if named => self.hear(step.now()),
            Input::Opened { .. } if named && step.before.phase() == Phase::Connecting => {
                if let Some(link) = &mut self.link {
                    link.opened_at = Some(step.now());
                }
            }
            Input::Start
            | Input::Stop
            | Input::Reconnect
            | Input::Hold { .. }
            | Input::Opened { .. }
            | Input::Ready { .. }
            | Input::Failed { .. }
            | Input::Closed { .. }
            | Input::Received { .. }
            | Input::Pong { .. }
            | Input::Timeout => {}
        }
        for notice in step.notices() {
            if let (Notice::HealthCheck { .. }, Some(link)) = (notice, &mut self.link) {
                link.ping = None;
            }
        }
    }

    fn hear(&mut self, now: Us) {
        if let Some(ping) = self.link.as_mut().and_then(|link| link.ping.as_mut()) {
            ping.heard = now;
        }
    }

    /// The present connection ends: by an input, or because it is hung up.
    fn end(&mut self, step: &Step<'_>) {
        let Some(link) = self.link else { return };
        let told = match step.input {
            Input::Failed { connection, cause } | Input::Closed { connection, cause } if connection == link.id => {
                Some(cause)
            }
            _ => None,
        };
        let hung_up = step.hang_ups().find(|(id, _)| *id == link.id).map(|(_, cause)| cause);
        let Some(cause) = told.or(hung_up) else { return };
        self.link = None;
        if told.is_none() && cause == Cause::User {
            return;
        }
        if matches!(cause, Cause::Http { status: 401 | 403, .. }) {
            self.refused = true;
        }
        // "from the loss of a stable connection": that has ended the outage before.
        let outage = self.outage.unwrap_or_else(|| Outage::new(step.now()));
        self.outage = Some(outage);
        let (retries, hint, previous) = (self.retries, self.hint, self.previous);
        self.failure = Some(Failure { link, cause, retries, hint, previous, outage });
    }

    fn forget_retries(&mut self) {
        self.retries = 0;
        self.previous = Some(us(self.policy.base_delay()));
    }

    fn open(&mut self, step: &Step<'_>) {
        for notice in step.notices() {
            if let (Notice::Opened { connection, .. }, Some(link)) = (notice, &mut self.link) {
                if link.id == connection {
                    link.opened_at.get_or_insert_with(|| step.now());
                    link.ready_at = Some(step.now());
                    // Where stableAfter is 0.
                    self.settle(step);
                }
            }
        }
    }

    fn schedule(&mut self, step: &Step<'_>) {
        if self.failure.is_some() {
            self.pending = Some(Pending { asked: Asked::Retry, attempt: self.retries + 1, due: None, jittered: None });
        }
        // A hint moves a dial in silence while it is held, or while it has to wait for its token anyhow.
        let unseen = self.pending.is_some_and(|pending| {
            pending.due.is_none() || pending.asked == Asked::Retry && matches!(step.input, Input::Hint(_))
        });
        let shown = match step.scheduled().last() {
            Some(scheduled) => Some(Shown::Waits(scheduled)),
            None if unseen && matches!(step.after.phase(), Phase::Held | Phase::Waiting) => Shown::when_released(step),
            None => None,
        };
        let Some(pending) = &mut self.pending else { return };
        let Some(shown) = shown else {
            if unseen {
                pending.due = None;
            }
            return;
        };
        match shown {
            Shown::Waits(scheduled) => {
                pending.attempt = scheduled.attempt;
                pending.due = Some(at_us(scheduled.dial_at) - us(scheduled.budget));
                pending.jittered = Some(us(scheduled.jittered));
            }
            Shown::Due => {
                pending.due = Some(step.now());
                // No delay at all was drawn for it.
                if self.failure.is_some() {
                    pending.jittered = Some(0);
                }
            }
        }
        if pending.asked == Asked::Retry && self.failure.is_some() {
            self.previous = pending.jittered;
        }
    }

    fn dial(&mut self, dial: Dial, now: Us) {
        let pending = self.pending.take();
        self.retries = dial.attempt;
        self.hint = None;
        self.refused = false;
        self.bucket.take(now);
        self.last_connection = dial.connection.0;
        self.link = Some(Link {
            id: dial.connection,
            attempt: dial.attempt,
            fresh_credentials: dial.fresh_credentials,
            preceding: if dial.attempt == 0 { Some(0) } else { pending.and_then(|pending| pending.jittered) },
            dialled_at: now,
            opened_at: None,
            ready_at: None,
            stable: false,
            ping: None,
        });
    }
}
