//! One dial budget for many machines.

use crate::budget::TokenBucket;
use crate::moment::Moment;
use crate::policy::DialBudget;
use crate::time::{Micros, Timestamp};

/// One dial budget that several machines ask: however their dials interleave, in any span w there are at most
/// burst + w / refill tokens for them.
///
/// Without it 10,000 clients in one process that lose their server come back with 10,000 budgets of their own. It is as pure as
/// the machine: no clock, no lock, no allocation, and each question takes the same short time. All times are of one clock,
/// to which an earlier time acts as the latest one seen.
///
/// Whoever drives a machine
/// 1. tells it at the beginning that it shares a budget, with [`Input::Budget`](crate::Input::Budget) and a wait of 0: from
///    then on every dial waits, if only for 1 µs;
/// 2. [takes](Self::take) a token before a timeout at which [`next_dial_at`](crate::ReconnectMachine::next_dial_at) has come.
///    If there is none, it first tells the machine to wait with `Input::Budget`, and next time shows the turn that it was
///    given;
/// 3. before any other input then, first tells the machine to wait for 1 µs: only a timeout is to make a dial, so that no token
///    is taken for an input that holds the dial back or moves it;
/// 4. [gives the turn back](Self::give_back) when the machine does not wait for a dial any more.
///
/// A queue is as long as `maxElapsed` allows: like any other delay, the wait for a turn makes a machine give up whose outage
/// would last longer. Where timers are coarse (a millisecond on tokio), a refill below that needs a burst of some timer ticks'
/// worth of tokens: one that is not taken in time is lost.
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
///                 Some(turn) => Input::Budget { wait: turn.at().saturating_since(now) },
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
    /// The first and the last, in a row, of those turns that were promised twice: to a machine that came in vain, and before
    /// that to another.
    put_off: (Moment, Moment),
    /// Machines that have a turn.
    waiting: u32,
}

/// When a machine is to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    at: Timestamp,
    /// It came at a turn before, in vain.
    again: bool,
}

impl Turn {
    /// When that is.
    #[must_use]
    pub const fn at(self) -> Timestamp {
        self.at
    }

    fn moment(self) -> Moment {
        Moment::at(self.at)
    }
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
            put_off: (Moment::EVER, Moment::EVER),
            waiting: 0,
        }
    }

    /// Asks for a token for one dial at `now`; `turn` is what the same machine was refused with since its last token, if it
    /// was.
    ///
    /// A machine without a turn gets a token only behind all turns: where one is still promised, it is given the turn after
    /// the last, a `refill` later. So those who wait go in order, each at a time of its own, however many they are. A turn
    /// stands for one `refill`; one that nobody takes passes. Whoever comes at its turn, or later, gets any token there is. If
    /// those that came late have taken them all, it is given the next token that is not promised to another such machine;
    /// whose turn that was gives way, and so on to the end of the queue: each is put off once, and nobody for ever.
    ///
    /// # Errors
    /// There is no token for this machine: the turn at which it is to come again, later than `now`. (Times from 2⁶³ µs on are
    /// all the same.)
    pub fn take(&mut self, now: Timestamp, turn: Option<Turn>) -> Result<(), Turn> {
        self.now = self.now.max(Moment::at(now));
        let (now, refill) = (self.now, self.budget.refill);
        let token = self.bucket.next_token(Some(self.budget), now);
        let again = match turn {
            Some(turn) if turn.moment() > now => return Err(turn),
            None => false,
            // Its token is one that was promised twice.
            Some(Turn { at, again: false }) if self.is_put_off(Moment::at(at)) => true,
            Some(turn) if token <= now => {
                self.bucket.take(Some(self.budget), now);
                self.give_back(turn);
                return Ok(());
            }
            Some(_) => {
                // A token was lost to somebody's lateness: the queue gets longer by a turn, which nobody is promised.
                self.last = self.last.after(refill);
                true
            }
        };
        let behind = if again { self.put_off.1 } else { self.last };
        let at = token.max(behind.after(refill));
        if at <= now {
            self.bucket.take(Some(self.budget), now);
            turn.into_iter().for_each(|turn| self.give_back(turn));
            return Ok(());
        }
        if turn.is_none() {
            self.waiting = self.waiting.saturating_add(1);
        }
        if again {
            let in_a_row = self.put_off.1.after(refill) == at;
            self.put_off = (if in_a_row { self.put_off.0 } else { at }, at);
        }
        self.last = self.last.max(at);
        Err(Turn { at: at.timestamp(), again })
    }

    /// A machine does not want its turn any more. Where nobody waits, nothing stands in the way of the next that comes; while
    /// others do, the turn passes unused.
    pub fn give_back(&mut self, _: Turn) {
        self.waiting = self.waiting.saturating_sub(1);
        if self.waiting == 0 {
            self.last = Moment::EVER;
            self.put_off = (Moment::EVER, Moment::EVER);
        }
    }

    fn is_put_off(&self, turn: Moment) -> bool {
        let (first, last) = self.put_off;
        first <= turn && turn <= last
    }

    /// The budget, as it is kept.
    #[must_use]
    pub const fn budget(&self) -> DialBudget {
        self.budget
    }
}
