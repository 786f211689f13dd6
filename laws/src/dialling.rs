//! Dialling.

use redial::{Cause, Command, ConnectionId, HoldReason, Input, Limit, Notice, Output, Phase};

use crate::history::{Asked, Seen};
use crate::step::{Step, View, at_us, us};

/// law: single-flight
#[derive(Clone, Debug, Default)]
pub(crate) struct SingleFlight {
    /// From its dial until it failed, closed or was hung up.
    live: Option<ConnectionId>,
}

impl SingleFlight {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, .. } = *seen;
        if let Input::Failed { connection, .. } | Input::Closed { connection, .. } = step.input {
            self.live = self.live.filter(|live| *live != connection);
        }
        let mut met = false;
        for command in step.commands() {
            match command {
                Command::Dial(dial) => {
                    ensure!(self.live.is_none(), "{} is dialled while {:?} lives", dial.connection, self.live);
                    ensure!(dial.connection.0 == was.last_connection + 1, "{} is no new id", dial.connection);
                    self.live = Some(dial.connection);
                    met = true;
                }
                Command::HangUp { connection, .. } => {
                    ensure!(self.live == Some(connection), "{connection} is hung up, and {:?} lives", self.live);
                    self.live = None;
                }
                Command::Ping { connection, .. } => {
                    ensure!(self.live == Some(connection), "{connection} is pinged, and {:?} lives", self.live);
                }
            }
        }
        ensure!(step.after.connection() == self.live, "the getter says {:?}", step.after.connection());
        Self::times_out(seen)?;
        Ok(met)
    }

    fn times_out(seen: &Seen<'_>) -> Result<(), String> {
        let Seen { step, was, is } = *seen;
        let deadline = step.after.deadline().map(at_us);
        let policy = &was.policy;
        let patience = is.link.and_then(|link| match step.after.phase() {
            Phase::Connecting => Some(link.dialled_at + us(policy.connect_timeout())),
            Phase::Handshaking => Some(link.opened_at? + us(policy.ready_timeout()?)),
            Phase::Idle | Phase::Open | Phase::Waiting | Phase::Held | Phase::Closed | Phase::Failed => None,
        });
        ensure!(patience.is_none() || deadline == patience, "times out at {deadline:?}, not {patience:?}");
        if step.input == Input::Timeout && step.before.phase().is_connecting() && step.lateness() >= Some(0) {
            let Some(link) = was.link else { return Err("a dial without a connection".into()) };
            let hung_up = step.hang_ups().any(|end| end == (link.id, Cause::Timeout));
            let (connection, attempt) = (link.id, link.attempt);
            let told = Notice::AttemptFailed { connection, attempt, cause: Cause::Timeout };
            let failed = step.notices().any(|notice| notice == told);
            ensure!(hung_up && failed, "not hung up ({hung_up}) or not told ({failed})");
        }
        Ok(())
    }
}

/// law: stale-is-silent
#[derive(Clone, Debug, Default)]
pub(crate) struct StaleIsSilent;

impl StaleIsSilent {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, .. } = *seen;
        if step.names().is_none_or(|id| was.is_present(id)) {
            return Ok(false);
        }
        same_as_timeout(step)?;
        let (before, after) = (step.before.stats(step.now), step.after.stats(step.now));
        ensure!(after.stale_inputs == before.stale_inputs + 1, "{} stale inputs counted", after.stale_inputs);
        ensure!(after.misplaced_inputs == before.misplaced_inputs, "a stale input was counted as misplaced");
        Ok(true)
    }
}

/// An input that has no say: what happens is what a timeout in its place would do. Only a timeout wakes, though: where
/// nothing but stability was due, nothing is still due once another input is done.
pub(crate) fn same_as_timeout(step: &Step<'_>) -> Result<(), String> {
    if step.slept() > 0 && step.notices().any(|notice| matches!(notice, Notice::Stable { .. })) {
        return Ok(());
    }
    let (machine, outputs): (_, Vec<Output>) = step.if_timeout();
    ensure!(outputs == step.outputs, "{:?}, where a timeout would say {outputs:?}", step.outputs);
    let [is, should] = [step.after, &machine].map(|machine| View::of(machine, step.now).without_counts());
    ensure!(is == should, "{is:?}, where a timeout would lead to {should:?}");
    Ok(())
}

/// law: terminal-is-quiet
#[derive(Clone, Debug, Default)]
pub(crate) struct TerminalIsQuiet;

impl TerminalIsQuiet {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let step = seen.step;
        let (before, after) = (step.before.phase(), step.after.phase());
        let deadline = step.after.deadline();
        ensure!(!after.is_terminal() || deadline.is_none(), "a deadline in {after}: {deadline:?}");
        if !before.is_terminal() || matches!(step.input, Input::Start | Input::Reconnect) {
            return Ok(false);
        }
        ensure!(step.outputs.is_empty(), "in {before} it says {:?}", step.outputs);
        ensure!(after == before, "{before} became {after}");
        Ok(true)
    }
}

/// law: never-stuck
#[derive(Clone, Debug, Default)]
pub(crate) struct NeverStuck;

impl NeverStuck {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        let phase = step.after.phase();
        let quiet = was.policy.health_check_interval().is_none() && is.link.is_some_and(|link| link.stable);
        let moves = match phase {
            Phase::Idle | Phase::Closed | Phase::Failed => return Ok(false),
            Phase::Connecting | Phase::Handshaking | Phase::Waiting => step.after.deadline().is_some(),
            Phase::Held => {
                !step.after.holds().is_empty() && is.pending.is_some_and(|dial| is.holds_dial_of(dial.asked))
            }
            Phase::Open => step.after.deadline().is_some() || quiet,
        };
        ensure!(moves, "stuck in {phase}");
        // Whatever it waits for: time alone, or the end of all holds, leads on.
        let mut onwards = step.after.clone();
        for reason in HoldReason::ALL {
            let _ = onwards.handle(step.now, Input::Release { reason: *reason });
        }
        let phase = onwards.phase();
        ensure!(phase != Phase::Held, "held without a hold");
        let moves = phase.is_terminal() || onwards.deadline().is_some() || phase == Phase::Open && quiet;
        ensure!(moves, "stuck in {phase} once no hold stands");
        Ok(true)
    }
}

/// law: stop-wins
#[derive(Clone, Debug, Default)]
pub(crate) struct StopWins {
    stopped: bool,
}

impl StopWins {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, .. } = *seen;
        match step.input {
            Input::Stop => self.stopped = true,
            Input::Start | Input::Reconnect => self.stopped = false,
            _ => {}
        }
        ensure!(!self.stopped || step.dials().count() == 0, "a dial after `stop`");
        if step.input != Input::Stop {
            return Ok(self.stopped);
        }
        let (before, after) = (step.before.phase(), step.after.phase());
        if before.is_terminal() {
            ensure!(after == before && step.outputs.is_empty(), "`stop` turned {before} into {after}");
            return Ok(true);
        }
        ensure!(after == Phase::Closed, "`stop` led to {after}");
        let ends: Vec<_> = step.hang_ups().collect();
        let expected: Vec<_> = was.link.iter().map(|link| (link.id, Cause::User)).collect();
        ensure!(ends == expected, "hung up was {ends:?}, not {expected:?}");
        Ok(true)
    }
}

/// law: manual-is-immediate
#[derive(Clone, Debug, Default)]
pub(crate) struct ManualIsImmediate;

impl ManualIsImmediate {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        for notice in step.notices() {
            if let Notice::Opened { downtime, .. } = notice {
                let began = was.outage.map_or_else(|| step.now(), |outage| outage.began);
                ensure!(us(downtime) == step.now() - began, "open after {downtime}; the outage began at {began}");
            }
        }
        if !matches!(step.input, Input::Start | Input::Reconnect) {
            return Ok(false);
        }
        let Some(asked) = was.asked_by_user(step) else {
            same_as_timeout(step)?;
            return Ok(true);
        };
        let ends: Vec<_> = step.hang_ups().collect();
        let expected: Vec<_> = was.link.iter().map(|link| (link.id, Cause::User)).collect();
        ensure!(ends == expected, "hung up was {ends:?}, not {expected:?}");
        ensure!(
            ends.is_empty() || matches!(step.commands().next(), Some(Command::HangUp { .. })),
            "something comes before the old connection is hung up"
        );
        if let Some(link) = was.link {
            let lost =
                |notice| matches!(notice, Notice::Lost { connection, cause: Cause::User, .. } if connection == link.id);
            ensure!(step.notices().any(lost), "{} was not lost", link.id);
        }
        let token_at = was.soonest(step.now());
        let dials: Vec<_> = step.dials().map(|dial| dial.attempt).collect();
        if is.holds_dial_of(asked) {
            ensure!(step.after.phase() == Phase::Held && dials.is_empty(), "the dial of start passed a hold");
        } else if token_at <= step.now() {
            ensure!(dials == [0], "dialled were the attempts {dials:?}");
        } else {
            ensure!(dials.is_empty(), "a dial without a token");
            let waits =
                step.scheduled().any(|scheduled| scheduled.attempt == 0 && at_us(scheduled.dial_at) == token_at);
            ensure!(waits && step.after.phase() == Phase::Waiting, "it does not wait for the token of {token_at}");
        }
        let outage = is.outage.map(|outage| outage.began);
        ensure!(outage == Some(step.now()), "the outage began at {outage:?}");
        Ok(asked != Asked::Retry)
    }
}

/// law: holds-hold
#[derive(Clone, Debug, Default)]
pub(crate) struct HoldsHold;

impl HoldsHold {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        let stand: Vec<HoldReason> =
            HoldReason::ALL.iter().copied().filter(|reason| is.holds.contains(reason)).collect();
        ensure!(step.after.holds().iter().eq(stand.iter().copied()), "holds {:?}, not {stand:?}", step.after.holds());
        for dial in step.dials() {
            // Who asked for a dial that is over in the same step is told by what came before.
            let asked = was.asked_by_user(step).or_else(|| was.pending.map(|pending| pending.asked));
            let asked = if dial.attempt > 0 { Asked::Retry } else { asked.unwrap_or(Asked::Retry) };
            ensure!(!is.holds_dial_of(asked), "attempt {} is dialled while {stand:?} stand", dial.attempt);
        }
        if let Some(pending) = is.pending {
            let (phase, held) = (step.after.phase(), is.holds_dial_of(pending.asked));
            ensure!(phase == if held { Phase::Held } else { Phase::Waiting }, "{phase}, with {stand:?}");
        }
        Self::open_stays(seen)?;
        Self::last_hold_ends(seen)?;
        Ok(!is.holds.is_empty() || was.holds != is.holds)
    }

    fn open_stays(seen: &Seen<'_>) -> Result<(), String> {
        let Seen { step, was, .. } = *seen;
        let Input::Hold { reason } = step.input else { return Ok(()) };
        let early = step.lateness().is_none_or(|lateness| lateness < 0);
        if step.before.phase() != Phase::Open || !early {
            return Ok(());
        }
        ensure!(step.after.connection() == step.before.connection(), "an open connection did not stay");
        let unanswered = was.link.is_some_and(|link| link.ping.is_some());
        let new = !was.holds.contains(&reason) && reason == HoldReason::Offline;
        let probes = new && !unanswered && was.policy.health_check_interval().is_some();
        ensure!(step.pings().count() == usize::from(probes), "{reason}: {:?}", step.outputs);
        Ok(())
    }

    /// "When the last hold ends, a dial that was due in the meantime is made at once (after `offline`: within
    /// `onlineSpread`), one that is still to come keeps its time."
    fn last_hold_ends(seen: &Seen<'_>) -> Result<(), String> {
        let Seen { step, was, is } = *seen;
        let (Input::Release { reason }, Some(pending)) = (step.input, was.pending) else { return Ok(()) };
        let ended = was.holds_dial_of(pending.asked) && !is.holds_dial_of(pending.asked);
        let gave_up = step.notices().any(|notice| matches!(notice, Notice::GaveUp { .. }));
        let (Some(due), true, false) = (pending.due, ended, gave_up) else { return Ok(()) };
        let (now, token_at) = (step.now(), was.soonest(step.now()));
        let scheduled = step.scheduled().map(|scheduled| at_us(scheduled.dial_at)).last();
        if due > now {
            ensure!(scheduled == Some(due.max(token_at)), "still to come at {due}, now {scheduled:?}");
        } else if reason == HoldReason::Offline {
            let latest = (now + us(was.policy.online_spread())).max(token_at);
            let spread = scheduled.is_some_and(|at| now.max(token_at) <= at && at <= latest);
            ensure!(spread, "back online at {now}: a dial at {scheduled:?}, not by {latest}");
        } else if token_at <= now {
            ensure!(step.dials().count() == 1, "the dial was due at {due}, and is not made at {now}");
        } else {
            ensure!(scheduled == Some(token_at), "a token at {token_at}, a dial at {scheduled:?}");
        }
        Ok(())
    }
}

/// law: shared-budget
///
/// One machine's part: how it waits to be asked for. `core/tests/laws` lets many of them ask one budget.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedBudget;

impl SharedBudget {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        let shares = step.after.shares_budget();
        ensure!(shares == is.shares_budget, "it shares a budget: {shares}");
        let due = step.before.next_dial_at().map(at_us);
        if shares {
            // "a step makes no dial but one that was waiting and due when it began"
            for dial in step.dials() {
                ensure!(
                    due.is_some_and(|due| due <= step.now()),
                    "{} is dialled, and {due:?} was due",
                    dial.connection
                );
                let waited = was.asked_by_user(step).is_none() && is.failure.is_none();
                ensure!(waited, "{} is dialled, and did not wait", dial.connection);
            }
        }
        let Input::Budget { wait } = step.input else { return Ok(shares && step.dials().count() > 0) };
        let until = step.now() + us(wait);
        let Some(due) = due.filter(|due| us(wait) > 0 && until > *due) else {
            // It says no more than that the budget is shared.
            return if was.shares_budget { same_as_timeout(step).map(|()| false) } else { Ok(false) };
        };
        ensure!(step.commands().next().is_none(), "a dial of {due} that has to wait until {until}: {:?}", step.outputs);
        if step.notices().any(|notice| matches!(notice, Notice::GaveUp { limit: Limit::Elapsed, .. })) {
            return Ok(true);
        }
        let attempt = step.before.attempt();
        ensure!(step.after.attempt() == attempt, "attempt {attempt} became {}", step.after.attempt());
        let told: Vec<_> = step.scheduled().map(|told| (told.attempt, at_us(told.dial_at))).collect();
        ensure!(told == [(attempt, until)], "{told:?}, not {until}");
        let dial_at = step.after.next_dial_at().map(at_us);
        ensure!(dial_at == Some(until), "it dials at {dial_at:?}, not {until}");
        Ok(true)
    }
}
