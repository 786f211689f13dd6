//! One dial budget for many machines.

use crate::budget::TokenBucket;
use crate::moment::Moment;
use crate::policy::DialBudget;
use crate::time::{Micros, Timestamp};

/// One dial budget that several machines ask: however their dials interleave, in any span w there are at most
/// burst + w / refill of them.
///
/// Without it 10,000 clients in one process that lose their server come back with 10,000 budgets of their own. It is as pure as
/// the machine: no clock, no lock, no allocation, and each question takes the same short time. All times are of one clock,
/// to which an earlier time acts as the latest one seen.
///
/// Whoever drives a machine
/// 1. tells it at the beginning that it shares a budget, with [`Input::Budget`](crate::Input::Budget) and a wait of 0: from
///    then on every dial waits, if only for 1 µs;
/// 2. [takes](Self::take) a token before each input (a timeout, too) at which
///    [`next_dial_at`](crate::ReconnectMachine::next_dial_at) has come, and gives the input to the machine if there is one;
/// 3. if there is none, first tells the machine to wait with `Input::Budget`, and next time shows the turn that it was
///    given. It keeps its turn until it is granted a token, also while the dial is moved, held or stopped.
///
/// ```
/// use redial::{Command, DialBudget, Input, Micros, Policy, ReconnectMachine, SharedBudget, Timestamp};
///
/// let mut budget = SharedBudget::new(DialBudget { burst: 1, refill: Micros::from_millis(10) });
/// let mut turns = [None; 2];
/// let mut machines = [1, 2].map(|seed| ReconnectMachine::new(Policy::resilient(), seed));
/// for machine in &mut machines {
///     let _ = machine.handle(Timestamp::ZERO, Input::Budget { wait: Micros::ZERO });
///     let _ = machine.handle(Timestamp::ZERO, Input::Start);
/// }
///
/// let mut dialled = Vec::new();
/// while let Some(now) = machines.iter().filter_map(|machine| machine.next_dial_at()).min() {
///     for (machine, turn) in machines.iter_mut().zip(&mut turns) {
///         if machine.next_dial_at().is_some_and(|at| at <= now) {
///             let granted = budget.take(now, *turn);
///             *turn = granted.err();
///             let input = match *turn {
///                 None => Input::Timeout,
///                 Some(at) => Input::Budget { wait: at.saturating_since(now) },
///             };
///             dialled.extend(machine.handle(now, input).commands().map(|_| now.as_micros()));
///         }
///     }
/// }
/// assert_eq!(dialled, [1, 10_001]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedBudget {
    budget: DialBudget,
    bucket: TokenBucket,
    /// The latest time seen.
    now: Moment,
    /// The last of the turns.
    last: Moment,
    /// The last of those turns that were given to machines that had missed the token of the one before.
    last_again: Moment,
}

impl SharedBudget {
    /// A full bucket. A burst of 0 acts as 1, and `refill` as one from 1 µs to [`Micros::MAX_POLICY`]: so there is always a
    /// next token.
    #[must_use]
    pub fn new(budget: DialBudget) -> Self {
        let budget = DialBudget {
            burst: budget.burst.max(1),
            refill: budget.refill.max(Micros::from_micros(1)).min(Micros::MAX_POLICY),
        };
        Self {
            budget,
            bucket: TokenBucket::full(Moment::EVER),
            now: Moment::EVER,
            last: Moment::EVER,
            last_again: Moment::EVER,
        }
    }

    /// Asks for a token for one dial at `now`; `turn` is what the same machine was refused with since its last token, if it
    /// was.
    ///
    /// A machine without a turn gets a token only behind all turns: where one is still promised, it is given the turn after
    /// the last, a `refill` later. So those who wait go in order, each at a time of its own, however many they are. A turn
    /// stands for one `refill`; one that nobody takes passes. Whoever comes at its turn, or later, gets any token there is; if
    /// those that came late have taken them all, it is given the next token that is not promised to another such machine,
    /// ahead of the queue.
    ///
    /// # Errors
    /// There is no token for this machine: the turn at which it is to come again, later than `now`. (Times from 2⁶³ µs on are
    /// all the same.)
    pub fn take(&mut self, now: Timestamp, turn: Option<Timestamp>) -> Result<(), Timestamp> {
        self.now = self.now.max(Moment::at(now));
        let (now, refill) = (self.now, self.budget.refill);
        let token = self.bucket.next_token(Some(self.budget), now);
        let at = match turn.map(Moment::at) {
            None => token.max(self.last.after(refill)),
            Some(turn) if turn > now => turn,
            Some(_) if token > now => token.max(self.last_again.after(refill)),
            Some(_) => now,
        };
        if at <= now {
            self.bucket.take(Some(self.budget), now);
            return Ok(());
        }
        match turn.map(Moment::at) {
            None => self.last = at,
            Some(turn) if turn > now => {}
            Some(_) => {
                // It now waits for what may be promised to another, who then misses it in turn. Only the last of them makes
                // the queue longer: if each did, newcomers would wait behind turns that nobody has.
                self.last_again = at;
                self.last = self.last.max(at);
            }
        }
        Err(at.timestamp())
    }

    /// The budget, as it is kept.
    #[must_use]
    pub const fn budget(&self) -> DialBudget {
        self.budget
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn one_token_lost_makes_the_queue_longer_by_one_turn() {
        let mut budget = SharedBudget::new(DialBudget { burst: 1, refill: Micros::from_millis(10) });
        let first = [(); 4].map(|()| budget.take(at(0), None));
        assert_eq!(first, [Ok(()), Err(at(10)), Err(at(20)), Err(at(30))]);
        assert_eq!(budget.take(at(20), Some(at(10))), Ok(()), "late: the token of 10 is lost");
        assert_eq!(budget.take(at(20), Some(at(20))), Err(at(30)));
        assert_eq!(budget.take(at(30), Some(at(30))), Ok(()));
        assert_eq!(budget.take(at(30), Some(at(30))), Err(at(40)));
        assert_eq!(budget.take(at(40), Some(at(40))), Ok(()));
        assert_eq!(budget.take(at(45), None), Err(at(50)), "nobody waits any more");
    }

    #[test]
    fn after_a_stall_newcomers_wait_behind_no_more_than_those_that_wait() {
        const FLEET: u64 = 1000;
        let mut budget = SharedBudget::new(DialBudget { burst: 5, refill: Micros::from_millis(1) });
        let mut waiting: std::vec::Vec<_> = (0..FLEET).filter_map(|_| budget.take(at(0), None).err()).collect();
        // Nobody comes for 20 ms: 15 tokens are lost. Then all come when they are told.
        let mut now = 20;
        while !waiting.is_empty() {
            waiting.retain_mut(|turn| {
                if *turn > at(now) {
                    return true;
                }
                budget.take(at(now), Some(*turn)).map_err(|next| *turn = next).is_err()
            });
            now += 1;
        }
        assert_eq!(now, FLEET - 5 + 15 + 1);
        assert_eq!(budget.take(at(now + 5), None), Ok(()), "the bucket is full, and nobody waits");
    }
}
