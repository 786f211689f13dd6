//! A store that fails on command.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use redial_server::SessionId;
use redial_server::store::{
    Change, Claim, Committed, Effect, Ended, Lease, Member, MemoryStore, NewSession, Outgoing, Past, SecretHash,
    SessionStore, StoreError, StoreSettings, Totals,
};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;

/// A store in memory that can be taken away.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    inner: MemoryStore,
    down: AtomicBool,
    /// What no message brought about fails.
    pub(crate) refuse_applies: AtomicBool,
    /// Commits are made, but whoever asked for them never hears of it.
    pub(crate) swallow_commits: AtomicBool,
    /// A commit was made and swallowed.
    pub(crate) swallowed: Notify,
    /// A commit was made.
    pub(crate) committed: Notify,
    /// A call has found it down.
    pub(crate) asked: Notify,
}

impl FaultyStore {
    pub(crate) fn new(settings: StoreSettings) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryStore::new(settings),
            down: AtomicBool::new(false),
            refuse_applies: AtomicBool::new(false),
            swallow_commits: AtomicBool::new(false),
            swallowed: Notify::new(),
            committed: Notify::new(),
            asked: Notify::new(),
        })
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    fn there(&self) -> Result<(), StoreError> {
        if self.down.load(Ordering::SeqCst) {
            self.asked.notify_one();
            return Err(StoreError::Unavailable("taken away by the test".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl SessionStore for FaultyStore {
    fn settings(&self) -> &StoreSettings {
        self.inner.settings()
    }

    async fn create(&self, new: NewSession) -> Result<Lease, StoreError> {
        self.there()?;
        self.inner.create(new).await
    }

    async fn claim(&self, id: SessionId, secret: SecretHash, received: u64) -> Result<Claim, StoreError> {
        self.there()?;
        self.inner.claim(id, secret, received).await
    }

    async fn commit(&self, lease: Lease, messages: Vec<Committed>) -> Result<(), StoreError> {
        self.there()?;
        self.inner.commit(lease, messages).await?;
        self.committed.notify_one();
        if self.swallow_commits.load(Ordering::SeqCst) {
            self.swallowed.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn apply(&self, session: Option<SessionId>, effects: Vec<Effect>) -> Result<(), StoreError> {
        self.there()?;
        if self.refuse_applies.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("full, by the test's wish".into()));
        }
        self.inner.apply(session, effects).await
    }

    async fn read(
        &self,
        lease: Lease,
        after: u64,
        most_messages: usize,
        most_bytes: usize,
    ) -> Result<Vec<Outgoing>, StoreError> {
        self.there()?;
        self.inner.read(lease, after, most_messages, most_bytes).await
    }

    async fn acknowledge(&self, lease: Lease, up_to: u64) -> Result<(), StoreError> {
        self.there()?;
        self.inner.acknowledge(lease, up_to).await
    }

    async fn keep(&self, leases: &[Lease]) -> Result<(), StoreError> {
        self.there()?;
        self.inner.keep(leases).await
    }

    async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        self.there()?;
        self.inner.release(lease).await
    }

    async fn end(&self, lease: Lease) -> Result<Option<Ended>, StoreError> {
        self.there()?;
        self.inner.end(lease).await
    }

    async fn expire(&self, most: usize) -> Result<Vec<Ended>, StoreError> {
        self.there()?;
        self.inner.expire(most).await
    }

    async fn history(&self, room: &str, before: Option<u64>, most: usize) -> Result<Vec<Past>, StoreError> {
        self.there()?;
        self.inner.history(room, before, most).await
    }

    async fn members(&self, room: &str) -> Result<Vec<Member>, StoreError> {
        self.there()?;
        self.inner.members(room).await
    }

    async fn count(&self, key: &str) -> Result<u64, StoreError> {
        self.there()?;
        self.inner.count(key).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.there()?;
        self.inner.totals().await
    }

    fn changes(&self) -> UnboundedReceiver<Change> {
        self.inner.changes()
    }
}
