//! What a recording says was decided: its outputs without what depends on the machine it ran on.

use redial::trace::Trace;
use redial::{Command, Dial, Notice, Output};

use super::vectors;

/// Whether the recording replays, and its decisions are the ones that were expected.
pub(super) fn compare(recording: &str, expected: &str, or: &str) -> Result<(), String> {
    if recording.is_empty() {
        return Err("no recording: the client was not built with the task's recorder".to_owned());
    }
    vectors::check(recording).map_err(|difference| format!("the recording does not replay: {difference}"))?;
    let trace = Trace::parse(recording).map_err(|error| error.to_string())?;
    let found = decisions(&trace);
    let expected = lines(expected);
    if found == expected || (!or.is_empty() && found == lines(or)) {
        return Ok(());
    }
    let same = found.iter().zip(&expected).take_while(|(found, expected)| found == expected).count();
    let nothing = "nothing more".to_owned();
    let line = |list: &[String]| list.get(same).unwrap_or(&nothing).clone();
    Err(format!(
        "decision {}: expected `{}`, found `{}`; all that were found:\n    {}",
        same + 1,
        line(&expected),
        line(&found),
        found.join("\n    ")
    ))
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// Times, latencies, pings and grades are left out: they are the machine's that it ran on. So is what the dial budget adds,
/// which depends on how long a dial took.
fn decisions(trace: &Trace) -> Vec<String> {
    trace.outputs().filter_map(|(_, output)| decision(output)).collect()
}

fn decision(output: Output) -> Option<String> {
    let notice = match output {
        Output::Command(Command::Dial(Dial { connection, endpoint, attempt, fresh_credentials })) => {
            let fresh = if fresh_credentials { ", fresh credentials" } else { "" };
            return Some(format!("dial {connection}: endpoint {endpoint}, attempt {attempt}{fresh}"));
        }
        Output::Command(Command::HangUp { connection, cause }) => {
            return Some(format!("hang up {connection}: {cause}"));
        }
        Output::Command(Command::Ping { .. }) => return None,
        Output::Notice(notice) => notice,
    };
    match notice {
        Notice::Phase { to, .. } => Some(format!("phase {to}")),
        Notice::RetryScheduled(retry) => {
            let hint = retry.hint.map(|hint| format!(", hint {hint}")).unwrap_or_default();
            Some(format!("retry {}: raw {}, jittered {}{hint}", retry.attempt, retry.raw, retry.jittered))
        }
        Notice::AttemptFailed { connection, cause, .. } => Some(format!("failed {connection}: {cause}")),
        Notice::Opened { connection, .. } => Some(format!("opened {connection}")),
        Notice::Stable { connection } => Some(format!("stable {connection}")),
        Notice::Lost { connection, cause, .. } => Some(format!("lost {connection}: {cause}")),
        Notice::GaveUp { limit, attempts, cause, .. } => {
            Some(format!("gave up by {limit} after {attempts} retries: {cause}"))
        }
        Notice::HealthCheck { .. } | Notice::QualityChanged { .. } => None,
        // A kind that came later than this suite.
        _ => None,
    }
}
