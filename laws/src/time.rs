//! Time.

use redial::{Cause, HoldReason, Input, Notice, Output, Phase, ReconnectMachine, RetryScheduled, Timestamp};

use crate::health::{Fate, fate};
use crate::history::{Asked, Seen};
use crate::step::{Us, View, at_us, timestamp};

/// law: step
#[derive(Clone, Debug, Default)]
pub(crate) struct OneStep;

impl OneStep {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let stable = Self::stable_comes_first(seen)?;
        let beaten = Self::input_beats_what_is_due(seen)?;
        let Seen { step, .. } = *seen;
        for (id, cause) in step.hang_ups() {
            let pinged = step.pings().any(|(pinged, _)| pinged == id);
            ensure!(cause != Cause::PingTimeout || !pinged, "a dead peer got a ping");
        }
        let mut again = step.after.clone();
        let rest = again.handle(step.now, Input::Timeout);
        ensure!(rest.is_empty(), "something was left for a timeout at {:?}: {rest:?}", step.now);
        ensure!(View::of(&again, step.now) == View::of(step.after, step.now), "a timeout at once changed the machine");
        Ok(stable || beaten)
    }

    fn stable_comes_first(seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        let Some(link) = was.link.filter(|link| link.ready_at.is_some() && !link.stable) else { return Ok(false) };
        let Some(stable_at) = was.stable_at(&link) else { return Ok(false) };
        let due = stable_at <= step.now();
        let told = step.notices().filter(|notice| *notice == Notice::Stable { connection: link.id }).count();
        ensure!(told == usize::from(due), "stable at {stable_at}, and told {told} times at {}", step.now());
        if let Some(failure) = is.failure.filter(|_| due) {
            ensure!(failure.outage.began == step.now(), "the end of a stable connection begins no outage");
            let attempt = step.scheduled().map(|scheduled| scheduled.attempt).max();
            ensure!(attempt.is_none_or(|attempt| attempt == 1), "retry {attempt:?} after a stable connection");
        }
        Ok(due)
    }

    /// "So an answer that comes with the deadline beats it, and `stop` and `hold` beat a due dial."
    fn input_beats_what_is_due(seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        let named = step.names().is_some_and(|id| was.is_present(id));
        if step.lateness().is_none_or(|lateness| lateness < 0) {
            return Ok(false);
        }
        let (before, after) = (step.before.phase(), step.after.phase());
        let timed_out = step.hang_ups().any(|(_, cause)| matches!(cause, Cause::Timeout | Cause::PingTimeout));
        let dials = step.dials().count();
        Ok(match step.input {
            Input::Opened { .. } if named && before == Phase::Connecting => {
                ensure!(!timed_out && after != Phase::Waiting, "the answer came with the deadline, and lost");
                true
            }
            Input::Ready { .. } if named && before == Phase::Handshaking => {
                ensure!(!timed_out && after == Phase::Open, "ready came with the deadline, and lost");
                true
            }
            Input::Failed { .. } | Input::Closed { .. } if named => {
                ensure!(!timed_out, "an end came with the deadline, and the deadline was told");
                true
            }
            Input::Received { .. } | Input::Pong { .. } if named && before == Phase::Open => {
                ensure!(!timed_out, "a sign of life came with the deadline, and the peer was declared dead");
                was.link.is_some_and(|link| link.ping.is_some())
            }
            Input::Stop => {
                ensure!(!timed_out && dials == 0, "`stop` came with the deadline, and lost");
                true
            }
            Input::Hold { reason } if before == Phase::Waiting => {
                let Some(pending) = was.pending else { return Ok(false) };
                let holds = pending.asked == Asked::Retry
                    || pending.asked == Asked::Start && reason != HoldReason::AutoReconnectOff;
                ensure!(!holds || dials == 0 && is.failure.is_none(), "`hold` came with the due dial, and lost");
                ensure!(!holds || after == Phase::Held, "`hold` came with the due dial: {after}");
                holds
            }
            _ => false,
        })
    }
}

/// law: progress
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress;

impl Progress {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let step = seen.step;
        let deadline = step.after.deadline();
        ensure!(deadline.is_none_or(|due| due > step.now), "the deadline {deadline:?} is not after {:?}", step.now);
        Ok(step.before.deadline().is_some_and(|due| due <= step.now))
    }
}

/// law: no-early-effect
#[derive(Clone, Debug, Default)]
pub(crate) struct NoEarlyEffect;

impl NoEarlyEffect {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let step = seen.step;
        let early = step.lateness().is_none_or(|lateness| lateness < 0);
        if early && step.input == Input::Timeout {
            ensure!(step.outputs.is_empty(), "an early timeout said {:?}", step.outputs);
            let views = [step.before, step.after].map(|machine| View::of(machine, step.now).without_counts());
            let [before, after] = views;
            ensure!(before == after, "an early timeout changed {before:?} to {after:?}");
        }
        let Some(due) = step.after.deadline() else { return Ok(false) };
        let mut told = step.after.clone();
        let shortly_before = timestamp(at_us(due) - 1);
        ensure!(told.handle(shortly_before, Input::Timeout).is_empty(), "a timeout a microsecond early had an effect");
        ensure!(
            View::of(&told, shortly_before) == View::of(step.after, shortly_before),
            "a timeout a microsecond early changed the machine"
        );
        let mut untold = step.after.clone();
        let (outputs, others) = (told.handle(due, Input::Timeout), untold.handle(due, Input::Timeout));
        ensure!(outputs == others, "an early timeout left a trace: {outputs:?}, not {others:?}");
        let changed = !outputs.is_empty() || told.deadline() != Some(due);
        ensure!(changed, "nothing came of the deadline {due:?}");
        Ok(true)
    }
}

/// law: time-never-rewinds
#[derive(Clone, Debug, Default)]
pub(crate) struct TimeNeverRewinds;

impl TimeNeverRewinds {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let step = seen.step;
        let views = |machine: &ReconnectMachine| View::of(machine, step.now).without_counts();
        // Accounts, too, are those of the latest time seen.
        ensure!(step.after.stats(step.at) == step.after.stats(step.now), "the accounts went back to {:?}", step.at);
        if step.at >= step.now {
            return Ok(false);
        }
        let mut latest = step.before.clone();
        let outputs: Vec<Output> = latest.handle(step.now, step.input).into_iter().collect();
        ensure!(outputs == step.outputs, "at the latest time it would say {outputs:?}, not {:?}", step.outputs);
        ensure!(views(&latest) == views(step.after), "an earlier time made another machine");
        Ok(true)
    }
}

/// law: one-dial-after-a-jump
#[derive(Clone, Debug, Default)]
pub(crate) struct OneDialAfterAJump;

impl OneDialAfterAJump {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let step = seen.step;
        let dials = step.dials().count();
        ensure!(dials <= 1, "{dials} dials in one step");
        // What a driver does next: more timeouts at the same time.
        let mut again = step.after.clone();
        let more = (0..3).map(|_| again.handle(step.now, Input::Timeout).commands().count()).sum::<usize>();
        ensure!(more == 0, "{more} commands of timeouts at the same time");
        Ok(dials == 1 && step.lateness().is_some_and(|lateness| lateness > 0))
    }
}

/// law: wake-is-not-loss
#[derive(Clone, Debug, Default)]
pub(crate) struct WakeIsNotLoss;

impl WakeIsNotLoss {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        if step.input != Input::Timeout || step.slept() == 0 {
            return Ok(false);
        }
        let policy = &was.policy;
        match step.before.phase() {
            Phase::Open => {
                ensure!(step.hang_ups().count() == 0, "it was hung up: {:?}", step.outputs);
                let phase = step.after.phase();
                ensure!(phase == Phase::Open && step.after.connection() == step.before.connection(), "now {phase}");
                let pings: Vec<u64> = step.pings().map(|(_, ping)| ping).collect();
                let expected: &[u64] =
                    if policy.health_check_interval().is_some() { &[was.last_ping + 1] } else { &[] };
                ensure!(pings == expected, "pings {pings:?}, not {expected:?}");
                if !pings.is_empty() {
                    let (dies, fate) = (step.now() + is.patience(), fate(step.after));
                    ensure!(fate == Fate::DiesAt(dies) || fate == Fate::Unknown, "{fate:?}, and not at {dies}");
                }
            }
            Phase::Waiting => {
                let gave_up = step.notices().any(|notice| matches!(notice, Notice::GaveUp { .. }));
                let may_give_up = policy.max_elapsed().is_some();
                ensure!(step.dials().count() == 1 || gave_up && may_give_up, "no dial: {:?}", step.outputs);
            }
            Phase::Connecting | Phase::Handshaking => {
                let failed =
                    step.notices().any(|notice| matches!(notice, Notice::AttemptFailed { cause: Cause::Timeout, .. }));
                ensure!(failed, "it has not failed: {:?}", step.outputs);
            }
            Phase::Idle | Phase::Held | Phase::Closed | Phase::Failed => return Ok(false),
        }
        Ok(true)
    }
}

/// law: shift-invariance
///
/// A twin goes the same way on a clock that stands higher.
#[derive(Clone, Debug, Default)]
pub(crate) struct ShiftInvariance(Option<Twin>);

impl ShiftInvariance {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        const SHIFTS: [Us; 3] = [1, 1_234_567, 1 << 60];
        let step = seen.step;
        if seen.was.now.is_none() {
            let by = SHIFTS.into_iter().nth(usize::from(step.now.as_micros() as u8) % 3).unwrap_or(1);
            self.0 = Some(Twin { machine: step.before.clone(), by });
        }
        self.0.as_mut().map_or(Ok(false), |twin| twin.follow(seen))
    }
}

/// law: replay
#[derive(Clone, Debug, Default)]
pub(crate) struct Replay(Option<Twin>);

impl Replay {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        if seen.was.now.is_none() {
            self.0 = Some(Twin { machine: seen.step.before.clone(), by: 0 });
        }
        let Some(twin) = &mut self.0 else { return Ok(false) };
        let met = twin.follow(seen)?;
        ensure!(twin.machine == *seen.step.after, "the same machine became another");
        Ok(met)
    }
}

/// law: snapshot
///
/// A twin is restored on another clock every few steps and goes the same way from there.
#[derive(Clone, Debug, Default)]
pub(crate) struct SnapshotLaw {
    twin: Option<Twin>,
    steps: u32,
}

impl SnapshotLaw {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        const EVERY: u32 = 5;
        let step = seen.step;
        let met = self.twin.as_mut().map_or(Ok(false), |twin| twin.follow(seen))?;
        if self.steps % EVERY == 0 {
            // A minute ahead, or where the other process has just begun to count.
            let by = if self.steps % (2 * EVERY) == 0 { 60_000_000 } else { -step.now() };
            let (snapshot, now) = (step.after.snapshot(step.now), timestamp(step.now() + by));
            let machine = ReconnectMachine::restore(step.after.policy().clone(), &snapshot, now)
                .map_err(|error| error.to_string())?;
            let [original, restored] = [View::of(step.after, step.now).shifted(by), View::of(&machine, now)];
            ensure!(original == restored, "restored is {restored:?}, not {original:?}");
            self.twin = Some(Twin { machine, by });
        }
        self.steps += 1;
        Ok(met)
    }
}

/// A machine that is to do the same on a clock that stands `by` higher.
#[derive(Clone, Debug)]
struct Twin {
    machine: ReconnectMachine,
    by: Us,
}

impl Twin {
    /// Whether there was anything to compare.
    fn follow(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let step = seen.step;
        let other = |at: Timestamp| timestamp(at_us(at) + self.by);
        let outputs: Vec<Output> = self.machine.handle(other(step.at), step.input).into_iter().collect();
        let expected: Vec<Output> = step
            .outputs
            .iter()
            .map(|output| match *output {
                Output::Notice(Notice::RetryScheduled(scheduled)) => {
                    let dial_at = other(scheduled.dial_at);
                    Output::Notice(Notice::RetryScheduled(RetryScheduled { dial_at, ..scheduled }))
                }
                same => same,
            })
            .collect();
        ensure!(outputs == expected, "by {}: {outputs:?}, not {expected:?}", self.by);
        let (is, should) = (View::of(&self.machine, other(step.now)), View::of(step.after, step.now).shifted(self.by));
        // An input before the new clock's origin is no earlier there.
        let (is, should) = if self.by < 0 { (is.without_counts(), should.without_counts()) } else { (is, should) };
        ensure!(is == should, "by {}: {is:?}, not {should:?}", self.by);
        Ok(!outputs.is_empty())
    }
}
