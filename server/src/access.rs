//! The store, as this process reaches it: with patience, and counted.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redial_session::SessionId;

use crate::chance;
use crate::metrics::Metrics;
use crate::store::{Committed, Effect, Lease, SessionStore, StoreError};

/// The first pause before a call is made again.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest.
const LAST_PAUSE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) store: Arc<dyn SessionStore>,
    metrics: Arc<Metrics>,
    down: Arc<AtomicBool>,
}

impl Access {
    pub(crate) fn new(store: Arc<dyn SessionStore>, metrics: Arc<Metrics>) -> Self {
        Self { store, metrics, down: Arc::default() }
    }

    /// Whether the last call found it unreachable.
    pub(crate) fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    /// Calls once.
    pub(crate) async fn once<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let answer = call.await;
        let unavailable = matches!(answer, Err(StoreError::Unavailable(_)));
        self.down.store(unavailable, Ordering::Relaxed);
        if unavailable {
            self.metrics.store_errors.inc();
        }
        answer
    }

    /// Calls until the store is there. Ends with any other error, or when the caller has lost interest.
    pub(crate) async fn patiently<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.once(call()).await {
                Err(StoreError::Unavailable(_)) => {}
                answer => return answer,
            }
            // Not all connections of a process at the same moment.
            tokio::time::sleep(pause.mul_f64(0.5 + chance::share() / 2.0)).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    pub(crate) async fn commit(&self, lease: Lease, messages: Vec<Committed>) -> Result<(), StoreError> {
        let count = messages.len() as u64;
        let began = tokio::time::Instant::now();
        self.patiently(|| self.store.commit(lease, messages.clone())).await?;
        self.metrics.committed(began.elapsed());
        self.metrics.messages_in.inc_by(count);
        Ok(())
    }

    /// Does what no message brought about, if it is anything. Once: where the store fails it may have happened all the same.
    pub(crate) async fn apply(&self, session: Option<SessionId>, effects: Vec<Effect>) -> Result<(), StoreError> {
        if effects.is_empty() {
            return Ok(());
        }
        self.once(self.store.apply(session, effects)).await
    }
}
