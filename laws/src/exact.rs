//! Exact arithmetic for laws that ask for it.

use redial::DialBudget;

use crate::step::{Us, us};

/// The dial budget's bucket, in microseconds of refilling: so no part of a token is rounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    budget: Option<DialBudget>,
    level: Us,
    since: Us,
}

impl Bucket {
    /// "the bucket is full at first"
    pub(crate) fn full(budget: Option<DialBudget>) -> Self {
        let level = budget.map_or(0, |budget| us(budget.refill) * Us::from(budget.burst));
        Self { budget, level, since: 0 }
    }

    /// From when on there is a token.
    pub(crate) fn token_at(&self) -> Us {
        self.budget.map_or(0, |budget| self.since + (us(budget.refill) - self.level).max(0))
    }

    /// "a dial takes its token when it is made"
    pub(crate) fn take(&mut self, now: Us) {
        if let Some(budget) = self.budget {
            let token = us(budget.refill);
            self.level = (self.level + now - self.since).min(token * Us::from(budget.burst)) - token;
            self.since = now;
        }
    }
}
