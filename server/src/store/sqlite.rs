//! Sessions in a file.

mod rooms;
mod schema;
mod sessions;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use redial_session::SessionId;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use super::clock::unix_millis;
use super::listeners::Listeners;
use super::{
    Change, Claim, Committed, Effect, Ended, Lease, Member, NewSession, Outgoing, Past, SecretHash, SessionStore,
    StoreError, StoreSettings, Totals,
};
use writer::{Clock, Failure, Job, Work};

/// Sessions in a file, by SQLite: they outlive the process and the machine's power.
///
/// What a call has answered is on the disk (`synchronous=FULL` on a write-ahead log), however the process ends. All calls
/// that wait when a transaction begins are written with one wait for the disk; reads don't wait for it.
///
/// One process has the file at a time: a second one is refused. Beside the file lies its log, `-wal`, which belongs to it.
/// The file never shrinks; what is freed in it is used again.
///
/// Times to live go by the wall clock, since they go on while no process runs.
pub struct SqliteStore {
    settings: StoreSettings,
    listeners: Arc<Listeners>,
    /// There until it is dropped.
    jobs: Option<UnboundedSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the file, or makes it. It waits for the disk.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], with the reason, if it can't be opened, if another process has it, if it is something
    /// else, or if a newer version has written it.
    pub fn open(path: impl AsRef<Path>, settings: StoreSettings) -> Result<Self, StoreError> {
        Self::open_with_clock(path, settings, unix_millis)
    }

    /// The same, with a clock of milliseconds since 1970. For tests.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[doc(hidden)]
    pub fn open_with_clock(
        path: impl AsRef<Path>,
        settings: StoreSettings,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let file = schema::open(path.as_ref()).map_err(StoreError::Unavailable)?;
        let listeners = Arc::new(Listeners::default());
        let (jobs, waiting) = writer::channel();
        let heard = Arc::clone(&listeners);
        let clock: Clock = Arc::new(clock);
        let thread = thread::Builder::new()
            .name("redial-sqlite".to_owned())
            .spawn(move || writer::run(&file, &settings, &clock, &heard, waiting))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { settings, listeners, jobs: Some(jobs), thread: Some(thread) })
    }

    async fn read_file<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Work<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask(Job::read(run)).await
    }

    async fn write_file<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Work<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask(Job::write(run)).await
    }

    async fn ask<T>(&self, (job, answer): (Job, oneshot::Receiver<Result<T, StoreError>>)) -> Result<T, StoreError> {
        let ended = || StoreError::Unavailable("the thread that writes has ended".to_owned());
        self.jobs.as_ref().ok_or_else(ended)?.send(job).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

impl Drop for SqliteStore {
    /// Waits until the file is closed, so that it can be opened again.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for SqliteStore {
    fn settings(&self) -> &StoreSettings {
        &self.settings
    }

    async fn create(&self, new: NewSession) -> Result<Lease, StoreError> {
        self.write_file(move |work| work.create(&new)).await
    }

    async fn claim(&self, id: SessionId, secret: SecretHash, received: u64) -> Result<Claim, StoreError> {
        self.write_file(move |work| work.claim(id, secret, received)).await
    }

    async fn commit(&self, lease: Lease, messages: Vec<Committed>) -> Result<(), StoreError> {
        self.write_file(move |work| work.commit(lease, messages)).await?
    }

    async fn apply(&self, session: Option<SessionId>, effects: Vec<Effect>) -> Result<(), StoreError> {
        self.write_file(move |work| work.apply(session, effects)).await?
    }

    async fn read(
        &self,
        lease: Lease,
        after: u64,
        most_messages: usize,
        most_bytes: usize,
    ) -> Result<Vec<Outgoing>, StoreError> {
        self.read_file(move |work| work.read(lease, after, most_messages, most_bytes)).await
    }

    async fn acknowledge(&self, lease: Lease, up_to: u64) -> Result<(), StoreError> {
        self.write_file(move |work| work.acknowledge(lease, up_to)).await
    }

    async fn keep(&self, leases: &[Lease]) -> Result<(), StoreError> {
        let leases = leases.to_vec();
        self.write_file(move |work| work.keep(&leases)).await
    }

    async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        self.write_file(move |work| work.release(lease)).await
    }

    async fn end(&self, lease: Lease) -> Result<Option<Ended>, StoreError> {
        self.write_file(move |work| work.end(lease)).await
    }

    async fn expire(&self, most: usize) -> Result<Vec<Ended>, StoreError> {
        self.write_file(move |work| work.expire(most)).await
    }

    async fn history(&self, room: &str, before: Option<u64>, most: usize) -> Result<Vec<Past>, StoreError> {
        let room = room.to_owned();
        self.read_file(move |work| work.history(&room, before, most)).await
    }

    async fn members(&self, room: &str) -> Result<Vec<Member>, StoreError> {
        let room = room.to_owned();
        self.read_file(move |work| work.members(&room)).await
    }

    async fn count(&self, key: &str) -> Result<u64, StoreError> {
        let key = key.to_owned();
        self.write_file(move |work| work.count(&key)).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.read_file(|work| work.totals()).await
    }

    fn changes(&self) -> UnboundedReceiver<Change> {
        self.listeners.add()
    }
}
