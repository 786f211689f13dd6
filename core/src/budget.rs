//! The dial budget: a token bucket over all dials.

use crate::moment::Moment;
use crate::policy::DialBudget;
use crate::time::Micros;

/// A token bucket. The part of a token that has come back is in `counted_at`, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub(crate) struct TokenBucket {
    tokens: u32,
    /// Another bucket, which is shared with other machines, is asked as well; here, where there is room for it.
    #[cfg_attr(feature = "serde", serde(default))]
    shared: bool,
    /// When so many whole tokens were there.
    counted_at: Moment,
}

impl TokenBucket {
    /// Full, whatever the burst: counting cuts it down to that.
    pub(crate) const fn full(now: Moment) -> Self {
        Self { tokens: u32::MAX, shared: false, counted_at: now }
    }

    /// When the next token is there: `now`, or later.
    pub(crate) fn next_token(&self, budget: Option<DialBudget>, now: Moment) -> Moment {
        match budget {
            Some(budget) if self.tokens == 0 => now.max(self.counted_at.after(budget.refill)),
            Some(_) | None => now,
        }
    }

    /// Takes the token that `next_token` found at `now`.
    pub(crate) fn take(&mut self, budget: Option<DialBudget>, now: Moment) {
        if let Some(budget) = budget {
            *self = self.counted(budget, now);
            self.tokens = self.tokens.saturating_sub(1);
        }
    }

    /// The same bucket with the tokens that have come back until `now`.
    fn counted(self, DialBudget { burst, refill }: DialBudget, now: Moment) -> Self {
        let micros = refill.as_micros();
        let back = now.since(self.counted_at).as_micros().checked_div(micros).unwrap_or(0);
        let tokens = u64::from(self.tokens).saturating_add(back);
        match u32::try_from(tokens) {
            Ok(tokens) if tokens < burst => {
                let whole = Micros::from_micros(back.saturating_mul(micros));
                Self { tokens, counted_at: self.counted_at.after(whole), ..self }
            }
            // Full: what would come back on top is lost.
            Ok(_) | Err(_) => Self { tokens: burst, counted_at: now, ..self },
        }
    }

    pub(crate) const fn share(&mut self) {
        self.shared = true;
    }

    pub(crate) const fn is_shared(&self) -> bool {
        self.shared
    }

    /// When its tokens were counted; never later than the latest time seen.
    pub(crate) const fn counted_at(&self) -> Moment {
        self.counted_at
    }

    pub(crate) fn shifted(self, by: i64) -> Self {
        Self { counted_at: self.counted_at.shifted(by), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    const BUDGET: Option<DialBudget> = Some(DialBudget { burst: 2, refill: Micros::from_millis(10) });

    fn at(millis: u64) -> Moment {
        Moment::at(Timestamp::from_millis(millis))
    }

    #[test]
    fn the_burst_then_one_token_each_refill() {
        let mut bucket = TokenBucket::full(at(0));
        for now in [0, 0] {
            assert_eq!(bucket.next_token(BUDGET, at(now)), at(now));
            bucket.take(BUDGET, at(now));
        }
        assert_eq!(bucket.next_token(BUDGET, at(4)), at(10));
        bucket.take(BUDGET, at(10));
        assert_eq!(bucket.next_token(BUDGET, at(17)), at(20));
    }

    #[test]
    fn a_full_bucket_does_not_save_up() {
        let mut bucket = TokenBucket::full(at(0));
        bucket.take(BUDGET, at(5));
        bucket.take(BUDGET, at(5));
        assert_eq!(bucket.next_token(BUDGET, at(5)), at(15), "refilling began when the first token was taken");
    }

    #[test]
    fn no_budget_is_no_bound() {
        let mut bucket = TokenBucket::full(at(0));
        for _ in 0..1000 {
            assert_eq!(bucket.next_token(None, at(1)), at(1));
            bucket.take(None, at(1));
        }
    }
}
