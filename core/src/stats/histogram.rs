//! Latency percentiles in fixed memory.

use crate::time::Micros;

/// A histogram of latencies with four equal buckets to the octave from 256 µs to 268 s: 320 bytes, and no percentile is
/// off by more than an eighth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latencies {
    counts: [u32; Self::BUCKETS],
}

impl Latencies {
    const BUCKETS: usize = 80;
    const OCTAVE_BITS: u32 = 2;
    /// log2 of the shortest latency that is told apart, in microseconds.
    const FIRST_OCTAVE: u32 = 8;

    pub(crate) fn record(&mut self, latency: Micros) {
        if let Some(count) = self.counts.get_mut(bucket(latency)) {
            *count = count.saturating_add(1);
        }
    }

    /// How many samples there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    /// The latency that `percent` (0 to 100) of the samples do not pass, as the middle of its bucket; `None` without
    /// samples.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub fn percentile(&self, percent: f64) -> Option<Micros> {
        let total = self.count();
        let wanted = ((total as f64 * (percent / 100.0).clamp(0.0, 1.0)) as u64).clamp(1, total.max(1));
        let mut seen: u64 = 0;
        self.counts.iter().enumerate().find_map(|(index, count)| {
            seen = seen.saturating_add(u64::from(*count));
            (seen >= wanted).then(|| middle(index))
        })
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: [0; Self::BUCKETS] }
    }
}

/// The counts of all buckets, for a snapshot.
#[cfg(feature = "serde")]
mod json {
    use alloc::vec::Vec;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Latencies;

    impl Serialize for Latencies {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.counts.as_slice().serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for Latencies {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let counts = Vec::<u32>::deserialize(deserializer)?;
            let found = counts.len();
            let counts = counts.try_into().map_err(|_| D::Error::invalid_length(found, &"80 counts"))?;
            Ok(Self { counts })
        }
    }
}

/// The bucket of a latency: its octave and the two binary digits after the leading one.
fn bucket(latency: Micros) -> usize {
    let micros = latency.as_micros().max(1 << Latencies::FIRST_OCTAVE);
    let octave = micros.ilog2();
    let quarter = (micros >> octave.saturating_sub(Latencies::OCTAVE_BITS)) & 3;
    let octaves = u64::from(octave.saturating_sub(Latencies::FIRST_OCTAVE));
    let index = (octaves << Latencies::OCTAVE_BITS).saturating_add(quarter);
    usize::try_from(index).unwrap_or(usize::MAX).min(Latencies::BUCKETS.saturating_sub(1))
}

/// The middle of a bucket.
fn middle(index: usize) -> Micros {
    let index = u64::try_from(index).unwrap_or(u64::MAX);
    let octave = (index >> Latencies::OCTAVE_BITS).saturating_add(u64::from(Latencies::FIRST_OCTAVE));
    let eighths = 8_u64.saturating_add((index & 3).saturating_mul(2)).saturating_add(1);
    Micros::from_micros(eighths << octave.saturating_sub(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_percentile_is_off_by_more_than_an_eighth() {
        for micros in (256..300_000).step_by(7).chain([1_000_000, 59_999_999, 200_000_000]) {
            let mut latencies = Latencies::default();
            latencies.record(Micros::from_micros(micros));
            let found = latencies.percentile(50.0).unwrap().as_micros();
            assert!(found.abs_diff(micros) * 8 <= micros, "{micros} became {found}");
        }
    }

    #[test]
    fn percentiles_of_many() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50.0), None);
        for millis in 1..=100 {
            latencies.record(Micros::from_millis(millis));
        }
        let at = |percent| latencies.percentile(percent).unwrap().as_millis_f64();
        assert!((44.0..57.0).contains(&at(50.0)), "{}", at(50.0));
        assert!((87.0..112.0).contains(&at(99.0)), "{}", at(99.0));
        assert!(at(0.0) < 1.2 && at(100.0) < 112.0);
    }

    #[test]
    fn the_ends_hold_what_is_beyond_them() {
        let mut latencies = Latencies::default();
        latencies.record(Micros::ZERO);
        latencies.record(Micros::from_micros(u64::MAX));
        assert_eq!(latencies.count(), 2);
        assert!(latencies.percentile(0.0) < latencies.percentile(100.0));
    }
}
