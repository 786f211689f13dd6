//! The connections of this process, and how they hear that something has happened.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use redial_session::SessionId;

use crate::store::{Change, Lease};

/// Which sessions are connected here.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    hosted: Mutex<HashMap<SessionId, Hosted>>,
}

#[derive(Debug)]
struct Hosted {
    lease: Lease,
    signal: Arc<Signal>,
}

/// Wakes a connection's task.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    waker: AtomicWaker,
    news: AtomicBool,
}

/// A connection that is told of its session's news, as long as this lives.
#[derive(Debug)]
pub(crate) struct Registered {
    registry: Arc<Registry>,
    lease: Lease,
    signal: Arc<Signal>,
}

impl Registry {
    /// Adds a connection. Of two of the same session the older hears that there is news: that it has been superseded. It may
    /// be this one, if it comes late.
    pub(crate) fn add(self: &Arc<Self>, lease: Lease) -> Registered {
        let signal = Arc::new(Signal::default());
        let mut hosted = self.hosted();
        if hosted.get(&lease.session).is_some_and(|there| there.lease.epoch > lease.epoch) {
            signal.tell();
        } else if let Some(before) = hosted.insert(lease.session, Hosted { lease, signal: Arc::clone(&signal) }) {
            before.signal.tell();
        }
        drop(hosted);
        Registered { registry: Arc::clone(self), lease, signal }
    }

    pub(crate) fn tell(&self, change: &Change) {
        let hosted = self.hosted();
        match change {
            Change::Sessions(ids) => {
                ids.iter().filter_map(|id| hosted.get(id)).for_each(|hosted| hosted.signal.tell());
            }
            Change::Any => hosted.values().for_each(|hosted| hosted.signal.tell()),
        }
    }

    pub(crate) fn leases(&self) -> Vec<Lease> {
        self.hosted().values().map(|hosted| hosted.lease).collect()
    }

    /// Wakes all, so that they see that the server goes away.
    pub(crate) fn wake_all(&self) {
        self.hosted().values().for_each(|hosted| hosted.signal.tell());
    }

    fn hosted(&self) -> MutexGuard<'_, HashMap<SessionId, Hosted>> {
        self.hosted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signal {
    fn tell(&self) {
        self.news.store(true, Ordering::Release);
        self.waker.wake();
    }
}

impl Registered {
    pub(crate) fn listen(&self, waker: &Waker) {
        self.signal.waker.register(waker);
    }

    /// Whether there has been news since the last time.
    pub(crate) fn take_news(&self) -> bool {
        self.signal.news.swap(false, Ordering::Acquire)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut hosted = self.registry.hosted();
        if hosted.get(&self.lease.session).is_some_and(|hosted| Arc::ptr_eq(&hosted.signal, &self.signal)) {
            hosted.remove(&self.lease.session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_was_superseded_hears_of_it_and_does_not_unregister_its_successor() {
        let registry = Arc::new(Registry::default());
        let lease = |epoch| Lease { session: SessionId::from_bytes([1; 16]), epoch };
        let first = registry.add(lease(1));
        assert!(!first.take_news());
        let second = registry.add(lease(2));
        assert!(first.take_news() && !second.take_news());
        drop(first);
        registry.tell(&Change::Any);
        assert!(second.take_news());
        drop(second);
        assert!(registry.leases().is_empty());
    }

    #[test]
    fn an_older_lease_that_comes_late_does_not_take_its_successor_s_place() {
        let registry = Arc::new(Registry::default());
        let lease = |epoch| Lease { session: SessionId::from_bytes([1; 16]), epoch };
        let newer = registry.add(lease(2));
        let late = registry.add(lease(1));
        assert!(late.take_news() && !newer.take_news());
        drop(late);
        assert_eq!(registry.leases(), [lease(2)]);
        registry.tell(&Change::Any);
        assert!(newer.take_news());
    }
}
