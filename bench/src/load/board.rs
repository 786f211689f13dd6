//! What has come to which client, and when.

use super::Spread;
use super::clients::{BROADCAST, ECHO};
use crate::clocks::common_nanos;
use redial_session::ClientEvent;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All clients' accounts. One thread writes them, so that no one waits for another.
pub(super) struct Board {
    /// The number of each client's last message.
    pub(super) sent: Vec<AtomicU64>,
    /// The number of the last that was answered.
    answered: Vec<AtomicU64>,
    /// The number of the last whose receipt has come.
    confirmed: Vec<AtomicU64>,
    /// How many broadcasts have come.
    heard: Vec<AtomicU64>,
    pub(super) begun: Times,
    pub(super) resumed: Times,
    pub(super) latencies: Times,
    pub(super) broadcast: Times,
    pub(super) wrong: AtomicU64,
    pub(super) lost_sessions: AtomicU64,
}

/// Nanoseconds, of the common clock or of a span.
#[derive(Default)]
pub(super) struct Times(Mutex<Vec<i64>>);

impl Board {
    pub(super) fn new(clients: usize, messages: usize) -> Self {
        let accounts = || (0..clients).map(|_| AtomicU64::new(0)).collect();
        Self {
            sent: accounts(),
            answered: accounts(),
            confirmed: accounts(),
            heard: accounts(),
            begun: Times::with_capacity(clients),
            resumed: Times::with_capacity(clients),
            latencies: Times::with_capacity(messages),
            broadcast: Times::with_capacity(clients),
            wrong: AtomicU64::new(0),
            lost_sessions: AtomicU64::new(0),
        }
    }

    pub(super) fn on_message(&self, client: usize, message: &[u8]) {
        let now = common_nanos();
        let number = |at: usize| {
            let bytes = message.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u64::from_be_bytes)
        };
        let taken = now - number(8) as i64;
        match message.first() {
            Some(&BROADCAST) => {
                self.broadcast.add(taken);
                if self.heard[client].fetch_add(1, Ordering::Relaxed) > 0 {
                    self.wrong.fetch_add(1, Ordering::Relaxed);
                }
            }
            Some(&ECHO) => {
                self.latencies.add(taken);
                if self.answered[client].fetch_add(1, Ordering::Relaxed) + 1 != number(16) {
                    self.wrong.fetch_add(1, Ordering::Relaxed);
                }
            }
            _ => {
                self.wrong.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn on_event(&self, client: usize, event: &ClientEvent) {
        match event {
            ClientEvent::Started { .. } => self.begun.add(common_nanos()),
            ClientEvent::Resumed { .. } => self.resumed.add(common_nanos()),
            ClientEvent::Delivered { up_to } => self.confirmed[client].store(up_to.0, Ordering::Relaxed),
            ClientEvent::Plain | ClientEvent::Dropped { .. } | ClientEvent::Lost(_) => {
                self.lost_sessions.fetch_add(1, Ordering::Relaxed);
            }
            ClientEvent::GoingAway(_) | _ => {}
        }
    }

    /// How many messages have no answer yet.
    pub(super) fn unanswered(&self) -> u64 {
        sum(&self.sent) - sum(&self.answered)
    }

    /// How many messages have no receipt yet.
    pub(super) fn unconfirmed(&self) -> u64 {
        sum(&self.sent) - sum(&self.confirmed)
    }

    /// To how many clients the broadcast has not come.
    pub(super) fn unheard(&self) -> usize {
        self.heard.iter().filter(|heard| heard.load(Ordering::Relaxed) == 0).count()
    }
}

impl Times {
    fn with_capacity(capacity: usize) -> Self {
        Self(Mutex::new(Vec::with_capacity(capacity)))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, nanos: i64) {
        self.lock().push(nanos);
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Less this.
    pub(super) fn since(&self, start: i64) -> Spread {
        let mut times = self.lock();
        times.sort_unstable();
        let at = |share: f64| {
            let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
            times.get(index).map_or(f64::NAN, |nanos| (nanos - start) as f64 / 1e6)
        };
        Spread { first: at(0.0), median: at(0.5), p99: at(0.99), last: at(1.0) }
    }
}

fn sum(accounts: &[AtomicU64]) -> u64 {
    accounts.iter().map(|account| account.load(Ordering::Relaxed)).sum()
}
