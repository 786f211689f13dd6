//! Statistics of jitter, with fixed seeds: the same numbers on every run and every platform.
//!
//! Each sample is held against the uniform distribution by two tests, each at a significance of 0.1 %:
//! - Pearson's chi-square over 64 equal cells: 63 degrees of freedom, critical value 103.442 (as Abramowitz and
//!   Stegun, Handbook of Mathematical Functions, 1964, section 26.4, define it; their table 26.8 has 99.607 for 60). A cell too few at an end shows.
//! - Kolmogorov–Smirnov: the limit distribution's critical value for √n·D is 1.9495 = √(−ln(0.0005)/2) (Smirnov, "Table
//!   for Estimating the Goodness of Fit of Empirical Distributions", Annals of Mathematical Statistics 19, 1948). A drift
//!   too small for any one cell shows.
//!
//! A lattice would pass both: the serial correlation of successive draws is to be within 3.2905/√n, the two-sided
//! 0.1 % point of the normal distribution (Knuth, The Art of Computer Programming, volume 2, section 3.3.2 K).

#![allow(clippy::unwrap_used)] // outside test functions, too

use redial::{
    Backoff, Cause, ConnectionId, Input, Jitter, Micros, Notice, Output, Policy, PolicyBuilder, ReconnectMachine,
    Timestamp,
};

const DRAWS: usize = 20_000;
const CELLS: usize = 64;
const CHI_SQUARE: f64 = 103.442;
const KOLMOGOROV_SMIRNOV: f64 = 1.9495;
const NORMAL: f64 = 3.2905;

/// From 1 s to 10 s, times 3: retries 1 and 2 are below the cap, all others at it.
fn policy(jitter: Jitter) -> Policy {
    builder(jitter).build().unwrap()
}

fn builder(jitter: Jitter) -> PolicyBuilder {
    Policy::builder()
        .base_delay(Micros::from_secs(1))
        .min_delay(Micros::from_millis(200))
        .max_delay(Micros::from_secs(10))
        .backoff_multiplier(3.0)
        .jitter(jitter)
        .max_attempts(None)
        .dial_budget(None)
}

/// The bounds of retry n in microseconds, worked out by hand from the contract's sentence.
const BOUNDS: [(Jitter, [(u64, u64); 4]); 4] = [
    (Jitter::Full, [(200_000, 1_000_000), (200_000, 3_000_000), (200_000, 9_000_000), (200_000, 10_000_000)]),
    (Jitter::Equal, [(500_000, 1_000_000), (1_500_000, 3_000_000), (4_500_000, 9_000_000), (5_000_000, 10_000_000)]),
    (
        Jitter::Ratio(0.2),
        [(800_000, 1_200_000), (2_400_000, 3_600_000), (7_200_000, 10_000_000), (8_000_000, 10_000_000)],
    ),
    // Below minDelay and above maxDelay at once.
    (Jitter::Ratio(1.0), [(200_000, 2_000_000), (200_000, 6_000_000), (200_000, 10_000_000), (200_000, 10_000_000)]),
];

#[test]
fn every_retry_is_uniform_between_its_bounds() {
    for (jitter, bounds) in BOUNDS {
        let policy = policy(jitter);
        for (retry, bounds) in (1..).zip(bounds) {
            // One generator all along, as in a machine that fails again and again.
            let mut backoff = Backoff::new(&policy, 0x5eed + retry);
            let mut draw = || {
                backoff.reset(&policy);
                (0..retry).map(|_| backoff.next_delay(&policy).jittered.as_micros()).last().unwrap()
            };
            let sample: Vec<u64> = (0..DRAWS).map(|_| draw()).collect();
            assert_uniform(&format!("{jitter:?}, retry {retry}"), &sample, bounds);
        }
    }
}

#[test]
fn the_spread_survives_at_the_cap() {
    for (jitter, [.., at_cap]) in BOUNDS {
        let policy = policy(jitter);
        // A hundred years of failures later.
        let mut backoff = Backoff::new(&policy, 11);
        let sample: Vec<u64> = (0..DRAWS + 10).map(|_| backoff.next_delay(&policy).jittered.as_micros()).collect();
        assert_uniform(&format!("{jitter:?} at the cap"), &sample[10..], at_cap);
    }
}

#[test]
fn decorrelated_is_uniform_given_the_delay_before() {
    let policy = policy(Jitter::Decorrelated);
    let mut backoff = Backoff::new(&policy, 3);
    // Each delay as its place between its own bounds, in thousand-millionths.
    const WHOLE: u64 = 1_000_000_000;
    let (mut previous, mut places, mut at_cap) = (1_000_000, Vec::new(), Vec::new());
    let (mut lowest, mut highest) = (u64::MAX, 0);
    for _ in 0..DRAWS {
        let delay = backoff.next_delay(&policy).jittered.as_micros();
        let (low, high) = (1_000_000, (3 * previous).min(10_000_000));
        assert!((low..=high).contains(&delay), "{delay} after {previous}");
        // The middle of the delay's own share, so that both ends weigh the same.
        let place = (u128::from(delay - low) * 2 + 1) * u128::from(WHOLE) / (u128::from(high - low + 1) * 2);
        places.push(u64::try_from(place).unwrap());
        if high == 10_000_000 {
            at_cap.push(delay);
        }
        (lowest, highest) = (lowest.min(delay), highest.max(delay));
        previous = delay;
    }
    assert_uniform("decorrelated", &places, (0, WHOLE - 1));
    assert!(at_cap.len() > DRAWS / 2, "{} at the cap", at_cap.len());
    assert_uniform("decorrelated at the cap", &at_cap, (1_000_000, 10_000_000));
    assert!(lowest < 1_005_000 && highest > 9_995_000, "from {lowest} to {highest}");
}

#[test]
fn the_first_decorrelated_delay_follows_the_base_delay() {
    let policy = policy(Jitter::Decorrelated);
    let mut backoff = Backoff::new(&policy, 5);
    let mut first = || {
        backoff.next_delay(&policy);
        backoff.reset(&policy);
        backoff.next_delay(&policy).jittered.as_micros()
    };
    let sample: Vec<u64> = (0..DRAWS).map(|_| first()).collect();
    assert_uniform("first decorrelated", &sample, (1_000_000, 3_000_000));
}

#[test]
fn a_short_span_takes_every_value_equally_often() {
    // With so few values a bound that is off by one, or a value that is less likely, is a sixth of all.
    const FIVE_DEGREES: f64 = 20.515;
    const SIX_DEGREES: f64 = 22.458;
    let cases = [
        (Jitter::Full, 10, (5, 10), FIVE_DEGREES),
        (Jitter::Equal, 10, (5, 10), FIVE_DEGREES),
        // Half of 11, rounded up.
        (Jitter::Equal, 11, (6, 11), FIVE_DEGREES),
        (Jitter::Ratio(0.3), 10, (7, 13), SIX_DEGREES),
        (Jitter::Decorrelated, 10, (10, 15), FIVE_DEGREES),
    ];
    for (jitter, base, (low, high), critical) in cases {
        let micros = Micros::from_micros;
        let policy = builder(jitter).base_delay(micros(base)).min_delay(micros(5)).max_delay(micros(15));
        let policy = policy.build().unwrap();
        let mut backoff = Backoff::new(&policy, 17);
        let mut counts = [0_u32; 32];
        for _ in 0..DRAWS {
            backoff.reset(&policy);
            counts[usize::try_from(backoff.next_delay(&policy).jittered.as_micros()).unwrap()] += 1;
        }
        let values = low..=high;
        let outside: u32 = (0..counts.len()).filter(|value| !values.contains(value)).map(|value| counts[value]).sum();
        assert_eq!(outside, 0, "{jitter:?}: {counts:?}");
        let chi_square = chi_square(&counts[values]);
        assert!(chi_square < critical, "{jitter:?}: {chi_square}, {counts:?}");
    }
}

#[test]
fn a_machine_schedules_as_the_backoff_alone() {
    for (jitter, [.., at_cap]) in BOUNDS {
        let scheduled = machine_delays(policy(jitter), 11, DRAWS + 10);
        assert_uniform(&format!("{jitter:?}, scheduled by a machine"), &scheduled[10..], at_cap);
        let policy = policy(jitter);
        let mut backoff = Backoff::new(&policy, 11);
        let alone: Vec<u64> = scheduled.iter().map(|_| backoff.next_delay(&policy).jittered.as_micros()).collect();
        assert!(scheduled == alone, "{jitter:?}: the machine draws something else");
    }
}

#[test]
fn two_seeds_have_nothing_in_common() {
    for (jitter, _) in BOUNDS {
        let policy = policy(jitter);
        let delays = |seed| {
            let mut backoff = Backoff::new(&policy, seed);
            (0..DRAWS).map(|_| backoff.next_delay(&policy).jittered.as_micros()).skip(10).collect::<Vec<_>>()
        };
        // Neighbours, as counters give them.
        let (one, other) = (delays(1), delays(2));
        let same = one.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!(same < 10, "{jitter:?}: {same} delays are the same");
        let pairs: Vec<(u64, u64)> = one.into_iter().zip(other).collect();
        assert!(correlation(&pairs).abs() < NORMAL / root(pairs.len()), "{jitter:?}");
    }
}

/// The delays that a machine announces while every dial is refused.
fn machine_delays(policy: Policy, seed: u64, count: usize) -> Vec<u64> {
    let mut machine = ReconnectMachine::new(policy, seed);
    let mut now = Timestamp::ZERO;
    let _ = machine.handle(now, Input::Start);
    let mut delays = Vec::new();
    for connection in 1..=count as u64 {
        let failed = Input::Failed { connection: ConnectionId(connection), cause: Cause::NETWORK };
        for output in machine.handle(now, failed) {
            if let Output::Notice(Notice::RetryScheduled(scheduled)) = output {
                assert_eq!(scheduled.dial_at, now.saturating_add(scheduled.delay));
                delays.push(scheduled.delay.as_micros());
            }
        }
        now = machine.deadline().unwrap();
        let _ = machine.handle(now, Input::Timeout);
    }
    assert_eq!(delays.len(), count);
    delays
}

/// Within the bounds, near both, uniform between them, and each draw independent of the one before.
fn assert_uniform(name: &str, sample: &[u64], (low, high): (u64, u64)) {
    let (least, most) = (*sample.iter().min().unwrap(), *sample.iter().max().unwrap());
    assert!(low <= least && most <= high, "{name}: from {least} to {most}, not within [{low}, {high}]");
    // None of n draws in an end's share s of the span has the probability (1 − s)ⁿ: with s = 7/n, 0.1 %.
    let near = 7 * (high - low) / sample.len() as u64;
    assert!(least <= low + near && most >= high - near, "{name}: from {least} to {most}, not near [{low}, {high}]");

    let values = u128::from(high - low + 1);
    let cell = |draw: u64| usize::try_from(u128::from(draw - low) * CELLS as u128 / values).unwrap();
    let mut counts = [0_u32; CELLS];
    sample.iter().for_each(|draw| counts[cell(*draw)] += 1);
    let chi_square = chi_square(&counts);
    assert!(chi_square < CHI_SQUARE, "{name}: chi-square {chi_square}");

    let distance = kolmogorov_smirnov(sample, low, high);
    let critical = KOLMOGOROV_SMIRNOV / root(sample.len());
    assert!(distance < critical, "{name}: Kolmogorov–Smirnov distance {distance}, critical {critical}");

    let pairs: Vec<(u64, u64)> = sample.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let correlation = correlation(&pairs);
    assert!(correlation.abs() < NORMAL / root(pairs.len()), "{name}: serial correlation {correlation}");
}

fn chi_square(counts: &[u32]) -> f64 {
    let total: u32 = counts.iter().sum();
    let expected = f64::from(total) / counts.len() as f64;
    counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
}

/// The greatest distance between the sample's distribution and the uniform one.
fn kolmogorov_smirnov(sample: &[u64], low: u64, high: u64) -> f64 {
    let mut sorted = sample.to_vec();
    sorted.sort_unstable();
    let count = sorted.len() as f64;
    let distances = sorted.iter().enumerate().map(|(index, draw)| {
        // The middle of the value's own share, since values are whole.
        let uniform = ((draw - low) as f64 + 0.5) / (high - low + 1) as f64;
        (uniform - index as f64 / count).abs().max(((index + 1) as f64 / count - uniform).abs())
    });
    distances.fold(0.0, f64::max)
}

/// Pearson's coefficient.
fn correlation(pairs: &[(u64, u64)]) -> f64 {
    let count = pairs.len() as f64;
    let (x, y) = (pairs.iter().map(|pair| pair.0 as f64), pairs.iter().map(|pair| pair.1 as f64));
    let (mean_x, mean_y) = (x.sum::<f64>() / count, y.sum::<f64>() / count);
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        let (x, y) = (*x as f64 - mean_x, *y as f64 - mean_y);
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    xy / (xx * yy).sqrt()
}

fn root(count: usize) -> f64 {
    (count as f64).sqrt()
}
