//! A budget that is shared.

use arbitrary::{Result, Unstructured};
use redial::{DialBudget, Micros, SharedBudget, Timestamp};

/// Asks a shared budget at any times, with any turns: law shared-budget, of tokens; and who is refused is told of a later time.
pub fn budget(bytes: &[u8]) {
    let _ = ask(&mut Unstructured::new(bytes));
}

fn ask(u: &mut Unstructured<'_>) -> Result<()> {
    /// Where the time of a turn can still be told.
    const FAR: u64 = 1 << 62;
    let refill = if u.ratio(3, 4)? { u.int_in_range(0..=1000)? } else { u.arbitrary()? };
    let mut budget =
        SharedBudget::new(DialBudget { burst: u.int_in_range(0..=5)?, refill: Micros::from_micros(refill) });
    let DialBudget { burst, refill } = budget.budget();
    let (mut latest, mut taken, mut promised) = (0_u64, Vec::new(), Vec::new());
    while !u.is_empty() {
        let now = match u.int_in_range(0..=4)? {
            0 => latest,
            1 => latest.saturating_sub(u.arbitrary::<u8>()?.into()),
            2 | 3 => latest.saturating_add(u.arbitrary::<u8>()?.into()),
            _ => u.arbitrary()?,
        };
        // A newcomer; somebody's turn; one that was used already; one that is given back.
        let turn = match u.int_in_range(0..=4)? {
            0 => None,
            _ if promised.is_empty() => None,
            1 => Some(promised[u.choose_index(promised.len())?]),
            2 => {
                budget.give_back(promised.swap_remove(u.choose_index(promised.len())?));
                continue;
            }
            _ => Some(promised.swap_remove(u.choose_index(promised.len())?)),
        };
        latest = latest.max(now);
        match budget.take(Timestamp::from_micros(now), turn) {
            Ok(()) => taken.push(latest),
            Err(turn) => {
                assert!(turn.at().as_micros() > latest || latest > FAR, "refused until {turn:?} at {latest}");
                promised.push(turn);
            }
        }
    }
    taken.retain(|at| *at <= FAR);
    let (burst, refill) = (u128::from(burst), u128::from(refill.as_micros()));
    for (first, from) in taken.iter().enumerate() {
        for (count, to) in (1..).zip(taken.iter().skip(first)) {
            assert!(
                count * refill <= u128::from(to - from) + burst * refill,
                "shared-budget: {count} from {from} to {to}"
            );
        }
    }
    Ok(())
}
