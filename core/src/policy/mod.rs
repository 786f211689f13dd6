//! The policy: every rule's number, checked once.

mod builder;
mod error;
mod growth;
mod jitter;
#[cfg(feature = "serde")]
mod json;
mod keys;
mod presets;
mod verdicts;

pub use builder::{Policy, PolicyBuilder};
pub use error::{PolicyError, Value};
pub(crate) use growth::{Growth, Multiplier};
pub use jitter::Jitter;
pub(crate) use jitter::Share;
pub use keys::KEYS;
pub use presets::Preset;
pub(crate) use verdicts::Ruling;
pub use verdicts::{Verdict, VerdictKey, Verdicts};

use crate::time::{Micros, OptionalMicros};
use crate::words::words;

words! {
    /// Which endpoint the next dial takes.
    pub enum Failover {
        /// The next one after a failed dial or an unstable connection; back to the first after a stable one.
        Ordered = "ordered",
        /// Every dial takes the next.
        RoundRobin = "roundRobin",
        /// Every dial draws one.
        Random = "random",
        /// The best of those that are not cooling down after a failure, the first in the list among equals. With this
        /// value only the first [`Endpoints::RECORDS`](crate::Endpoints::RECORDS) are dialled.
        ///
        /// An endpoint has failed when a dial failed, or when a connection ended for any cause but the user's. It then
        /// cools down for max(`stableAfter`, `baseDelay`), twice as long with each further failure in a row, up to
        /// `maxRetryAfter`, and at least for the failure's `retryAfter`; a stable connection ends the row. The best is the one
        /// with the best grade (`quality`, without hysteresis) for the smoothed latency of its last connection; unknown,
        /// or `maxRetryAfter` old, counts as excellent. If all cool down, it is the one whose cool-down ends first. So a
        /// preferred endpoint is dialled again once its cool-down has passed; an open connection is never hung up for it.
        Healthiest = "healthiest",
    }
}

/// The bounds of the grades, on smoothed latency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualityBounds {
    /// Below this: excellent. More than 0.
    pub excellent: Micros,
    /// Below this: good. More than `excellent`.
    pub good: Micros,
    /// Up to this: poor; above: disconnected. More than `good`.
    pub poor: Micros,
    /// A grade gets worse only past bound × (1 + hysteresis) and better only past bound × (1 − hysteresis); from 0 to
    /// less than 1.
    pub hysteresis: f64,
}

impl Default for QualityBounds {
    /// 50, 100 and 200 ms with a hysteresis of 0.1.
    fn default() -> Self {
        Self {
            excellent: Micros::from_millis(50),
            good: Micros::from_millis(100),
            poor: Micros::from_millis(200),
            hysteresis: 0.1,
        }
    }
}

/// A token bucket over all dials, manual ones too: in any span w there are at most burst + w / refill dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialBudget {
    /// Tokens in the full bucket, 1 or more (a policy refuses 0; for a shared budget it acts as 1). The bucket is full at first.
    pub burst: u32,
    /// Time in which one token comes back; more than 0.
    pub refill: Micros,
}

impl Default for DialBudget {
    /// 5 tokens, one back each second.
    fn default() -> Self {
        Self { burst: 5, refill: Micros::from_secs(1) }
    }
}

/// A budget or none, without the eight bytes that an `Option` adds for its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OptionalBudget {
    burst: u32,
    refill: OptionalMicros,
}

impl OptionalBudget {
    pub(crate) const NONE: Self = Self { burst: 0, refill: OptionalMicros::NONE };

    pub(crate) const fn some(DialBudget { burst, refill }: DialBudget) -> Self {
        Self { burst, refill: OptionalMicros::some(refill) }
    }

    pub(crate) const fn get(self) -> Option<DialBudget> {
        match self.refill.get() {
            Some(refill) => Some(DialBudget { burst: self.burst, refill }),
            None => None,
        }
    }
}

impl From<Option<DialBudget>> for OptionalBudget {
    fn from(budget: Option<DialBudget>) -> Self {
        budget.map_or(Self::NONE, Self::some)
    }
}

impl From<OptionalBudget> for Option<DialBudget> {
    fn from(budget: OptionalBudget) -> Self {
        budget.get()
    }
}
