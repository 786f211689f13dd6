//! What redial's delays are measured against.

use super::floor::Floor;
use super::{BASE, CAP, Delay, EPISODE, TO_CAP};
use backoff::ExponentialBackoffBuilder;
use backoff::backoff::Backoff as _;
use backon::{BackoffBuilder, ExponentialBuilder};
use retry_policies::policies::ExponentialBackoff as RetryPolicy;
use retry_policies::{Jitter, RetryPolicy as _};
use std::hint::black_box;
use std::time::{Duration, SystemTime};
use tokio_retry2::strategy::{ExponentialBackoff as TokioRetry2, jitter};

pub(super) const EMPTY: Delay = Delay { name: "empty loop", state: 0, episode: empty, at_cap: empty };

pub(super) const FLOOR: Delay = Delay {
    name: "floor, equal jitter",
    state: size_of::<Floor>(),
    episode: |n| floor_episode(n, true),
    at_cap: |n| floor_at_cap(n, true),
};

pub(super) const ALL: [Delay; 7] = [
    Delay {
        name: "floor, full jitter",
        state: size_of::<Floor>(),
        episode: |n| floor_episode(n, false),
        at_cap: |n| floor_at_cap(n, false),
    },
    Delay {
        name: "tokio-retry2 0.9.1",
        state: size_of::<TokioRetry2>(),
        episode: |n| iterate(n, || tokio_retry2().map(jitter)),
        at_cap: |n| iterate_at_cap(n, tokio_retry2().map(jitter)),
    },
    Delay {
        name: "backon 1.6.0",
        state: size_of::<backon::ExponentialBackoff>(),
        episode: |n| iterate(n, || backon().build()),
        at_cap: |n| iterate_at_cap(n, backon().build()),
    },
    Delay {
        name: "exponential-backoff 2.1.1",
        state: size_of::<exponential_backoff::IntoIter>(),
        episode: |n| iterate(n, || exponential_backoff().into_iter().flatten()),
        at_cap: |n| iterate_at_cap(n, exponential_backoff().into_iter().flatten()),
    },
    Delay {
        name: "backoff 0.4.0",
        state: size_of::<backoff::ExponentialBackoff>(),
        episode: |n| backoff_episode(n, Some(Duration::from_secs(900))),
        at_cap: |n| backoff_at_cap(n, Some(Duration::from_secs(900))),
    },
    Delay {
        name: "backoff 0.4.0, no time limit",
        state: size_of::<backoff::ExponentialBackoff>(),
        episode: |n| backoff_episode(n, None),
        at_cap: |n| backoff_at_cap(n, None),
    },
    Delay {
        name: "retry-policies 0.5.2",
        state: size_of::<RetryPolicy>(),
        episode: |n| retry_policies(n, |i| i % EPISODE),
        at_cap: |n| retry_policies(n, |i| TO_CAP + i % EPISODE),
    },
];

fn empty(n: u64) {
    for i in 0..n {
        black_box(i);
    }
}

fn floor_episode(n: u64, equal: bool) {
    let mut floor = black_box(Floor::new(BASE, CAP, EPISODE as u32, equal, 7));
    for _ in 0..n / EPISODE {
        floor.reset(black_box(EPISODE as u32));
        for _ in 0..EPISODE {
            black_box(floor.next());
        }
    }
}

fn floor_at_cap(n: u64, equal: bool) {
    iterate_at_cap(n, {
        let mut floor = black_box(Floor::new(BASE, CAP, u32::MAX, equal, 7));
        std::iter::from_fn(move || floor.next())
    });
}

/// A new iterator for each episode.
fn iterate<I: Iterator<Item = Duration>>(n: u64, mut start: impl FnMut() -> I) {
    for _ in 0..n / EPISODE {
        let mut delays = start();
        for _ in 0..EPISODE {
            black_box(delays.next());
        }
    }
}

fn iterate_at_cap(n: u64, mut delays: impl Iterator<Item = Duration>) {
    for _ in 0..TO_CAP {
        black_box(delays.next());
    }
    for _ in 0..n {
        black_box(delays.next());
    }
}

/// 2 ms to the power n, times 50: 100 ms and doubling.
fn tokio_retry2() -> TokioRetry2 {
    black_box(TokioRetry2::from_millis(2).factor(50).max_delay(CAP))
}

fn backon() -> ExponentialBuilder {
    black_box(
        ExponentialBuilder::default()
            .with_jitter()
            .with_factor(2.0)
            .with_min_delay(BASE)
            .with_max_delay(CAP)
            .without_max_times(),
    )
}

fn exponential_backoff() -> exponential_backoff::Backoff {
    black_box(exponential_backoff::Backoff::new(u32::MAX, BASE, CAP))
}

fn backoff(max_elapsed: Option<Duration>) -> backoff::ExponentialBackoff {
    ExponentialBackoffBuilder::new()
        .with_initial_interval(BASE)
        .with_multiplier(2.0)
        .with_max_interval(CAP)
        .with_max_elapsed_time(max_elapsed)
        .build()
}

fn backoff_episode(n: u64, max_elapsed: Option<Duration>) {
    let mut backoff = black_box(backoff(max_elapsed));
    for _ in 0..n / EPISODE {
        backoff.reset();
        for _ in 0..EPISODE {
            black_box(backoff.next_backoff());
        }
    }
}

fn backoff_at_cap(n: u64, max_elapsed: Option<Duration>) {
    let mut backoff = black_box(backoff(max_elapsed));
    iterate_at_cap(n, std::iter::from_fn(move || backoff.next_backoff()));
}

/// It keeps no state: the caller counts the retries, and gets the time of the next one.
fn retry_policies(n: u64, past_retries: impl Fn(u64) -> u64) {
    let policy =
        black_box(RetryPolicy::builder().retry_bounds(BASE, CAP).jitter(Jitter::Full).build_with_max_retries(u32::MAX));
    for i in 0..n {
        black_box(policy.should_retry(SystemTime::UNIX_EPOCH, past_retries(i) as u32));
    }
}
