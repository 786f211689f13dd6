//! The machine's own random numbers.

use core::convert::Infallible;

use rand_core::{Rng, TryRng};

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014): eight bytes of
/// state, so it fits a snapshot, and every seed is a good one. It is not for secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub(crate) struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Uniform over the whole numbers from `low` to `high`, by the multiply-shift method of Lemire, "Fast Random Integer
    /// Generation in an Interval" (2019), without its rejection step: for a span of 2⁵³ µs at most, no value is more
    /// than one part in 2¹¹ likelier than another; for a minute, one in 2³⁸.
    ///
    /// The span is less than 2⁶⁴.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        let span = high.saturating_sub(low).wrapping_add(1);
        let offset = u128::from(self.next_u64()).wrapping_mul(u128::from(span)) >> 64;
        low.wrapping_add(offset as u64)
    }
}

impl TryRng for SplitMix64 {
    type Error = Infallible;

    #[allow(clippy::cast_possible_truncation)]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next_u64() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = self.state;
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(z ^ (z >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        rand_core::utils::fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vector() {
        // The first numbers of the reference implementation (Vigna, splitmix64.c) from state 1234567.
        let mut rng = SplitMix64::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(expected.map(|_| rng.next_u64()), expected);
    }

    #[test]
    fn the_bounds_are_reached_and_kept() {
        let mut rng = SplitMix64::new(1);
        let draws = [(); 200].map(|()| rng.between(3, 6));
        assert_eq!((draws.iter().min(), draws.iter().max()), (Some(&3), Some(&6)));
        assert_eq!(rng.between(9, 9), 9);
        assert_eq!(rng.between(u64::MAX, 0), u64::MAX, "crossed bounds are the lower one");
    }
}
