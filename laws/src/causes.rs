//! Causes.

use redial::{Cause, Limit, Notice, Phase, Policy, Verdict, VerdictKey};

use crate::history::Seen;

/// What follows from a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// "close 1000 from the peer ends in closed, without `gaveUp`"
    End,
    Stop,
    Retry,
}

/// `fresh_credentials`: of the dial that led to it.
pub(crate) fn ruling(policy: &Policy, cause: Cause, fresh_credentials: bool) -> Ruling {
    let (key, built_in) = match cause {
        Cause::Close { code, .. } => {
            let ruling = match code {
                1000 => Ruling::End,
                1002 | 1003 | 1007 | 1008 | 1009 | 1010 => Ruling::Stop,
                _ => Ruling::Retry,
            };
            (VerdictKey::Close(code), ruling)
        }
        Cause::Http { status, .. } => {
            let ruling = match status {
                400 | 404 | 410 | 426 => Ruling::Stop,
                401 | 403 if fresh_credentials => Ruling::Stop,
                _ => Ruling::Retry,
            };
            (VerdictKey::Http(status), ruling)
        }
        Cause::Superseded => return Ruling::Stop,
        Cause::Network { .. } | Cause::Timeout | Cause::PingTimeout | Cause::Protocol | Cause::User => {
            return Ruling::Retry;
        }
    };
    match policy.verdicts().iter().find(|(own, _)| *own == key) {
        Some((_, Verdict::Stop)) => Ruling::Stop,
        Some((_, Verdict::Retry)) => Ruling::Retry,
        None => built_in,
    }
}

/// law: verdicts
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdicts;

impl Verdicts {
    pub(crate) fn watch(&mut self, seen: &Seen<'_>) -> Result<bool, String> {
        let Seen { step, was, is } = *seen;
        let refused = |cause| matches!(cause, Cause::Http { status: 401 | 403, .. });
        let expected = was.refused || is.failure.is_some_and(|failure| refused(failure.cause));
        for dial in step.dials() {
            ensure!(dial.fresh_credentials == expected, "fresh credentials: {}", dial.fresh_credentials);
        }
        let Some(failure) = is.failure else { return Ok(expected && step.dials().count() > 0) };
        let (cause, phase) = (failure.cause, step.after.phase());
        let limits: Vec<_> = step
            .notices()
            .filter_map(|notice| match notice {
                Notice::GaveUp { limit, cause, .. } => Some((limit, cause)),
                _ => None,
            })
            .collect();
        match ruling(&was.policy, cause, failure.link.fresh_credentials) {
            Ruling::End => ensure!(phase == Phase::Closed && limits.is_empty(), "{cause}: {phase}, {limits:?}"),
            Ruling::Stop => {
                let stopped = phase == Phase::Failed && limits == [(Limit::Verdict, cause)];
                ensure!(stopped, "{cause}: {phase}, {limits:?}");
            }
            Ruling::Retry => {
                let advised = failure.hint.is_some_and(|hint| hint.stop);
                let verdict = limits.iter().any(|(limit, _)| *limit == Limit::Verdict);
                ensure!(verdict == advised, "{cause}: {limits:?}");
                let goes_on = matches!(phase, Phase::Waiting | Phase::Held | Phase::Connecting);
                ensure!(goes_on || limits.len() == 1, "{cause}: {phase}, {limits:?}");
            }
        }
        Ok(matches!(cause, Cause::Close { .. } | Cause::Http { .. } | Cause::Superseded))
    }
}
