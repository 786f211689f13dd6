//! Delay.

use redial::{Hint, Input, Jitter, Limit, Notice, Phase, Policy, RetryScheduled};

use crate::causes::{Ruling, ruling};
use crate::exact::{growth, rounded, share};
use crate::history::{Asked, Failure, Pending, Seen};
use crate::step::{Us, at_us, us};

/// Those of retries.
fn retries<'a>(seen: &Seen<'a>) -> impl Iterator<Item = RetryScheduled> + use<'a> {
    seen.step.scheduled().filter(|scheduled| scheduled.attempt > 0)
}

fn clamped(policy: &Policy, delay: Us) -> Us {
    delay.min(us(policy.max_delay())).max(us(policy.min_delay()))
}

/// "clamp(baseDelay × multiplier^(n-1), minDelay, maxDelay)"
fn raw(policy: &Policy, attempt: u32) -> Us {
    let power = attempt.saturating_sub(1);
    clamped(policy, growth(us(policy.base_delay()), policy.backoff_multiplier(), power, us(policy.max_delay())))
}

/// Between what a delay after jitter is; `previous` of decorrelated jitter may be unknown.
fn jitter_bounds(policy: &Policy, raw: Us, previous: Option<Us>) -> (Us, Us) {
    let (low, high) = match policy.jitter() {
        Jitter::None => (raw, raw),
        Jitter::Full => (us(policy.min_delay()), raw),
        Jitter::Equal => (rounded(raw, 2), raw),
        Jitter::Decorrelated => {
            (us(policy.base_delay()), previous.map_or_else(|| us(policy.max_delay()), |previous| 3 * previous))
        }
        Jitter::Ratio(ratio) => {
            let share = share(raw, ratio);
            (raw - share, raw + share)
        }
    };
    (clamped(policy, low), clamped(policy, high))
}

/// law: schedule
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule;

impl Schedule {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        if was.policy.jitter() != Jitter::None {
            return Ok(false);
        }
        let mut met = false;
        for told in retries(seen) {
            let exact = raw(&was.policy, told.attempt);
            let (raw, jittered) = (us(told.raw), us(told.jittered));
            ensure!((raw, jittered) == (exact, exact), "retry {}: {jittered} of {raw}, not {exact}", told.attempt);
            if is.failure.is_some() && told.hint.is_none() {
                let delay = at_us(told.dial_at) - us(told.budget) - step.now();
                ensure!(delay == exact, "retry {} in {delay}, not {exact}", told.attempt);
                met |= told.attempt > 1;
            }
        }
        Ok(met)
    }
}

/// law: jitter-bounds
#[derive(Clone, Debug, Default)]
pub(crate) struct JitterBounds;

impl JitterBounds {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { was, is, .. } = *seen;
        if was.policy.jitter() == Jitter::None {
            return Ok(false);
        }
        for told in retries(seen) {
            let (exact, jittered) = (raw(&was.policy, told.attempt), us(told.jittered));
            ensure!(us(told.raw) == exact, "retry {} has a raw delay of {}, not {exact}", told.attempt, told.raw);
            let previous = is.failure.and_then(|failure| failure.previous);
            let (low, high) = jitter_bounds(&was.policy, exact, previous);
            let within = low <= jittered && jittered <= high;
            ensure!(within, "retry {} waits {jittered}, not {low} to {high}", told.attempt);
        }
        Ok(is.failure.is_some() && retries(seen).next().is_some())
    }
}

/// law: reset-only-when-stable
#[derive(Clone, Debug, Default)]
pub(crate) struct ResetOnlyWhenStable;

impl ResetOnlyWhenStable {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        for notice in step.notices() {
            if let Notice::Stable { connection } = notice {
                let link = was.link.or(is.link).filter(|link| link.id == connection && !link.stable);
                let Some(link) = link.or(is.link) else { return Err(format!("{connection} is stable, and gone")) };
                let ready_at = link.ready_at.unwrap_or_else(|| step.now());
                let lasting = us(was.policy.stable_after()).max(link.preceding.unwrap_or(0));
                ensure!(step.now() - ready_at >= lasting, "stable after {}, not {lasting}", step.now() - ready_at);
            }
        }
        // How many retries there were is known from the dials.
        let base = match is.failure {
            Some(failure) => failure.retries,
            None if was.asked_by_user(step).is_some() => 0,
            None => was.retries,
        };
        for told in retries(seen) {
            ensure!(told.attempt == base + 1, "retry {} comes after {base} retries", told.attempt);
        }
        for dial in step.dials().filter(|dial| dial.attempt > 0) {
            ensure!(dial.attempt == base + 1, "retry {} is dialled after {base} retries", dial.attempt);
        }
        for dial in step.dials().filter(|dial| dial.attempt == 0) {
            let asked = was.asked_by_user(step).or_else(|| was.pending.map(|pending| pending.asked));
            ensure!(asked.is_some_and(|asked| asked != Asked::Retry), "{} is attempt 0", dial.connection);
        }
        // Opened and gone before it was stable, or stable.
        Ok(is.failure.is_some_and(|failure| failure.link.ready_at.is_some()))
    }
}

/// law: hint-is-a-floor
#[derive(Clone, Debug, Default)]
pub(crate) struct HintIsAFloor;

impl HintIsAFloor {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        for told in step.scheduled().filter(|scheduled| scheduled.attempt == 0) {
            ensure!(told.hint.is_none(), "a hint of {:?} for attempt 0", told.hint);
        }
        if let Some(failure) = is.failure {
            return Self::after_failure(seen, &failure);
        }
        match (step.input, was.pending) {
            (Input::Hint(hint), Some(pending)) if pending.asked == Asked::Retry => {
                Self::while_pending(seen, hint, &pending)?;
                Ok(true)
            }
            (Input::Hint(_), _) => {
                ensure!(retries(seen).next().is_none(), "a hint where no retry waits: {:?}", step.outputs);
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    fn after_failure(seen: &Seen<'_>, failure: &Failure) -> Result<bool, String> {
        let Seen { step, was, .. } = *seen;
        let (hint, retry_after) = (failure.hint, failure.cause.retry_after());
        // "`stop: true`: no retry follows"
        if hint.is_some_and(|hint| hint.stop) {
            ensure!(retries(seen).next().is_none(), "a retry against the server's advice");
            ensure!(step.after.phase().is_terminal(), "{} against the server's advice", step.after.phase());
            return Ok(true);
        }
        let floor = longer(hint, retry_after.map(us));
        let advised = floor.is_some() || hint.is_some_and(|hint| hint.spread.is_some());
        for told in retries(seen) {
            let (jittered, delay) = (us(told.jittered), at_us(told.dial_at) - us(told.budget) - step.now());
            let (low, high) = floored(&was.policy, jittered, floor, hint);
            ensure!(low <= delay && delay <= high, "{delay}, not {low} to {high}, with {hint:?}, {retry_after:?}");
            let expected = advised.then_some(delay);
            ensure!(told.hint.map(us) == expected, "hint {:?}, not {expected:?}", told.hint);
        }
        Ok(advised)
    }

    /// "while a retry waits or is held it moves that to at least the floor from now"
    fn while_pending(seen: &Seen<'_>, hint: Hint, pending: &Pending) -> Result<(), String> {
        let Seen { step, was, is } = *seen;
        if hint.stop {
            let verdict = step.notices().any(|notice| matches!(notice, Notice::GaveUp { limit: Limit::Verdict, .. }));
            ensure!(verdict && step.after.phase() == Phase::Failed, "`stop`: {:?}", step.outputs);
            return Ok(());
        }
        let Some(due) = pending.due else { return Ok(()) };
        let remaining = (due - step.now()).max(0);
        let (low, high) = floored(&was.policy, remaining, hint.min_delay.map(us), Some(hint));
        let (low, high) = (step.now() + low, step.now() + high);
        if step.dials().count() > 0 {
            ensure!(low <= step.now(), "dialled at {}, and not from {low} on", step.now());
        }
        let Some(moved) = is.pending.and_then(|pending| pending.due) else { return Ok(()) };
        ensure!(low <= moved && moved <= high, "due at {due}, moved to {moved}, not {low} to {high}");
        for told in retries(seen) {
            ensure!(told.hint.is_none_or(|hint| us(hint) == moved - step.now()), "hint {:?}", told.hint);
        }
        Ok(())
    }
}

/// "Of hint and Retry-After the longer counts"
fn longer(hint: Option<Hint>, retry_after: Option<Us>) -> Option<Us> {
    hint.and_then(|hint| hint.min_delay).map(us).max(retry_after)
}

/// "delay = max(delay, min(floor, maxRetryAfter)) + uniform[0, min(spread, maxRetryAfter)]; without `spread`, a fifth of
/// the floor where the floor prevailed, else 0"
fn floored(policy: &Policy, delay: Us, floor: Option<Us>, hint: Option<Hint>) -> (Us, Us) {
    let cap = us(policy.max_retry_after());
    let floor = floor.unwrap_or(0).min(cap);
    let spread = match hint.and_then(|hint| hint.spread) {
        Some(spread) => us(spread).min(cap),
        None if floor > delay => rounded(floor, 5),
        None => 0,
    };
    (delay.max(floor), delay.max(floor) + spread)
}

fn gave_up(seen: &Seen<'_>) -> Option<(Limit, u32, Us)> {
    seen.step.notices().find_map(|notice| match notice {
        Notice::GaveUp { limit, attempts, elapsed, .. } => Some((limit, attempts, us(elapsed))),
        _ => None,
    })
}

/// law: attempt-limit
#[derive(Clone, Debug, Default)]
pub(crate) struct AttemptLimit;

impl AttemptLimit {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        let most = was.policy.max_attempts();
        let told = retries(seen).map(|scheduled| scheduled.attempt);
        let attempts =
            told.chain(step.dials().map(|dial| dial.attempt)).chain(is.pending.map(|pending| pending.attempt));
        let highest = attempts.max().unwrap_or(0);
        ensure!(most.is_none_or(|most| highest <= most), "retry {highest} of {most:?}");
        let gave_up = gave_up(seen);
        if let Some((limit, attempts, _)) = gave_up {
            let retries = is.failure.map_or(was.retries, |failure| failure.retries);
            ensure!(attempts == retries, "gave up after {attempts} retries, and {retries} were dialled");
            ensure!(limit != Limit::Attempts || Some(retries) == most, "{retries} of {most:?} attempts were enough");
        }
        let Some(failure) = is.failure else { return Ok(false) };
        let goes_on = ruling(&was.policy, failure.cause, failure.link.fresh_credentials) == Ruling::Retry
            && !failure.hint.is_some_and(|hint| hint.stop);
        let exhausted = goes_on && most.is_some_and(|most| failure.retries >= most);
        let by_attempts = gave_up.is_some_and(|(limit, ..)| limit == Limit::Attempts);
        ensure!(by_attempts == exhausted, "{} of {most:?} retries: {:?}", failure.retries, step.outputs);
        ensure!(!exhausted || step.after.phase() == Phase::Failed, "gave up, and is {}", step.after.phase());
        Ok(exhausted)
    }
}

/// law: elapsed-limit
#[derive(Clone, Debug, Default)]
pub(crate) struct ElapsedLimit;

impl ElapsedLimit {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        let gave_up = gave_up(seen);
        let Some(outage) = is.judged else {
            ensure!(gave_up.is_none(), "gave up without an outage");
            return Ok(false);
        };
        if let Some((_, _, elapsed)) = gave_up {
            let exact = outage.elapsed(step.now());
            ensure!(elapsed == exact, "gave up after {elapsed}, not {exact}");
        }
        let by_elapsed = gave_up.is_some_and(|(limit, ..)| limit == Limit::Elapsed);
        let Some(most) = was.policy.max_elapsed().map(us) else {
            ensure!(!by_elapsed, "gave up at a limit that there is not");
            return Ok(false);
        };
        let mut met = false;
        for told in retries(seen) {
            let elapsed = outage.elapsed(at_us(told.dial_at));
            ensure!(elapsed <= most, "a dial is to come {elapsed} after the outage began, limit {most}");
            met = true;
        }
        for _ in step.dials().filter(|dial| dial.attempt > 0) {
            let elapsed = outage.elapsed(step.now());
            ensure!(elapsed <= most, "a dial comes {elapsed} after the outage began, limit {most}");
        }
        if by_elapsed {
            let released = matches!(step.input, Input::Release { .. });
            ensure!(step.before.phase() != Phase::Held || released, "gave up while held");
            ensure!(is.failure.is_some() || was.pending.is_some_and(|dial| dial.attempt > 0), "attempt 0 was limited");
            if let Some(latest) = Self::latest_dial(seen) {
                let elapsed = outage.elapsed(latest);
                ensure!(elapsed > most, "gave up, and the dial would come {elapsed} after it began, limit {most}");
            }
            met = true;
        }
        Ok(met)
    }

    /// The latest that the dial could have come which was given up.
    fn latest_dial(seen: &Seen<'_>) -> Option<Us> {
        let Seen { step, was, is } = *seen;
        let policy = &was.policy;
        let due = match (is.failure, step.input) {
            (Some(failure), _) => {
                let raw = raw(policy, failure.retries + 1);
                let (_, high) = jitter_bounds(policy, raw, failure.previous);
                let floor = longer(failure.hint, failure.cause.retry_after().map(us));
                let (low, spread) =
                    (floored(policy, high, floor, failure.hint).1, floored(policy, 0, floor, failure.hint).1);
                step.now() + low.max(spread)
            }
            (None, Input::Hint(hint)) => {
                let remaining = (was.pending?.due? - step.now()).max(0);
                step.now() + floored(policy, remaining, hint.min_delay.map(us), Some(hint)).1
            }
            (None, Input::Release { .. }) => was.pending?.due?.max(step.now() + us(policy.online_spread())),
            (None, Input::Budget { wait }) => was.pending?.due?.max(step.now() + us(wait)),
            (None, _) => was.pending?.due?,
        };
        Some(due.max(step.now()).max(is.soonest_of(&was.bucket, step.now())))
    }
}

/// law: budget-limit
#[derive(Clone, Debug, Default)]
pub(crate) struct BudgetLimit {
    dials: Vec<Us>,
}

impl BudgetLimit {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        /// Older dials are left out of the windows, so that a long run stays cheap.
        const REMEMBERED: usize = 64;
        let Seen { step, was, is } = *seen;
        if let Some(budget) = was.policy.dial_budget() {
            let (burst, refill) = (Us::from(budget.burst), us(budget.refill));
            for _ in step.dials() {
                self.dials.push(step.now());
                for (count, earliest) in (1..).zip(self.dials.iter().rev()) {
                    let window = step.now() - earliest;
                    ensure!((count - burst) * refill <= window, "{count} dials in {window}");
                }
            }
        }
        let surplus = self.dials.len().saturating_sub(REMEMBERED);
        self.dials.drain(..surplus);
        // No longer than need be.
        let token_at = match step.input {
            // As the shared budget says.
            Input::Budget { wait } if step.before.phase() == Phase::Waiting => step.now() + us(wait),
            _ => is.soonest_of(&was.bucket, step.now()),
        };
        let mut met = false;
        for told in step.scheduled() {
            let (dial_at, waits) = (at_us(told.dial_at), us(told.budget));
            ensure!(dial_at >= token_at, "a dial at {dial_at}, and the token comes at {token_at}");
            ensure!(waits == 0 || dial_at == token_at, "a dial waits until {dial_at} for the token of {token_at}");
            ensure!(step.after.phase() != Phase::Held, "a dial is told of while held");
            met |= waits > 0;
        }
        Ok(met)
    }
}
