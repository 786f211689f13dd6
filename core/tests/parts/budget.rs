//! The dial budget.

use redial::{DialBudget, Input};

use super::support::*;

/// "In any span w there are at most burst + w/refill dials": half a token that had come back when the bucket was full is
/// lost.
#[test]
fn a_bucket_that_was_just_filled_saves_nothing_up() {
    let budget = DialBudget { burst: 2, refill: ms(10) };
    let hasty = || plain().base_delay(ms(0)).max_delay(ms(0)).dial_budget(budget);
    // One dial at 0; at 15 the bucket has just been full for 5, and two more are made.
    let mut machine = told(hasty(), &[(0, Input::Start), (15, Input::Stop), (15, Input::Start), (15, failed(2))]);
    assert_eq!(machine.connection().unwrap().0, 3);
    at(&mut machine, 15, failed(3));
    assert_eq!(machine.next_dial_at().unwrap().as_micros(), 25_000);
}
