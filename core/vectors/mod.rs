//! The golden vectors: traces with their outputs, embedded, so that a build without a file system replays them too.
//!
//! Tests include this file by its path; README.md says what each vector shows.

use redial::trace::{Trace, Writer};

/// Each vector's name and text.
pub(crate) const VECTORS: &[(&str, &str)] = &[
    ("attempt-limit", include_str!("attempt-limit.jsonl")),
    ("budget-limit", include_str!("budget-limit.jsonl")),
    ("bug-deadline-in-the-past", include_str!("bug-deadline-in-the-past.jsonl")),
    ("bug-error-and-close-both-redial", include_str!("bug-error-and-close-both-redial.jsonl")),
    ("bug-exponent-overflow", include_str!("bug-exponent-overflow.jsonl")),
    ("bug-false-offline", include_str!("bug-false-offline.jsonl")),
    ("bug-half-open", include_str!("bug-half-open.jsonl")),
    ("bug-jitter-collapses-at-the-cap", include_str!("bug-jitter-collapses-at-the-cap.jsonl")),
    ("bug-jitter-passes-the-cap", include_str!("bug-jitter-passes-the-cap.jsonl")),
    ("bug-old-token", include_str!("bug-old-token.jsonl")),
    ("bug-opened-before-ready", include_str!("bug-opened-before-ready.jsonl")),
    ("bug-reconnect-ignored-while-waiting", include_str!("bug-reconnect-ignored-while-waiting.jsonl")),
    ("bug-reset-on-open", include_str!("bug-reset-on-open.jsonl")),
    ("bug-stuck-in-connecting", include_str!("bug-stuck-in-connecting.jsonl")),
    ("bug-timer-outlives-state", include_str!("bug-timer-outlives-state.jsonl")),
    ("bug-visible-after-stop", include_str!("bug-visible-after-stop.jsonl")),
    ("bug-wake-keeps-a-dead-connection", include_str!("bug-wake-keeps-a-dead-connection.jsonl")),
    ("bug-wake-kills-a-good-connection", include_str!("bug-wake-kills-a-good-connection.jsonl")),
    ("bug-work-without-deadline", include_str!("bug-work-without-deadline.jsonl")),
    ("busy-hint-stale", include_str!("busy-hint-stale.jsonl")),
    ("dead-peer", include_str!("dead-peer.jsonl")),
    ("edge-attempts-without-end", include_str!("edge-attempts-without-end.jsonl")),
    ("edge-budget-evenly", include_str!("edge-budget-evenly.jsonl")),
    ("edge-busy", include_str!("edge-busy.jsonl")),
    ("edge-elapsed-and-sleep", include_str!("edge-elapsed-and-sleep.jsonl")),
    ("edge-endpoints", include_str!("edge-endpoints.jsonl")),
    ("edge-grade-gets-better", include_str!("edge-grade-gets-better.jsonl")),
    ("edge-growth-in-fractions", include_str!("edge-growth-in-fractions.jsonl")),
    ("edge-healthiest-all-cooling", include_str!("edge-healthiest-all-cooling.jsonl")),
    ("edge-healthiest-latency", include_str!("edge-healthiest-latency.jsonl")),
    ("edge-healthiest-retry-after", include_str!("edge-healthiest-retry-after.jsonl")),
    ("edge-hint-spread", include_str!("edge-hint-spread.jsonl")),
    ("edge-hint-that-moves-nothing", include_str!("edge-hint-that-moves-nothing.jsonl")),
    ("edge-hint-while-held", include_str!("edge-hint-while-held.jsonl")),
    ("edge-hold-and-token", include_str!("edge-hold-and-token.jsonl")),
    ("edge-hysteresis-zero", include_str!("edge-hysteresis-zero.jsonl")),
    ("edge-largest-time", include_str!("edge-largest-time.jsonl")),
    ("edge-late-times", include_str!("edge-late-times.jsonl")),
    ("edge-manual-waits-for-token", include_str!("edge-manual-waits-for-token.jsonl")),
    ("edge-min-delay", include_str!("edge-min-delay.jsonl")),
    ("edge-no-pings", include_str!("edge-no-pings.jsonl")),
    ("edge-no-retries", include_str!("edge-no-retries.jsonl")),
    ("edge-online-spread", include_str!("edge-online-spread.jsonl")),
    ("edge-preceding-delay", include_str!("edge-preceding-delay.jsonl")),
    ("edge-quality-bounds", include_str!("edge-quality-bounds.jsonl")),
    ("edge-random-failover", include_str!("edge-random-failover.jsonl")),
    ("edge-round-robin", include_str!("edge-round-robin.jsonl")),
    ("edge-shared-budget-and-hold", include_str!("edge-shared-budget-and-hold.jsonl")),
    ("edge-shared-budget-too-late", include_str!("edge-shared-budget-too-late.jsonl")),
    ("edge-superseded", include_str!("edge-superseded.jsonl")),
    ("edge-verdict-overrides", include_str!("edge-verdict-overrides.jsonl")),
    ("elapsed-limit", include_str!("elapsed-limit.jsonl")),
    ("failover", include_str!("failover.jsonl")),
    ("flap-then-stable", include_str!("flap-then-stable.jsonl")),
    ("grades", include_str!("grades.jsonl")),
    ("health-and-grades", include_str!("health-and-grades.jsonl")),
    ("healthiest", include_str!("healthiest.jsonl")),
    ("hint-is-a-floor", include_str!("hint-is-a-floor.jsonl")),
    ("holds-and-manual", include_str!("holds-and-manual.jsonl")),
    ("holds-hold", include_str!("holds-hold.jsonl")),
    ("jitter-decorrelated", include_str!("jitter-decorrelated.jsonl")),
    ("jitter-equal", include_str!("jitter-equal.jsonl")),
    ("jitter-full", include_str!("jitter-full.jsonl")),
    ("jitter-ratio", include_str!("jitter-ratio.jsonl")),
    ("manual-is-immediate", include_str!("manual-is-immediate.jsonl")),
    ("never-stuck", include_str!("never-stuck.jsonl")),
    ("no-early-effect", include_str!("no-early-effect.jsonl")),
    ("one-dial-after-a-jump", include_str!("one-dial-after-a-jump.jsonl")),
    ("one-end", include_str!("one-end.jsonl")),
    ("one-ping", include_str!("one-ping.jsonl")),
    ("progress", include_str!("progress.jsonl")),
    ("refused-credentials", include_str!("refused-credentials.jsonl")),
    ("replay", include_str!("replay.jsonl")),
    ("reset-only-when-stable", include_str!("reset-only-when-stable.jsonl")),
    ("schedule", include_str!("schedule.jsonl")),
    ("seed-401", include_str!("seed-401.jsonl")),
    ("seed-404", include_str!("seed-404.jsonl")),
    ("seed-503-retry-after", include_str!("seed-503-retry-after.jsonl")),
    ("seed-a-schedule", include_str!("seed-a-schedule.jsonl")),
    ("seed-a-schedule-cap-16000", include_str!("seed-a-schedule-cap-16000.jsonl")),
    ("seed-accept-then-drop", include_str!("seed-accept-then-drop.jsonl")),
    ("seed-close-1000", include_str!("seed-close-1000.jsonl")),
    ("seed-close-1012", include_str!("seed-close-1012.jsonl")),
    ("seed-close-4401", include_str!("seed-close-4401.jsonl")),
    ("seed-dns", include_str!("seed-dns.jsonl")),
    ("seed-half-open", include_str!("seed-half-open.jsonl")),
    ("seed-json", include_str!("seed-json.jsonl")),
    ("seed-killed-and-restarted", include_str!("seed-killed-and-restarted.jsonl")),
    ("seed-session-schedule", include_str!("seed-session-schedule.jsonl")),
    ("seed-tls", include_str!("seed-tls.jsonl")),
    ("shared-budget", include_str!("shared-budget.jsonl")),
    ("shift-invariance", include_str!("shift-invariance.jsonl")),
    ("single-flight", include_str!("single-flight.jsonl")),
    ("smoothed", include_str!("smoothed.jsonl")),
    ("snapshot", include_str!("snapshot.jsonl")),
    ("stale-is-silent", include_str!("stale-is-silent.jsonl")),
    ("step", include_str!("step.jsonl")),
    ("stop-wins", include_str!("stop-wins.jsonl")),
    ("terminal-is-quiet", include_str!("terminal-is-quiet.jsonl")),
    ("time-adds-up", include_str!("time-adds-up.jsonl")),
    ("time-never-rewinds", include_str!("time-never-rewinds.jsonl")),
    ("traffic-is-life", include_str!("traffic-is-life.jsonl")),
    ("verdicts", include_str!("verdicts.jsonl")),
    ("verdicts-close", include_str!("verdicts-close.jsonl")),
    ("verdicts-retry", include_str!("verdicts-retry.jsonl")),
    ("wake-is-not-loss", include_str!("wake-is-not-loss.jsonl")),
];

/// Replays a vector up to its last line and compares the outputs: as outputs, with their order, and as text, byte for byte.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let trace = Trace::parse(text).map_err(|error| error.to_string())?;
    let last = trace.lines.last().ok_or("the vector is empty")?.at;
    trace.check(trace.machine(), Some(last)).map_err(|difference| difference.to_string())?;

    // The order of notices within one instant is free, so the lines are compared in any.
    let mut expected: Vec<_> = text.lines().filter(|line| line.contains("\"output\":")).map(str::to_owned).collect();
    let mut found = Vec::new();
    trace.replay(trace.machine(), Some(last), |at, output| found.push(line(at, output)));
    expected.sort_unstable();
    found.sort_unstable();
    if expected.is_empty() {
        return Err("the vector has no outputs".to_owned());
    }
    match expected.iter().zip(&found).find(|(expected, found)| expected != found) {
        Some((expected, found)) => Err(format!("the vector has {expected}, the replay {found}")),
        None => Ok(()),
    }
}

fn line(at: redial::Timestamp, output: redial::Output) -> String {
    let mut line = Vec::new();
    // Writing to memory does not fail.
    let _ = Writer::new(&mut line).output(at, &output);
    String::from_utf8_lossy(&line).trim_end().to_owned()
}
