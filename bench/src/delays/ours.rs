//! redial's own delays, one case for each jitter.

use super::{BASE, CAP, Delay, EPISODE, TO_CAP};
use redial::{Backoff, Jitter, Micros, Policy};
use std::hint::black_box;

pub(super) const ALL: [Delay; 6] = [
    delay("redial, full jitter", |n| episode(Jitter::Full, n), |n| at_cap(Jitter::Full, n)),
    delay("redial, equal jitter", |n| episode(Jitter::Equal, n), |n| at_cap(Jitter::Equal, n)),
    delay("redial, decorrelated jitter", |n| episode(Jitter::Decorrelated, n), |n| at_cap(Jitter::Decorrelated, n)),
    delay("redial, ratio 0.2", |n| episode(Jitter::Ratio(0.2), n), |n| at_cap(Jitter::Ratio(0.2), n)),
    delay("redial, no jitter", |n| episode(Jitter::None, n), |n| at_cap(Jitter::None, n)),
    delay("redial, full jitter, reset", resets, |n| at_cap(Jitter::Full, n)),
];

const fn delay(name: &'static str, episode: fn(u64), at_cap: fn(u64)) -> Delay {
    Delay { name, state: size_of::<Backoff>(), episode, at_cap }
}

fn policy(jitter: Jitter) -> Policy {
    Policy::builder()
        .base_delay(Micros::from(BASE))
        .max_delay(Micros::from(CAP))
        .min_delay(Micros::ZERO)
        .jitter(jitter)
        .build()
        .expect("in range")
}

fn episode(jitter: Jitter, n: u64) {
    let policy = policy(jitter);
    for seed in 0..n / EPISODE {
        let mut backoff = Backoff::new(black_box(&policy), black_box(seed));
        for _ in 0..EPISODE {
            black_box(backoff.next_delay(black_box(&policy)));
        }
    }
}

fn resets(n: u64) {
    let policy = policy(Jitter::Full);
    let mut backoff = Backoff::new(&policy, 7);
    for _ in 0..n / EPISODE {
        backoff.reset(black_box(&policy));
        for _ in 0..EPISODE {
            black_box(backoff.next_delay(black_box(&policy)));
        }
    }
}

fn at_cap(jitter: Jitter, n: u64) {
    let policy = policy(jitter);
    let mut backoff = Backoff::new(&policy, 7);
    for _ in 0..TO_CAP {
        black_box(backoff.next_delay(&policy));
    }
    for _ in 0..n {
        black_box(backoff.next_delay(black_box(&policy)));
    }
}
