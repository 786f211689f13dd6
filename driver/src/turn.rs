//! One turn of the loop: whatever can be done without waiting, in the order that the driver's laws ask for.

use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use redial::{Cause, ConnectionId, Input, Phase, Timestamp};

use crate::clock::Clock;
use crate::connect::Connect;
use crate::event::{DropReason, Event};
use crate::reconnecting::{IO_PER_POLL, Link, Reconnecting};
use crate::recorder::Record;
use crate::stream::ENOUGH_EVENTS;

/// What the turn is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The next event.
    Stream,
    /// Place for a message, or nothing in particular.
    Ready {
        /// A turn before did not bring it: the caller is going to wait.
        blocked: bool,
    },
    /// Everything written.
    Flush {
        /// A turn before did not bring it: the caller is going to wait.
        blocked: bool,
    },
}

/// How far reading got.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// There is nothing more for now.
    Drained,
    /// There may be more.
    More,
}

impl<K: Clock, C: Connect, R: Record> Reconnecting<K, C, R> {
    /// `drained_on` has just said that it has nothing to read, with this waker. `tired`: the budget was used up since the
    /// last look at the clock.
    pub(crate) fn turn(
        &mut self,
        cx: &mut Context<'_>,
        caller: Caller,
        mut drained_on: Option<ConnectionId>,
        tired: bool,
    ) {
        let most = match caller {
            // One message more shows that the peer is alive; the rest is better read when somebody wants it.
            _ if tired => self.events.len().saturating_add(1),
            Caller::Stream => 1,
            Caller::Ready { blocked: false } | Caller::Flush { blocked: false } => self.events.len().saturating_add(1),
            // Nobody may want it for long. What the peer said long ago must not pass for a sign of life then.
            Caller::Ready { blocked: true } | Caller::Flush { blocked: true } => IO_PER_POLL as usize,
        };
        loop {
            let woken = self.signal.take() | take(&mut self.poke);
            self.alarm |= woken;
            if woken {
                self.poll_dial();
            }
            // Reading comes before everything that lets the machine look at its deadlines: a pong that has arrived must
            // not be killed by the timer that it was to stop.
            let drained = drained_on == self.link_id() || self.read(cx, most) == Reading::Drained;
            if drained {
                drained_on = self.link_id();
            }
            // The traffic of this very moment is told to the machine before the time is: no timer can be wrong then.
            let quiet = drained || (self.heard && (tired || caller != Caller::Stream));
            if woken {
                self.take_in(quiet || caller != Caller::Stream);
            }
            if quiet {
                self.look_at_clock();
            }
            self.write(match caller {
                Caller::Stream => quiet,
                Caller::Ready { .. } => false,
                Caller::Flush { .. } => true,
            });
            if woken {
                self.poll_closing();
            }
            if quiet {
                self.set_timer();
            }
            let enough = caller == Caller::Stream && self.events.len() >= ENOUGH_EVENTS;
            if !self.poke || self.budget == 0 || enough {
                break;
            }
        }
        self.wake_other(caller);
    }

    fn link_id(&self) -> Option<ConnectionId> {
        self.link.as_ref().map(|link| link.connection)
    }

    fn poll_dial(&mut self) {
        let Some(connecting) = &mut self.dialling.future else {
            return;
        };
        let polled = {
            let _entered = self.span.enter();
            connecting.as_mut().poll(&mut Context::from_waker(&self.waker))
        };
        let Poll::Ready(outcome) = polled else {
            return;
        };
        self.dialling.future = None;
        self.budget = self.budget.saturating_sub(1);
        let connection = self.dialling.connection;
        let now = self.now();
        match outcome {
            Ok(io) => {
                self.link = Some(Link { connection, io });
                self.feed_of_dial(now, Input::Opened { connection });
            }
            Err(cause) => self.feed_of_dial(now, Input::Failed { connection, cause }),
        }
    }

    /// What became of the dial, and of the list of endpoints in it. The list comes first, for the choice that may follow; but
    /// a dial that has ended is not to time out for it.
    fn feed_of_dial(&mut self, now: Timestamp, outcome: Input) {
        let changed = self.changed_endpoints();
        let in_time = self.machine.deadline().is_none_or(|deadline| deadline > now);
        let inputs = if in_time { [changed, Some(outcome)] } else { [Some(outcome), changed] };
        for input in inputs.into_iter().flatten() {
            self.feed(now, input);
        }
    }

    /// Reads until there is nothing more, or so many events wait, or the budget is used up.
    fn read(&mut self, cx: &mut Context<'_>, most: usize) -> Reading {
        loop {
            let Some(link) = &mut self.link else {
                return Reading::Drained;
            };
            if self.budget == 0 || self.events.len() >= most {
                return Reading::More;
            }
            match Pin::new(&mut link.io).poll_next(cx) {
                Poll::Pending => return Reading::Drained,
                Poll::Ready(Some(Ok(message))) => {
                    self.budget = self.budget.saturating_sub(1);
                    self.heard = true;
                    self.on_message(message);
                }
                Poll::Ready(Some(Err(error))) => self.on_broken(self.connector.failure(&error)),
                Poll::Ready(None) => self.on_broken(END_WITHOUT_CLOSE),
            }
        }
    }

    /// Takes in what handles (and the owner) have sent and commanded. `may_fire`: it does no harm if the machine looks at
    /// its deadlines now.
    fn take_in(&mut self, may_fire: bool) {
        self.count_outbox();
        let now = self.now();
        if !may_fire && self.machine.deadline().is_some_and(|deadline| deadline <= now) {
            self.signal.stay_raised();
            return;
        }
        let commands = take(&mut self.shared.lock().commands);
        for input in commands {
            match input {
                Input::Stop => {
                    self.begun = true;
                    // What came before goes before.
                    self.write(false);
                }
                Input::Start | Input::Reconnect => self.begun = true,
                Input::Hold { .. }
                | Input::Release { .. }
                | Input::Busy { .. }
                | Input::Hint(_)
                | Input::Endpoints { .. }
                | Input::Budget { .. }
                | Input::Ready { .. }
                | Input::Opened { .. }
                | Input::Failed { .. }
                | Input::Closed { .. }
                | Input::Received { .. }
                | Input::Pong { .. }
                | Input::Timeout => {}
            }
            // Writing may have found the connection broken, a little later.
            self.feed(now.max(self.latest), input);
        }
    }

    /// Counts what handles have put into the outbox, and reports what was dropped for it.
    pub(crate) fn count_outbox(&mut self) {
        let shared = std::sync::Arc::clone(&self.shared);
        let mut board = shared.lock();
        board.outbox.count(|message| self.connector.size(message));
        self.backlog = !board.outbox.is_empty();
        while let Some((message, limit)) = board.outbox.next_dropped() {
            self.push_event(Event::Dropped { message, reason: DropReason::OutboxFull(limit) });
        }
    }

    /// The clock, never the timer, says what is due.
    fn look_at_clock(&mut self) {
        let now = self.now();
        self.tell_of_traffic(now);
        if self.machine.deadline().is_some_and(|deadline| deadline <= now) {
            // A dial that times out may have changed the list of endpoints first: the choice of the next is to know.
            let due = self.changed_endpoints().unwrap_or(Input::Timeout);
            self.feed(now, due);
        }
    }

    /// What there is to say of the list of endpoints, if a dial has changed it.
    fn changed_endpoints(&self) -> Option<Input> {
        let count = self.connector.endpoints();
        (count != self.machine.endpoints()).then_some(Input::Endpoints { count })
    }

    pub(crate) fn tell_of_traffic(&mut self, now: Timestamp) {
        if take(&mut self.heard) && self.machine.phase() == Phase::Open {
            if let Some(connection) = self.link_id() {
                self.feed(now, Input::Received { connection });
            }
        }
    }

    fn poll_closing(&mut self) {
        let Some(closing) = &mut self.closing else {
            return;
        };
        if closing.poll(&mut Context::from_waker(&self.waker)).is_ready() {
            self.closing = None;
            self.changed = true;
        } else if closing.until <= self.latest {
            if let Some(closing) = self.closing.take() {
                self.connector.abort(closing.into_io());
                self.changed = true;
            }
        }
    }

    fn set_timer(&mut self) {
        let closing = self.closing.as_ref().map(|closing| closing.until);
        let at = match (self.machine.deadline(), closing) {
            (Some(deadline), Some(closing)) => Some(deadline.min(closing)),
            (deadline, closing) => deadline.or(closing),
        };
        let alarm = take(&mut self.alarm);
        if self.timer.rings(&self.clock, at, alarm, &mut Context::from_waker(&self.waker)) {
            self.budget = self.budget.saturating_sub(1);
            self.poke = true;
        }
    }

    /// The stream and the sink may be polled by two tasks: what one of them brings about may be what the other waits for.
    fn wake_other(&mut self, caller: Caller) {
        if take(&mut self.changed) {
            match caller {
                Caller::Stream => self.signal.writer.wake(),
                Caller::Ready { .. } | Caller::Flush { .. } => self.signal.reader.wake(),
            }
        }
    }
}

/// What RFC 6455 calls an end without a close frame (section 7.1.5).
pub(crate) const END_WITHOUT_CLOSE: Cause = Cause::close(1006);
