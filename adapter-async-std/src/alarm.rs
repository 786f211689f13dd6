//! Sleeping, on a thread of the adapter's own.
//!
//! async-io has timers too, but with one set, every wait for I/O of the whole process pays for it: the reactor splits its map
//! of timers in two, which allocates. A connection has a timer running all the time, for its pings.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// A sleep.
#[derive(Debug)]
pub struct Sleep {
    /// `None`: a time that the platform can't express, which never comes.
    at: Option<Instant>,
    /// In the list of alarms since it was polled first.
    id: Option<u64>,
}

impl Sleep {
    pub(crate) const fn until(at: Option<Instant>) -> Self {
        Self { at, id: None }
    }
}

impl Future for Sleep {
    type Output = ();

    /// The clock says whether it is over, never the thread.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.at {
            Some(at) if at <= now() => Poll::Ready(()),
            Some(at) => {
                self.id = Some(ALARMS.set(at, self.id, cx.waker().clone()));
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let (Some(at), Some(id)) = (self.at, self.id) {
            ALARMS.unset(at, id);
        }
    }
}

static ALARMS: Alarms =
    Alarms { list: Mutex::new(List { due: BTreeMap::new(), last_id: 0, served: false }), earlier: Condvar::new() };

struct Alarms {
    list: Mutex<List>,
    /// The first alarm is earlier than it was.
    earlier: Condvar,
}

/// Under the lock. Wakers are called and dropped outside: both may end in a task's drop, which comes back here.
struct List {
    due: BTreeMap<(Instant, u64), Waker>,
    last_id: u64,
    /// The thread runs.
    served: bool,
}

impl Alarms {
    /// Sets an alarm, or changes the waker of one.
    fn set(&'static self, at: Instant, id: Option<u64>, waker: Waker) -> u64 {
        let mut list = self.list();
        let id = id.unwrap_or_else(|| {
            list.last_id = list.last_id.wrapping_add(1);
            list.last_id
        });
        if !list.served {
            list.served = thread::Builder::new().name("redial-alarm".into()).spawn(|| self.serve()).is_ok();
        }
        // A system without threads to spare: asking again and again is slow, and still right.
        let unserved = (!list.served).then(|| waker.clone());
        let earlier = list.due.first_key_value().is_none_or(|(first, _)| (at, id) < *first);
        let before = list.due.insert((at, id), waker);
        drop(list);
        drop(before);
        if let Some(waker) = unserved {
            waker.wake();
        } else if earlier {
            self.earlier.notify_one();
        }
        id
    }

    fn unset(&self, at: Instant, id: u64) {
        let removed = self.list().due.remove(&(at, id));
        drop(removed);
    }

    fn serve(&self) {
        let mut list = self.list();
        loop {
            let wait = list.due.first_key_value().map(|((at, _), _)| at.saturating_duration_since(now()));
            list = match wait {
                None => self.earlier.wait(list).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => {
                    let due = list.due.pop_first();
                    drop(list);
                    if let Some((_, waker)) = due {
                        // One task's panic must not keep all others asleep.
                        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
                    }
                    self.list()
                }
                Some(wait) => self.earlier.wait_timeout(list, wait).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    /// Nothing that runs under the lock leaves the list half changed.
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock may read the time.
#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::{Either, join, select};

    fn after(millis: u64) -> Sleep {
        Sleep::until(now().checked_add(Duration::from_millis(millis)))
    }

    fn is_set(sleep: &Sleep) -> bool {
        sleep.at.zip(sleep.id).is_some_and(|key| ALARMS.list().due.contains_key(&key))
    }

    #[test]
    fn an_earlier_alarm_is_not_kept_waiting_by_a_later_one() {
        // Often: whether the thread is already waiting for the later one is chance.
        for _ in 0..50 {
            let first = select(after(3_600_000), after(1));
            assert!(matches!(async_io::block_on(first), Either::Right(_)));
        }
        async_io::block_on(join(after(4), after(4)));
    }

    #[test]
    fn a_sleep_that_is_given_up_leaves_nothing_behind() {
        let mut sleep = after(3_600_000);
        for _ in 0..2 {
            assert!(Pin::new(&mut sleep).poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert!(is_set(&sleep));
        }
        let key = sleep.at.zip(sleep.id).unwrap();
        drop(sleep);
        assert!(!ALARMS.list().due.contains_key(&key));
    }
}
