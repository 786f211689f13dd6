//! The one place where time is read.

use std::time::Duration;

use redial::Timestamp;
use tokio::time::{Instant, Sleep};

/// tokio's time, as the session's half wants it: a test that pauses tokio's clock pauses the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let micros = self.origin.elapsed().as_micros();
        Timestamp::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// Never early: tokio rounds up to its next millisecond.
    pub(crate) fn sleep_until(&self, at: Timestamp) -> Sleep {
        tokio::time::sleep_until(self.instant(at))
    }

    pub(crate) fn instant(&self, at: Timestamp) -> Instant {
        // What tokio itself takes for "far away"; beyond it some platforms overflow.
        const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);
        self.origin.checked_add(Duration::from_micros(at.as_micros())).unwrap_or_else(|| self.origin + FAR)
    }
}

/// Milliseconds since 1970-01-01 UTC, for people to read.
#[allow(clippy::disallowed_methods)] // It is a clock.
pub(crate) fn wall_millis() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
