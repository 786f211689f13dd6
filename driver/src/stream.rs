//! Reading: the way of a message, and the way of everything else.

use std::collections::VecDeque;
use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::clock::Clock;
use crate::connect::{Connect, Kind};
use crate::event::Event;
use crate::reconnecting::{IO_PER_POLL, Reconnecting};
use crate::recorder::Record;
use crate::turn::{Caller, END_WITHOUT_CLOSE};

/// With so many events to be read, nothing is done that makes new ones: dials that fail at once must not outrun the reader.
pub(crate) const ENOUGH_EVENTS: usize = 16;

impl<K: Clock, C: Connect, R: Record> Stream for Reconnecting<K, C, R> {
    type Item = Event<C::Message>;

    #[inline(always)] // a message is moved once less for each call on its way
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let mut drained = false;
        if this.direct_in && this.budget > 0 && !this.signal.is_raised() {
            if let Some(link) = &mut this.link {
                match Pin::new(&mut link.io).poll_next(cx) {
                    Poll::Ready(Some(Ok(message))) => {
                        this.budget -= 1;
                        this.heard = true;
                        match this.connector.inspect(&message) {
                            Kind::Data => return Poll::Ready(Some(Event::Message(message))),
                            kind @ (Kind::Pong(_) | Kind::Control | Kind::Close(_)) => this.on_control(kind),
                        }
                    }
                    Poll::Ready(Some(Err(error))) => this.on_broken(this.connector.failure(&error)),
                    Poll::Ready(None) => this.on_broken(END_WITHOUT_CLOSE),
                    Poll::Pending => {
                        if this.is_quiet() {
                            return this.wait(cx);
                        }
                        drained = true;
                    }
                }
            }
        }
        this.poll_slow(cx, drained)
    }
}

impl<K: Clock, C: Connect, R: Record> Reconnecting<K, C, R> {
    #[inline(never)]
    fn poll_slow(&mut self, cx: &mut Context<'_>, drained: bool) -> Poll<Option<Event<C::Message>>> {
        // After a rest the reader comes first: traffic that is not for it could use up every budget.
        if take(&mut self.rested) && !drained {
            if let Some(event) = self.events.pop_front() {
                self.refresh();
                return Poll::Ready(Some(event));
            }
        }
        let tired = self.budget == 0;
        if tired {
            self.budget = IO_PER_POLL;
        }
        let wanted = self.poke || self.signal.is_raised();
        if drained || tired || self.events.is_empty() || (wanted && self.events.len() < ENOUGH_EVENTS) {
            let drained_on = if drained { self.link.as_ref().map(|link| link.connection) } else { None };
            self.turn(cx, Caller::Stream, drained_on, tired);
        }
        if tired || self.budget == 0 {
            self.rested = true;
            self.refresh();
            return rest(cx);
        }
        let next = self.events.pop_front();
        self.refresh();
        if let Some(event) = next {
            return Poll::Ready(Some(event));
        }
        if self.is_over() {
            return Poll::Ready(None);
        }
        self.wait(cx)
    }

    /// Most turns find nothing to do but to tell the machine of the traffic. This is such a turn; false if it was not.
    fn is_quiet(&mut self) -> bool {
        if !self.machine.awaits_pong() {
            // Traffic says nothing that the machine wants to know, and a timer that has not rung has nothing to say.
            self.heard = false;
            return !self.dirty && !self.alarm && self.timer.stands_at(self.machine.deadline()) && self.direct_in;
        }
        let now = self.now();
        if self.dirty || self.alarm || self.machine.deadline().is_some_and(|deadline| deadline <= now) {
            return false;
        }
        self.tell_of_traffic(now);
        self.timer.stands_at(self.machine.deadline()) && self.direct_in
    }

    fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        // Notices are rare: an idle connection keeps no room for them.
        if self.events.is_empty() && self.events.capacity() > 0 {
            self.events = VecDeque::new();
        }
        self.budget = IO_PER_POLL;
        self.signal.reader.register(cx.waker());
        if self.poke || self.signal.is_raised() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// Gives others a turn, however much there is still to do. What is left of the budget stays: none means that the next turn
/// begins with a look at the clock.
pub(crate) fn rest<T>(cx: &Context<'_>) -> Poll<T> {
    cx.waker().wake_by_ref();
    Poll::Pending
}
