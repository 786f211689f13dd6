//! A dial budget that many connections share.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use redial::{DialBudget, Micros, Turn};

use crate::clock::Clock;

/// A dial budget that many connections share, for example all of a process to one host: a handle, cheap to clone, for
/// [`Builder::shared_budget`](crate::Builder::shared_budget). In any span w they make at most burst + w / refill dials
/// together, whatever their threads do.
///
/// Each connection's policy has a [`DialBudget`] of its own besides. A dial that has to wait for its turn waits in phase
/// waiting, which uses up no attempt; a [`RetryScheduled`](redial::RetryScheduled) tells when it is due.
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
pub struct SharedBudget<K>(Arc<Inner<K>>);

struct Inner<K> {
    /// The connections' clocks may each have an origin of their own.
    clock: K,
    budget: Mutex<redial::SharedBudget>,
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
        Self(Arc::new(Inner { clock, budget: Mutex::new(redial::SharedBudget::new(budget)) }))
    }
}

impl<K> Clone for SharedBudget<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> fmt::Debug for SharedBudget<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let budget = self.0.budget.lock().unwrap_or_else(PoisonError::into_inner).budget();
        f.debug_tuple("SharedBudget").field(&budget).finish()
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
        let Inner { clock, budget } = &*self.budget.0;
        let mut budget = budget.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that the times come in order.
        let now = clock.now();
        let taken = budget.take(now, self.turn);
        self.turn = taken.err();
        taken.map_err(|turn| turn.at().saturating_since(now))
    }
}
