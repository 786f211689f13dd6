//! A dial budget that many connections share.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redial::{DialBudget, Micros, Turn};

use crate::clock::Clock;

/// A dial budget that many connections share, for example all of a process to one host: a handle, cheap to clone, for
/// [`Builder::shared_budget`](crate::Builder::shared_budget). In any span w they take at most burst + w / refill tokens
/// together, and each dial takes one.
///
/// A connection has one budget for all its endpoints, and its policy a [`DialBudget`] of its own besides. A dial that has to
/// wait for its turn waits in phase waiting, which uses up no attempt; a [`RetryScheduled`](redial::RetryScheduled) tells when
/// it is due. Every dial waits for one tick of the runtime's timer at least (a millisecond on tokio), those of `start` and
/// `reconnect` too. The policy's `maxElapsed` counts the wait: a queue longer than that makes a connection give up. A burst
/// smaller than what a timer tick refills can't be used up.
///
/// ```
/// use redial::{DialBudget, Micros, Policy};
/// use redial_driver::testing::Sim;
/// use redial_driver::{Reconnecting, SharedBudget};
///
/// let sim = Sim::new();
/// let budget = SharedBudget::with_clock(sim.clock(), DialBudget { burst: 20, refill: Micros::from_millis(10) });
/// let fleet: Vec<_> = (0..1000)
///     .map(|seed| Reconnecting::builder(sim.clock(), sim.connector(), Policy::resilient(), seed).shared_budget(&budget).build())
///     .collect();
/// ```
pub struct SharedBudget<K>(Arc<Mutex<Inner<K>>>);

struct Inner<K> {
    /// The connections' clocks may each have an origin of their own.
    clock: K,
    budget: redial::SharedBudget,
}

impl<K: Clock + Default> SharedBudget<K> {
    /// A full budget. A burst of 0 acts as 1, a refill of 0 as 1 µs.
    #[must_use]
    pub fn new(budget: DialBudget) -> Self {
        Self::with_clock(K::default(), budget)
    }
}

impl<K: Clock> SharedBudget<K> {
    /// The same on this clock, for one that has no default.
    #[must_use]
    pub fn with_clock(clock: K, budget: DialBudget) -> Self {
        Self(Arc::new(Mutex::new(Inner { clock, budget: redial::SharedBudget::new(budget) })))
    }
}

impl<K> Clone for SharedBudget<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> fmt::Debug for SharedBudget<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedBudget").field(&self.lock().budget.budget()).finish()
    }
}

impl<K> SharedBudget<K> {
    /// Nothing that runs under the lock leaves the budget half changed.
    fn lock(&self) -> MutexGuard<'_, Inner<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's part in it.
#[derive(Debug)]
pub(crate) struct Part<K> {
    budget: SharedBudget<K>,
    /// What it was refused with, since its last token.
    turn: Option<Turn>,
}

impl<K: Clock> Part<K> {
    pub(crate) const fn new(budget: SharedBudget<K>) -> Self {
        Self { budget, turn: None }
    }

    /// Takes a token for a dial.
    ///
    /// # Errors
    /// There is none: how long to wait for this connection's turn; more than 0.
    pub(crate) fn take(&mut self) -> Result<(), Micros> {
        let mut inner = self.budget.lock();
        // Under the lock, so that the times come in order.
        let now = inner.clock.now();
        let taken = inner.budget.take(now, self.turn);
        self.turn = taken.err();
        taken.map_err(|turn| turn.at().saturating_since(now))
    }
}

impl<K> Part<K> {
    /// No dial waits for a turn any more.
    pub(crate) fn give_back(&mut self) {
        if let Some(turn) = self.turn.take() {
            self.budget.lock().budget.give_back(turn);
        }
    }
}

impl<K> Drop for Part<K> {
    fn drop(&mut self) {
        self.give_back();
    }
}
