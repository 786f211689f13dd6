//! The contract's laws, one test each and named after it: arbitrary policies, arbitrary inputs at arbitrary times, and one
//! law that watches. What failed once is kept in `proptest-regressions`: as a seed, which means its scenario only as long
//! as the generator draws in the same way, so a scenario worth keeping becomes an example.

#![allow(clippy::expect_used, clippy::panic)] // a test fails by panicking

mod shared_budget;
mod spread;

use std::cell::Cell;

use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};
use redial_laws::{Focus, LAWS, scenarios};

/// Moves in a scenario, at most.
const MOVES: usize = 80;
/// Scenarios of each focus, where `PROPTEST_CASES` asks for no longer search.
const CASES: u32 = 100;

/// The law holds in so many scenarios of each focus, and its condition was met in them.
fn holds(law: &'static str, regressions: &'static str, foci: &[Focus]) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let law = LAWS.iter().position(|text| text.name.replace('-', "_") == law).expect("a law of this name");
    let met = Cell::new(0);
    for focus in foci {
        let config = Config {
            cases,
            // Enough to end with a few moves: a scenario takes less than a millisecond.
            max_shrink_iters: 20_000,
            failure_persistence: Some(Box::new(FileFailurePersistence::Direct(regressions))),
            ..Config::default()
        };
        let holds = TestRunner::new(config).run(&scenarios(*focus, MOVES), |scenario| {
            let laws = scenario.check(Some(LAWS[law].name)).map_err(TestCaseError::fail)?;
            met.set(met.get() + laws.met()[law]);
            Ok(())
        });
        if let Err(broken) = holds {
            panic!("{focus:?}: {broken}");
        }
    }
    // A law that has nothing to say proves nothing.
    assert!(met.get() >= u64::from(cases) / 4, "its condition was met {} times", met.get());
}

macro_rules! laws {
    ($($law:ident: $($focus:ident),+;)*) => {
        $(#[test]
        fn $law() {
            const REGRESSIONS: &str = concat!("tests/laws/proptest-regressions/", stringify!($law), ".txt");
            holds(stringify!($law), REGRESSIONS, &[$(Focus::$focus),+]);
        })*

        #[test]
        fn every_law_has_its_test() {
            let tests = [$(stringify!($law)),*];
            let laws: Vec<_> = LAWS.iter().map(|law| law.name.replace('-', "_")).collect();
            assert_eq!(laws, tests);
        }
    };
}

laws! {
    step: Close, Shared, Anything;
    progress: Close, Shared, Anything;
    no_early_effect: Close, Shared, Anything;
    time_never_rewinds: Close, Anything;
    one_dial_after_a_jump: Close, Anything;
    wake_is_not_loss: Close, Anything;
    shift_invariance: Close, Shared, Endpoints, Anything;
    replay: Close, Shared, Endpoints, Anything;
    snapshot: Close, Shared, Endpoints, Anything;
    single_flight: Close, Shared, Anything;
    stale_is_silent: Close, Anything;
    terminal_is_quiet: Close, Anything;
    never_stuck: Close, Shared, Anything;
    stop_wins: Close, Anything;
    manual_is_immediate: Close, Shared, Anything;
    holds_hold: Close, Shared, Anything;
    shared_budget: Shared, Close, Anything;
    schedule: Schedule, Anything;
    jitter_bounds: Failures, Anything;
    reset_only_when_stable: Close, Failures, Anything;
    hint_is_a_floor: Close, Failures, Shared, Anything;
    attempt_limit: Failures, Anything;
    elapsed_limit: Elapsed, Shared, Anything;
    budget_limit: Budget, Shared, Anything;
    verdicts: Close, Anything;
    one_ping: Health, Anything;
    dead_peer: Health, Anything;
    traffic_is_life: Health, Anything;
    grades: Steady, Health, Anything;
    smoothed: Steady, Health, Anything;
    time_adds_up: Close, Anything;
    one_end: Close, Anything;
    failover: Failures, Endpoints, Anything;
    healthiest: Endpoints, Anything;
}
