//! The machine's own random numbers.

use core::convert::Infallible;

use rand_core::{Rng, TryRng};

/// wyrand (Wang Yi, Diego Barrientos Prado and others, wyhash final version 4.2): eight bytes of state, so it fits a
/// snapshot, and one multiplication a number. It is not for secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub(crate) struct WyRand {
    state: u64,
}

impl WyRand {
    /// Devices are often numbered in a row, so the seed is hashed first: what they draw is not in a row then.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: Self { state: seed }.next_u64() }
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

impl TryRng for WyRand {
    type Error = Infallible;

    #[allow(clippy::cast_possible_truncation)]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next_u64() >> 32) as u32)
    }

    #[allow(clippy::cast_possible_truncation)]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.state = self.state.wrapping_add(0x2d35_8dcc_aa6c_78a5);
        let product = u128::from(self.state).wrapping_mul(u128::from(self.state ^ 0x8bb8_4b93_962e_acc9));
        Ok((product >> 64) as u64 ^ product as u64)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        rand_core::utils::fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers() {
        // What fastrand, which uses the same generator, says from state 1234567.
        let mut rng = WyRand { state: 1_234_567 };
        let expected = [
            13_725_641_357_320_173_039,
            13_099_500_103_347_697_343,
            1_505_849_618_603_060_667,
            4_583_617_122_484_789_469,
            6_263_199_662_288_134_956,
        ];
        assert_eq!(expected.map(|_| rng.next_u64()), expected);
    }

    #[test]
    fn halves_and_bytes_are_those_of_whole_numbers() {
        let (mut whole, mut half, mut bytes) = (WyRand::new(7), WyRand::new(7), [0; 16]);
        let numbers = [whole.next_u64(), whole.next_u64()];
        assert_eq!(half.next_u32(), u32::try_from(numbers[0] >> 32).unwrap());
        WyRand::new(7).fill_bytes(&mut bytes);
        assert_eq!(bytes[..8], numbers[0].to_le_bytes());
        assert_eq!(bytes[8..], numbers[1].to_le_bytes());
    }

    #[test]
    fn the_bounds_are_reached_and_kept() {
        let mut rng = WyRand::new(1);
        let draws = [(); 200].map(|()| rng.between(3, 6));
        assert_eq!((draws.iter().min(), draws.iter().max()), (Some(&3), Some(&6)));
        assert_eq!(rng.between(9, 9), 9);
        assert_eq!(rng.between(u64::MAX, 0), u64::MAX, "crossed bounds are the lower one");
    }
}
