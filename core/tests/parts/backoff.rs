//! The schedule for use alone, and what it takes from the random numbers.

use redial::{Backoff, Delay, Hint, Input, Jitter, Notice, Output, Policy, ReconnectMachine, Timestamp};

use super::support::{failed, ms, plain};

fn three(backoff: &mut Backoff, policy: &Policy) -> [Delay; 3] {
    [(); 3].map(|()| backoff.next_delay(policy))
}

#[test]
fn reset_goes_back_to_the_start_and_the_random_numbers_go_on() {
    for jitter in [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Ratio(0.5)] {
        let policy = plain().jitter(jitter).build().unwrap();
        let mut backoff = Backoff::new(&policy, 7);
        let before = three(&mut backoff, &policy);
        backoff.reset(&policy);
        let after = three(&mut backoff, &policy);
        assert_eq!(after.map(|delay| delay.raw), [1000, 2000, 4000].map(ms));
        assert_eq!(after == before, jitter == Jitter::None, "{jitter:?}");
    }
}

/// "the first `previous` is baseDelay, and it is forgotten with the retry count"
#[test]
fn reset_forgets_the_delay_before() {
    let policy = plain().jitter(Jitter::Decorrelated).max_delay(ms(1_000_000)).build().unwrap();
    for seed in 0..100 {
        let mut backoff = Backoff::new(&policy, seed);
        for _ in 0..20 {
            let _ = backoff.next_delay(&policy);
        }
        backoff.reset(&policy);
        assert!(backoff.next_delay(&policy).jittered <= ms(3000));
    }
}

/// A delay that can't vary draws nothing: so the first draw of a machine without jitter is the spread of a hint, made of
/// the first number of wyrand, whose seed is hashed by itself. A recording of such a machine is replayed bit for bit.
#[test]
fn without_jitter_no_random_number_is_used_up() {
    // fastrand's first number from 13 725 641 357 320 173 039, which is its first from 1 234 567.
    const FIRST: u128 = 7_334_228_029_733_616_607;
    let spread = ms(300);
    let mut machine = ReconnectMachine::new(plain().build().unwrap(), 1_234_567);
    let _ = machine.handle(Timestamp::ZERO, Input::Start);
    let _ = machine.handle(Timestamp::ZERO, Input::Hint(Hint { min_delay: None, spread: Some(spread), stop: false }));
    let delay = machine.handle(Timestamp::ZERO, failed(1)).into_iter().find_map(|output| match output {
        Output::Notice(Notice::RetryScheduled(scheduled)) => Some(scheduled.delay),
        Output::Notice(_) | Output::Command(_) => None,
    });
    let drawn = (FIRST * u128::from(spread.as_micros() + 1)) >> 64;
    assert_eq!(delay.unwrap().as_micros(), 1_000_000 + u64::try_from(drawn).unwrap());
}
