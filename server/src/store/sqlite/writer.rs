//! The thread that has the file.
//!
//! All who wait when a transaction begins share it, and the disk's time for it. Each has a savepoint of its own, so that
//! one's failure is not another's; and nobody is answered before everything is on the disk.

use std::fmt;
use std::sync::Arc;

use redial_session::SessionId;
use rusqlite::Connection;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::store::listeners::Listeners;
use crate::store::{StoreError, StoreSettings};

/// Milliseconds since 1970-01-01 UTC.
pub(super) type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The most that are looked at before a transaction begins: reads without end must not hold up the writes.
const TOGETHER: usize = 1_024;

/// Ends a request: it is on the disk, or not.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A request.
pub(super) enum Job {
    /// Answered from what is on the disk already.
    Read(Box<dyn FnOnce(&mut Work<'_>) + Send>),
    Write(Box<dyn FnOnce(&mut Work<'_>) -> Answer + Send>),
}

/// Why a request was not done.
pub(super) enum Failure {
    Refused(StoreError),
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error,
            Failure::Failed(error) => unavailable(&error),
        }
    }
}

fn unavailable(why: &dyn fmt::Display) -> StoreError {
    StoreError::Unavailable(why.to_string())
}

/// What a request has to work with.
pub(super) struct Work<'a> {
    pub(super) file: &'a Connection,
    pub(super) settings: &'a StoreSettings,
    pub(super) now: u64,
    /// Who is to hear of the transaction.
    pub(super) news: Vec<SessionId>,
}

impl Job {
    pub(super) fn read<T: Send + 'static>(
        run: impl FnOnce(&mut Work<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (sender, receiver) = oneshot::channel();
        let job = move |work: &mut Work<'_>| {
            // Who asked may have gone.
            let _ = sender.send(run(work).map_err(StoreError::from));
        };
        (Self::Read(Box::new(job)), receiver)
    }

    pub(super) fn write<T: Send + 'static>(
        run: impl FnOnce(&mut Work<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (sender, receiver) = oneshot::channel();
        let job = move |work: &mut Work<'_>| -> Answer {
            let outcome = work.apart(run);
            Box::new(move |written| {
                let _ = sender.send(written.and(outcome));
            })
        };
        (Self::Write(Box::new(job)), receiver)
    }
}

impl Work<'_> {
    /// Runs it so that its failure undoes what it did, and nothing else.
    fn apart<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, StoreError> {
        // A full disk may have ended the transaction for all: a savepoint would now be one of its own.
        if self.file.is_autocommit() {
            return Err(unavailable(&"the transaction was rolled back"));
        }
        let news = self.news.len();
        self.statement("SAVEPOINT request")?;
        let outcome = run(self);
        if outcome.is_err() {
            self.news.truncate(news);
            self.statement("ROLLBACK TO request")?;
        }
        self.statement("RELEASE request")?;
        outcome.map_err(StoreError::from)
    }

    fn statement(&self, text: &str) -> Result<(), StoreError> {
        let done = self.file.prepare_cached(text).and_then(|mut statement| statement.execute([]));
        done.map(|_| ()).map_err(|error| unavailable(&error))
    }
}

/// Works until nobody can ask any more.
pub(super) fn run(
    file: &Connection,
    settings: &StoreSettings,
    clock: &Clock,
    listeners: &Listeners,
    mut jobs: UnboundedReceiver<Job>,
) {
    let mut writes = Vec::new();
    while let Some(first) = jobs.blocking_recv() {
        let mut work = Work { file, settings, now: clock(), news: Vec::new() };
        let others = std::iter::from_fn(|| jobs.try_recv().ok());
        for job in std::iter::once(first).chain(others).take(TOGETHER) {
            match job {
                Job::Read(run) => {
                    work.now = clock();
                    run(&mut work);
                }
                Job::Write(run) => writes.push(run),
            }
        }
        if writes.is_empty() {
            continue;
        }
        work.now = clock();
        let (answers, written) = transaction(&mut work, writes.drain(..));
        if written.is_ok() {
            listeners.tell_of(work.news);
        }
        for answer in answers {
            answer(written.clone());
        }
    }
}

fn transaction(
    work: &mut Work<'_>,
    writes: impl Iterator<Item = Box<dyn FnOnce(&mut Work<'_>) -> Answer + Send>>,
) -> (Vec<Answer>, Result<(), StoreError>) {
    let begun = work.statement("BEGIN IMMEDIATE");
    let answers = writes.map(|write| write(work)).collect();
    let written = begun.and_then(|()| work.statement("COMMIT"));
    if written.is_err() && !work.file.is_autocommit() {
        // Nothing more can be done about a file that refuses even this: the next transaction will say so.
        let _ = work.statement("ROLLBACK");
    }
    (answers, written)
}

pub(super) fn channel() -> (UnboundedSender<Job>, UnboundedReceiver<Job>) {
    unbounded_channel()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    #[derive(Clone)]
    struct Reader {
        jobs: UnboundedSender<Job>,
        reads: Arc<AtomicUsize>,
        written: Arc<AtomicBool>,
    }

    impl Reader {
        /// A read after which there is always another one: ten times as many as are looked at together, at most.
        fn read(self) {
            let again = self.clone();
            let read = move |_: &mut Work<'_>| {
                let reads = again.reads.fetch_add(1, Ordering::SeqCst) + 1;
                if reads < 10 * TOGETHER && !again.written.load(Ordering::SeqCst) {
                    again.read();
                }
            };
            assert!(self.jobs.send(Job::Read(Box::new(read))).is_ok());
        }
    }

    #[test]
    fn reads_without_end_do_not_hold_up_a_write() {
        let (jobs, waiting) = channel();
        let reader = Reader { jobs: jobs.clone(), reads: Arc::default(), written: Arc::default() };
        let (reads, written) = (Arc::clone(&reader.reads), Arc::clone(&reader.written));
        reader.read();
        let (write, mut answer) = Job::write(move |_| {
            written.store(true, Ordering::SeqCst);
            Ok(())
        });
        assert!(jobs.send(write).is_ok());
        drop(jobs);
        let clock: Clock = Arc::new(|| 0);
        let file = Connection::open_in_memory().unwrap();
        run(&file, &StoreSettings::default(), &clock, &Listeners::default(), waiting);
        assert_eq!(answer.try_recv(), Ok(Ok(())));
        assert!(reads.load(Ordering::SeqCst) <= TOGETHER, "{reads:?}");
    }
}
