//! Who gets a token of a shared budget, and who comes when.

use redial::{DialBudget, Micros, SharedBudget, Timestamp, Turn};

/// One token each 10 ms; times in milliseconds.
struct Budget(SharedBudget);

/// A machine that keeps its turn.
#[derive(Clone, Copy, Default)]
struct Asker(Option<Turn>);

fn budget(burst: u32) -> Budget {
    Budget(SharedBudget::new(DialBudget { burst, refill: Micros::from_millis(10) }))
}

impl Budget {
    fn ask(&mut self, now: u64, asker: &mut Asker) -> Result<(), u64> {
        let taken = self.0.take(Timestamp::from_millis(now), asker.0);
        asker.0 = taken.err();
        taken.map_err(|turn| {
            assert_eq!(turn.at().as_micros() % 1000, 0);
            turn.at().as_micros() / 1000
        })
    }

    fn newcomer(&mut self, now: u64) -> Result<(), u64> {
        self.ask(now, &mut Asker::default())
    }
}

#[test]
fn ten_thousand_at_once_come_one_by_one() {
    let mut budget = budget(100);
    let mut fleet = vec![Asker::default(); 10_000];
    let turns: Vec<_> = fleet.iter_mut().filter_map(|one| budget.ask(5, one).err()).collect();
    let expected: Vec<u64> = (1..=9900).map(|n| 5 + 10 * n).collect();
    assert_eq!(turns, expected);
    for (turn, one) in turns.into_iter().zip(&mut fleet[100..]) {
        assert_eq!(budget.ask(turn, one), Ok(()));
    }
}

#[test]
fn no_newcomer_takes_a_token_that_is_promised() {
    let (mut budget, mut first, mut second) = (budget(1), Asker::default(), Asker::default());
    assert_eq!(budget.newcomer(0), Ok(()));
    assert_eq!(budget.ask(3, &mut first), Err(10));
    // The token is there, and so is a newcomer, before the one whose turn it is.
    assert_eq!(budget.ask(10, &mut second), Err(20));
    assert_eq!(budget.ask(12, &mut first), Ok(()));
    assert_eq!(budget.ask(20, &mut second), Err(22), "the next token is a whole refill after the last");
    assert_eq!(budget.ask(22, &mut second), Ok(()));
}

#[test]
fn whoever_comes_before_its_turn_keeps_it() {
    let (mut budget, mut second) = (budget(1), Asker::default());
    assert_eq!(budget.newcomer(0), Ok(()));
    assert_eq!(budget.newcomer(0), Err(10));
    assert_eq!(budget.ask(0, &mut second), Err(20));
    assert_eq!(budget.ask(9, &mut second), Err(20));
    assert_eq!(budget.newcomer(9), Err(30));
}

#[test]
fn a_turn_that_nobody_takes_passes() {
    let mut budget = budget(3);
    for _ in 0..3 {
        assert_eq!(budget.newcomer(0), Ok(()));
    }
    assert_eq!(budget.newcomer(0), Err(10));
    assert_eq!(budget.newcomer(19), Err(20), "the turn of 10 stands until 20");
    // Neither came.
    assert_eq!(budget.newcomer(30), Ok(()));
    assert_eq!(budget.newcomer(30), Ok(()));
}

#[test]
fn who_finds_no_token_at_its_turn_does_not_go_to_the_end() {
    let mut budget = budget(1);
    assert_eq!(budget.newcomer(0), Ok(()));
    let [mut a, mut b, mut c, mut d, mut e, mut new] = [Asker::default(); 6];
    for (one, turn) in [&mut a, &mut b, &mut c, &mut d, &mut e].into_iter().zip([10, 20, 30, 40, 50]) {
        assert_eq!(budget.ask(0, one), Err(turn));
    }
    // Three come late, with the fourth: one token.
    assert_eq!(budget.ask(40, &mut a), Ok(()));
    assert_eq!(budget.ask(40, &mut d), Err(50));
    assert_eq!(budget.ask(40, &mut c), Err(60), "a turn of its own for each");
    assert_eq!(budget.ask(40, &mut b), Err(70));
    assert_eq!(budget.ask(40, &mut new), Err(90), "behind them all, and the fifth that gives way");
    assert_eq!(budget.ask(50, &mut e), Err(80), "whoever came in vain goes first");
    for (one, turn) in [&mut d, &mut c, &mut b, &mut e, &mut new].into_iter().zip([50, 60, 70, 80, 90]) {
        assert_eq!(budget.ask(turn, one), Ok(()), "{turn}");
    }
}

#[test]
fn one_token_lost_makes_the_queue_longer_by_one_turn() {
    let mut budget = budget(1);
    assert_eq!(budget.newcomer(0), Ok(()));
    let [mut a, mut b, mut c] = [Asker::default(); 3];
    assert_eq!([&mut a, &mut b, &mut c].map(|one| budget.ask(0, one)), [Err(10), Err(20), Err(30)]);
    assert_eq!(budget.ask(20, &mut a), Ok(()), "late: the token of 10 is lost");
    assert_eq!(budget.ask(20, &mut b), Err(30));
    assert_eq!(budget.ask(30, &mut c), Err(40), "gives way");
    assert_eq!(budget.ask(30, &mut b), Ok(()));
    assert_eq!(budget.ask(40, &mut c), Ok(()));
    assert_eq!(budget.newcomer(45), Err(50), "nobody waits any more");
}

#[test]
fn after_a_stall_newcomers_wait_for_nobody_but_those_that_wait() {
    const FLEET: u64 = 1000;
    let mut budget = budget(5);
    let mut waiting = vec![Asker::default(); FLEET as usize];
    waiting.retain_mut(|one| budget.ask(0, one).is_err());
    // Nobody comes for 200 ms: 15 tokens are lost. Then all come when they are told.
    let mut now = 200;
    while !waiting.is_empty() {
        waiting.retain_mut(|one| {
            let due = one.0.is_some_and(|turn| turn.at() <= Timestamp::from_millis(now));
            !due || budget.ask(now, one).is_err()
        });
        now += 10;
    }
    assert_eq!(now, 10 * (FLEET - 5 + 15 + 1));
    assert_eq!(budget.newcomer(now + 50), Ok(()), "the bucket is full, and nobody waits");
}

#[test]
fn where_all_gave_their_turns_back_nobody_waits() {
    let (mut budget, mut one, mut other) = (budget(1), Asker::default(), Asker::default());
    assert_eq!(budget.newcomer(0), Ok(()));
    assert_eq!(budget.ask(0, &mut one), Err(10));
    assert_eq!(budget.ask(0, &mut other), Err(20));
    budget.0.give_back(other.0.unwrap());
    let mut third = Asker::default();
    assert_eq!(budget.ask(0, &mut third), Err(30), "one still waits: the turn of 20 passes unused");
    budget.0.give_back(one.0.unwrap());
    budget.0.give_back(third.0.unwrap());
    assert_eq!(budget.newcomer(10), Ok(()), "nobody waits");
}

#[test]
fn an_earlier_time_acts_as_the_latest_one_seen() {
    let (mut budget, mut one, mut other) = (budget(1), Asker::default(), Asker::default());
    assert_eq!(budget.newcomer(100), Ok(()));
    assert_eq!(budget.ask(5, &mut one), Err(110));
    assert_eq!(budget.ask(5, &mut other), Err(120));
    assert_eq!(budget.ask(110, &mut one), Ok(()));
    assert_eq!(budget.ask(0, &mut one), Err(130));
    assert_eq!(budget.ask(120, &mut other), Ok(()));
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
            let mut turns = vec![None];
            for now in times {
                for n in 0..turns.len() {
                    let asked = budget.take(now, turns[n]);
                    turns.push(asked.err());
                    // Where there is time to come.
                    if now.max(first).as_micros() < i64::MAX as u64 - 2 {
                        assert!(asked.is_ok() || asked.is_err_and(|turn| turn.at() > now), "{asked:?} at {now:?}");
                    }
                }
            }
        }
    }
}
