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
    let (start, cpu) = (now(), cpu());
    run();
    Round { wall: now() - start, cpu: self::cpu().saturating_sub(cpu) }
}

/// The clock itself.
#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Nanoseconds of the clock that all processes share.
pub(crate) fn common_nanos() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// What the threads of this process have run so far, by the kernel's account; those that have ended don't count.
pub(crate) fn cpu() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanos = threads.map(|thread| {
        let account = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        account.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
    });
    Duration::from_nanos(nanos.sum())
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
