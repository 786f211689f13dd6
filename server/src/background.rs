//! What is done for all sessions, besides their connections: one task each, for as long as the
//! [`Sessions`](crate::Sessions) live.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::AbortHandle;

use crate::access::Access;
use crate::application::AnyApplication;
use crate::registry::Registry;
use crate::store::Change;

/// The longest that an expired session waits for its end.
const SWEEP_AT_LEAST: Duration = Duration::from_secs(5);
/// So many sessions are ended at once.
const MOST_ENDED: usize = 256;
/// How often a store that is down is tried.
const PROBE: Duration = Duration::from_millis(500);

/// Tasks that end when this is dropped.
#[derive(Debug)]
pub(crate) struct Background(Vec<AbortHandle>);

impl Background {
    pub(crate) fn start(access: &Access, app: &Arc<dyn AnyApplication>, registry: &Arc<Registry>) -> Self {
        let changes = access.store.changes();
        let tasks = [
            tokio::spawn(pass_on(changes, Arc::clone(registry))),
            tokio::spawn(keep(access.clone(), Arc::clone(registry))),
            tokio::spawn(sweep(access.clone(), Arc::clone(app))),
            tokio::spawn(probe(access.clone())),
        ];
        Self(tasks.iter().map(tokio::task::JoinHandle::abort_handle).collect())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// Tells the sessions connected here of their news.
async fn pass_on(mut changes: UnboundedReceiver<Change>, registry: Arc<Registry>) {
    while let Some(change) = changes.recv().await {
        registry.tell(&change);
    }
}

/// Keeps the sessions that are connected here from expiring.
async fn keep(access: Access, registry: Arc<Registry>) {
    let every = access.store.settings().ttl / 5;
    loop {
        tokio::time::sleep(every.max(Duration::from_millis(1))).await;
        let leases = registry.leases();
        if !leases.is_empty() {
            // It ends with no error but one of the whole store.
            let _ = access.patiently(|| access.store.keep(&leases)).await;
        }
    }
}

/// Ends sessions whose time has passed.
async fn sweep(access: Access, app: Arc<dyn AnyApplication>) {
    let every = (access.store.settings().ttl / 60).clamp(Duration::from_millis(10), SWEEP_AT_LEAST);
    loop {
        tokio::time::sleep(every).await;
        while let Ok(ended) = access.patiently(|| access.store.expire(MOST_ENDED)).await {
            for ended in &ended {
                let effects = app.end(ended).await;
                let _ = access.apply(None, effects).await;
            }
            if ended.len() < MOST_ENDED {
                break;
            }
        }
    }
}

/// Finds out that a store that was down is there again, though nobody uses it.
async fn probe(access: Access) {
    loop {
        tokio::time::sleep(PROBE).await;
        if access.is_down() {
            let _ = access.once(access.store.totals()).await;
        }
    }
}
