//! Notices in words.

use redial::{Limit, Micros, Notice, Phase, Quality, RetryScheduled};

/// What a notice says to people; `None` for those that only repeat another. `endpoint` is the one last dialled.
#[allow(clippy::wildcard_enum_match_arm)] // notices may become more
pub(crate) fn notice(notice: &Notice, endpoint: &str) -> Option<String> {
    Some(match notice {
        Notice::Phase { to: Phase::Connecting, .. } => format!("connecting to {endpoint}"),
        Notice::Phase { to: Phase::Held, .. } => "held".to_owned(),
        Notice::Phase { to: Phase::Closed, .. } => "closed".to_owned(),
        Notice::Phase {
            to: Phase::Idle | Phase::Handshaking | Phase::Open | Phase::Waiting | Phase::Failed, ..
        } => return None,
        Notice::RetryScheduled(retry) => scheduled(retry),
        Notice::AttemptFailed { attempt, cause, .. } => format!("attempt {attempt} failed: {cause}"),
        Notice::Opened { attempt, downtime, .. } => {
            format!("open after {} (attempt {attempt})", seconds(*downtime))
        }
        Notice::Stable { .. } => "stable".to_owned(),
        Notice::Lost { cause, uptime, .. } => format!("lost after {}: {cause}", seconds(*uptime)),
        Notice::QualityChanged { to: Some(Quality::Disconnected) | None, .. } | Notice::HealthCheck { .. } => {
            return None;
        }
        Notice::QualityChanged { to: Some(quality), .. } => format!("quality {quality}"),
        Notice::GaveUp { limit, attempts, elapsed, cause } => {
            let why = match limit {
                Limit::Attempts => "no retry is left",
                Limit::Elapsed => "no time is left",
                Limit::Verdict => "retrying is of no use",
            };
            format!("gave up, {why}: {cause} ({attempts} retries, {})", seconds(*elapsed))
        }
        // A kind that came later than this text.
        _ => return None,
    })
}

fn scheduled(retry: &RetryScheduled) -> String {
    let mut parts = vec![format!("delay {}", seconds(retry.jittered))];
    if let Some(hint) = retry.hint {
        parts.push(format!("the server asked for {}", seconds(hint)));
    }
    if retry.budget > Micros::ZERO {
        parts.push(format!("dial budget adds {}", seconds(retry.budget)));
    }
    format!("retry {} in {} ({})", retry.attempt, seconds(retry.delay), parts.join(", "))
}

/// `2.45 s` or `12.5 ms`, whichever is read more easily.
pub(crate) fn seconds(span: Micros) -> String {
    let millis = span.as_millis_f64();
    if millis < 1000.0 { format!("{millis:.1} ms") } else { format!("{:.2} s", millis / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redial::{Cause, ConnectionId, Timestamp};

    #[test]
    fn what_people_read() {
        let say = |what| notice(&what, "ws://a/").unwrap();
        let connection = ConnectionId(1);
        assert_eq!(
            say(Notice::Lost { connection, cause: Cause::close(1012), uptime: Micros::from_millis(61_500) }),
            "lost after 61.50 s: close 1012"
        );
        assert_eq!(
            say(Notice::RetryScheduled(RetryScheduled {
                attempt: 2,
                delay: Micros::from_millis(4500),
                dial_at: Timestamp::ZERO,
                raw: Micros::from_millis(2000),
                jittered: Micros::from_millis(731),
                hint: Some(Micros::from_millis(4000)),
                budget: Micros::from_millis(500),
            })),
            "retry 2 in 4.50 s (delay 731.0 ms, the server asked for 4.00 s, dial budget adds 500.0 ms)"
        );
        let (limit, cause) = (Limit::Attempts, Cause::Timeout);
        assert_eq!(
            say(Notice::GaveUp { limit, attempts: 5, elapsed: Micros::from_secs(17), cause }),
            "gave up, no retry is left: timeout (5 retries, 17.00 s)"
        );
        let repeated = Notice::Phase { from: Phase::Open, to: Phase::Waiting };
        assert_eq!(notice(&repeated, "ws://a/"), None);
    }
}
