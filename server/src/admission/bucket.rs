//! So many in a span of time.

use redial::Timestamp;

/// A token bucket: full at first, refilled evenly. Counts in microseconds of refill, so nothing is rounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    /// When it will be full again; what lies ahead of now is missing.
    full_at: u64,
}

/// How fast a bucket fills and how much it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// Microseconds for one token.
    each: u64,
    /// Microseconds for all of them.
    whole: u64,
}

impl Rate {
    /// So many in `micros`, and `burst` at once; at least one of each.
    pub(crate) fn new(count: u32, micros: u64, burst: u32) -> Self {
        let each = micros.checked_div(u64::from(count)).unwrap_or(micros).max(1);
        Self { each, whole: each.saturating_mul(u64::from(burst.max(1))) }
    }
}

impl Bucket {
    pub(crate) const FULL: Self = Self { full_at: 0 };

    /// Takes a token.
    ///
    /// # Errors
    /// The microseconds until there is one.
    pub(crate) fn take(&mut self, rate: Rate, now: Timestamp) -> Result<(), u64> {
        let full_at = self.full_at.max(now.as_micros()).saturating_add(rate.each);
        let allowed = now.as_micros().saturating_add(rate.whole);
        if full_at > allowed {
            return Err(full_at - allowed);
        }
        self.full_at = full_at;
        Ok(())
    }

    pub(crate) fn is_full(&self, now: Timestamp) -> bool {
        self.full_at <= now.as_micros()
    }

    pub(crate) fn full_at(&self) -> u64 {
        self.full_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_then_one_each_time_one_has_come_in() {
        let rate = Rate::new(60, 60_000_000, 3);
        let mut bucket = Bucket::FULL;
        let at = Timestamp::from_millis(5_000);
        assert!((0..3).all(|_| bucket.take(rate, at).is_ok()));
        assert_eq!(bucket.take(rate, at), Err(1_000_000));
        assert_eq!(bucket.take(rate, Timestamp::from_millis(5_999)), Err(1_000));
        assert_eq!(bucket.take(rate, Timestamp::from_millis(6_000)), Ok(()));
        assert!(!bucket.is_full(Timestamp::from_millis(8_999)));
        assert!(bucket.is_full(Timestamp::from_millis(9_000)));
    }
}
