//! What is due when.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use tokio::time::Instant;

/// Keys, each with the time when it is due.
#[derive(Debug)]
pub(super) struct Due<K> {
    times: HashMap<K, Instant>,
    order: BTreeSet<(Instant, K)>,
}

impl<K> Default for Due<K> {
    fn default() -> Self {
        Self { times: HashMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Clone + Eq + Hash + Ord> Due<K> {
    pub(super) fn set(&mut self, key: K, at: Instant) {
        if let Some(before) = self.times.insert(key.clone(), at) {
            self.order.remove(&(before, key.clone()));
        }
        self.order.insert((at, key));
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some((key, at)) = self.times.remove_entry(key) {
            self.order.remove(&(at, key));
        }
    }

    /// Whether its time has come. What has no time is due.
    pub(super) fn is_due(&self, key: &K, now: Instant) -> bool {
        self.times.get(key).is_none_or(|at| *at <= now)
    }

    /// Takes the one that has been due for longest, if one is.
    pub(super) fn pop(&mut self, now: Instant) -> Option<K> {
        if self.order.first()?.0 > now {
            return None;
        }
        let (_, key) = self.order.pop_first()?;
        self.times.remove(&key);
        Some(key)
    }
}
