//! The set of reasons for not dialling now.

use crate::words::HoldReason;

/// The holds that stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holds(u8);

impl Holds {
    /// No hold stands.
    pub const NONE: Self = Self(0);

    /// Whether this reason stands.
    #[must_use]
    pub const fn contains(self, reason: HoldReason) -> bool {
        self.0 & bit(reason) != 0
    }

    /// Whether none stands.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The reasons that stand.
    pub fn iter(self) -> impl Iterator<Item = HoldReason> {
        HoldReason::ALL.iter().copied().filter(move |reason| self.contains(*reason))
    }

    /// Any hold holds a retry.
    pub(crate) const fn hold_retries(self) -> bool {
        !self.is_empty()
    }

    /// The dial of `start` is not automatic: switching automatic reconnection off does not hold it.
    pub(crate) const fn hold_start(self) -> bool {
        self.0 & !bit(HoldReason::AutoReconnectOff) != 0
    }

    /// Whether that changed anything.
    pub(crate) fn insert(&mut self, reason: HoldReason) -> bool {
        let before = *self;
        self.0 |= bit(reason);
        *self != before
    }

    /// Whether that changed anything.
    pub(crate) fn remove(&mut self, reason: HoldReason) -> bool {
        let before = *self;
        self.0 &= !bit(reason);
        *self != before
    }
}

const fn bit(reason: HoldReason) -> u8 {
    match reason {
        HoldReason::AutoReconnectOff => 1,
        HoldReason::Offline => 2,
        HoldReason::Hidden => 4,
        HoldReason::Idle => 8,
    }
}

#[cfg(feature = "serde")]
mod json {
    use alloc::vec::Vec;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{HoldReason, Holds};

    impl Serialize for Holds {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(self.iter())
        }
    }

    impl<'de> Deserialize<'de> for Holds {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let mut holds = Self::default();
            for reason in Vec::<HoldReason>::deserialize(deserializer)? {
                holds.insert(reason);
            }
            Ok(holds)
        }
    }
}
