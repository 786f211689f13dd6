//! Who gets a token of a shared budget, and who comes when.

use redial::{DialBudget, Micros, SharedBudget, Timestamp};

/// Of one token each 10 ms, counted in milliseconds.
fn budget(burst: u32) -> SharedBudget {
    SharedBudget::new(DialBudget { burst, refill: Micros::from_millis(10) })
}

fn take(budget: &mut SharedBudget, now: u64, turn: Option<u64>) -> Result<(), u64> {
    budget.take(Timestamp::from_millis(now), turn.map(Timestamp::from_millis)).map_err(|at| {
        assert_eq!(at.as_micros() % 1000, 0);
        at.as_micros() / 1000
    })
}

#[test]
fn ten_thousand_at_once_come_one_by_one() {
    let mut budget = budget(100);
    let asked: Vec<_> = (0..10_000).map(|_| take(&mut budget, 5, None)).collect();
    let granted = asked.iter().filter(|asked| asked.is_ok()).count();
    assert_eq!(granted, 100);
    let turns: Vec<u64> = asked.into_iter().filter_map(Result::err).collect();
    let expected: Vec<u64> = (1..=9900).map(|n| 5 + 10 * n).collect();
    assert_eq!(turns, expected);
    for turn in turns {
        assert_eq!(take(&mut budget, turn, Some(turn)), Ok(()));
    }
}

#[test]
fn no_newcomer_takes_a_token_that_is_promised() {
    let mut budget = budget(1);
    assert_eq!(take(&mut budget, 0, None), Ok(()));
    assert_eq!(take(&mut budget, 3, None), Err(10));
    // The token is there, and so is a newcomer, before the one whose turn it is.
    assert_eq!(take(&mut budget, 10, None), Err(20));
    assert_eq!(take(&mut budget, 12, Some(10)), Ok(()));
    assert_eq!(take(&mut budget, 20, Some(20)), Err(22), "the next token is a whole refill after the last");
    assert_eq!(take(&mut budget, 22, Some(22)), Ok(()));
}

#[test]
fn whoever_comes_before_its_turn_keeps_it() {
    let mut budget = budget(1);
    assert_eq!(take(&mut budget, 0, None), Ok(()));
    assert_eq!(take(&mut budget, 0, None), Err(10));
    assert_eq!(take(&mut budget, 0, None), Err(20));
    assert_eq!(take(&mut budget, 9, Some(20)), Err(20));
    assert_eq!(take(&mut budget, 9, None), Err(30));
}

#[test]
fn a_turn_that_nobody_takes_passes() {
    let mut budget = budget(3);
    for _ in 0..3 {
        assert_eq!(take(&mut budget, 0, None), Ok(()));
    }
    assert_eq!(take(&mut budget, 0, None), Err(10));
    assert_eq!(take(&mut budget, 19, None), Err(20), "the turn of 10 stands until 20");
    // Neither came.
    assert_eq!(take(&mut budget, 30, None), Ok(()));
    assert_eq!(take(&mut budget, 30, None), Ok(()));
}

#[test]
fn who_finds_no_token_at_its_turn_does_not_go_to_the_end() {
    let mut budget = budget(1);
    assert_eq!(take(&mut budget, 0, None), Ok(()));
    let turns: Vec<_> = (0..5).map(|_| take(&mut budget, 0, None)).collect();
    assert_eq!(turns, [10, 20, 30, 40, 50].map(Err));
    // Three come late, with the fourth: one token.
    assert_eq!(take(&mut budget, 40, Some(10)), Ok(()));
    assert_eq!(take(&mut budget, 40, Some(40)), Err(50));
    assert_eq!(take(&mut budget, 40, Some(30)), Err(60), "a turn of its own for each");
    assert_eq!(take(&mut budget, 40, Some(20)), Err(70));
    // A newcomer comes after them all.
    assert_eq!(take(&mut budget, 40, None), Err(80));
    assert_eq!(take(&mut budget, 50, Some(50)), Ok(()), "the fifth has its turn, too");
    assert_eq!(take(&mut budget, 50, Some(50)), Err(80), "who misses it goes ahead of those that come later");
    for turn in [60, 70, 80] {
        assert_eq!(take(&mut budget, turn, Some(turn)), Ok(()));
    }
    assert_eq!(take(&mut budget, 80, Some(80)), Err(90));
    assert_eq!(take(&mut budget, 90, Some(90)), Ok(()));
}

#[test]
fn an_earlier_time_acts_as_the_latest_one_seen() {
    let mut budget = budget(1);
    assert_eq!(take(&mut budget, 100, None), Ok(()));
    assert_eq!(take(&mut budget, 5, None), Err(110));
    assert_eq!(take(&mut budget, 110, Some(110)), Ok(()));
    assert_eq!(take(&mut budget, 0, Some(0)), Err(120));
}

#[test]
fn any_budget_and_any_time_are_taken_as_they_can() {
    let spans = [0, 1, 1 << 53, u64::MAX].map(Micros::from_micros);
    let times = [0, 1, 1 << 53, i64::MAX as u64 - 2, i64::MAX as u64, u64::MAX].map(Timestamp::from_micros);
    for (burst, refill) in [0, 1, u32::MAX].into_iter().flat_map(|burst| spans.map(|refill| (burst, refill))) {
        for first in times {
            let mut budget = SharedBudget::new(DialBudget { burst, refill });
            let DialBudget { burst, refill } = budget.budget();
            assert!(burst >= 1 && (Micros::from_micros(1)..=Micros::MAX_POLICY).contains(&refill));
            assert_eq!(budget.take(first, None), Ok(()), "the bucket is full at first");
            for now in times {
                for turn in times.map(Some).into_iter().chain([None]) {
                    let asked = budget.take(now, turn);
                    // Where there is time to come.
                    if now.max(first).as_micros() < i64::MAX as u64 - 2 {
                        assert!(asked.is_ok() || asked.is_err_and(|at| at > now), "{asked:?} at {now:?} with {turn:?}");
                    }
                }
            }
        }
    }
}
