//! How responsive the process stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

const INTERVAL: Duration = Duration::from_millis(10);

/// A task that wants to run every 10 ms, and its worst lateness.
pub(crate) struct Ticker {
    worst_micros: Arc<AtomicU64>,
    /// Ends with the ticker.
    _task: JoinSet<()>,
}

impl Ticker {
    pub(crate) fn start() -> Self {
        let worst_micros = Arc::new(AtomicU64::new(0));
        let worst = Arc::clone(&worst_micros);
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                let due = Instant::now() + INTERVAL;
                sleep_until(due).await;
                let late = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
                worst.fetch_max(late, Ordering::Relaxed);
            }
        });
        Self { worst_micros, _task: task }
    }

    /// The worst since the last call.
    pub(crate) fn take(&self) -> Duration {
        Duration::from_micros(self.worst_micros.swap(0, Ordering::Relaxed))
    }
}
