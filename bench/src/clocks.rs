//! The two clocks of the figures that are shown and never gated, and how their samples are summed up.

use std::time::{Duration, Instant};

/// Wall-clock time and CPU time of one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

/// Runs it once.
pub(crate) fn round(run: impl FnOnce()) -> Round {
    #[allow(clippy::disallowed_methods)] // the clock itself
    let now = Instant::now;
    let (start, cpu) = (now(), cpu());
    run();
    Round { wall: now() - start, cpu: self::cpu().saturating_sub(cpu) }
}

/// What this thread has run so far, by the kernel's account.
fn cpu() -> Duration {
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(account.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

/// The middle of the samples; 0 without any.
pub(crate) fn median(samples: impl IntoIterator<Item = f64>) -> f64 {
    let mut samples: Vec<f64> = samples.into_iter().collect();
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(0.0)
}

/// The least of the samples.
pub(crate) fn least(samples: impl IntoIterator<Item = f64>) -> f64 {
    samples.into_iter().fold(f64::INFINITY, f64::min)
}
