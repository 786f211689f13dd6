//! The half of jitter-bounds that no single delay shows: "in such a way that the spread survives at the cap".

use proptest::prelude::*;
use redial::{Backoff, Jitter, Micros, Policy};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_spread_survives_at_the_cap(
        seed: u64,
        max in 2..=1_u64 << 53,
        part in 0..=100_u64,
        jitter in prop_oneof![Just(Jitter::Full), Just(Jitter::Equal), (0.1..=1.0).prop_map(Jitter::Ratio)],
    ) {
        let min = max / 100 * part / 3;
        let policy = Policy::builder().max_delay(Micros::from_micros(max)).min_delay(Micros::from_micros(min));
        let policy = policy.base_delay(Micros::from_micros(max)).jitter(jitter).build().expect("in range");
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let low = match jitter {
            Jitter::Equal => max.div_ceil(2).max(min),
            Jitter::Ratio(ratio) => max.saturating_sub((max as f64 * ratio) as u64).max(min),
            Jitter::None | Jitter::Full | Jitter::Decorrelated => min,
        };
        let mut backoff = Backoff::new(&policy, seed);
        let delays: Vec<u64> = (0..80).map(|_| backoff.next_delay(&policy).jittered.as_micros()).collect();
        prop_assert!(delays.iter().all(|delay| (low..=max).contains(delay)), "{low} to {max}: {delays:?}");
        // Eighty draws in one half would be a coincidence of 2⁻⁸⁰, of three values (2/3)⁸⁰.
        let middle = low + (max - low) / 2;
        let (lower, upper) = (delays.iter().any(|delay| *delay <= middle), delays.iter().any(|delay| *delay > middle));
        prop_assert!(low == max || lower && upper, "{low} to {max}: {delays:?}");
    }
}
