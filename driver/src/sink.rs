//! Writing: straight to the connection, or into the outbox.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_sink::Sink;
use redial::{Input, Micros};

use crate::clock::Clock;
use crate::connect::Connect;
use crate::error::SendError;
use crate::outbox::Overflow;
use crate::reconnecting::{IO_PER_POLL, Reconnecting};
use crate::recorder::Record;
use crate::stream::rest;
use crate::turn::Caller;

/// How long whoever writes without end may go without a look at what the peer says.
const LOOK_ASIDE: Micros = Micros::from_millis(20);

/// `poll_ready`, `poll_flush` and `poll_close` never fail, and `start_send` always gives a verdict on its own message:
/// the sink can be used after an error.
impl<K: Clock, C: Connect, R: Record> Sink<C::Message> for Reconnecting<K, C, R> {
    type Error = SendError<C::Message>;

    #[inline(always)] // a call would cost as much as the rest
    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let this = self.get_mut();
        if this.direct_out && this.budget > 0 && !this.signal.is_raised() {
            if let Some(link) = &mut this.link {
                match Pin::new(&mut link.io).poll_ready(cx) {
                    Poll::Ready(Ok(())) => {
                        this.link_ready = true;
                        return Poll::Ready(Ok(()));
                    }
                    Poll::Ready(Err(error)) => this.on_write_failed(&error),
                    Poll::Pending => {}
                }
            }
        }
        this.poll_place(cx).map(Ok)
    }

    #[inline(always)]
    fn start_send(self: Pin<&mut Self>, message: C::Message) -> Result<(), Self::Error> {
        let this = self.get_mut();
        // Ready means that nothing of ours has come between; a handle's message may have.
        if this.link_ready && !this.signal.is_raised() {
            if let Some(link) = &mut this.link {
                this.link_ready = false;
                this.dirty = true;
                this.budget = this.budget.saturating_sub(1);
                return match Pin::new(&mut link.io).start_send(message) {
                    Ok(()) => Ok(()),
                    Err(error) => Err(this.on_not_sent(&error)),
                };
            }
        }
        this.put(message)
    }

    #[inline(always)]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let this = self.get_mut();
        if this.direct_out && !this.signal.is_raised() {
            if let Some(link) = &mut this.link {
                match Pin::new(&mut link.io).poll_flush(cx) {
                    Poll::Ready(Ok(())) => {
                        this.dirty = false;
                        this.flush_due = false;
                        return Poll::Ready(Ok(()));
                    }
                    Poll::Ready(Err(error)) => this.on_write_failed(&error),
                    Poll::Pending => {}
                }
            }
        }
        this.poll_written(cx).map(Ok)
    }

    /// As [`close`](Reconnecting::close).
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.get_mut().poll_shut(cx).map(Ok)
    }
}

impl<K: Clock, C: Connect, R: Record> Reconnecting<K, C, R> {
    /// Ready when a message will be taken, or refused with a reason.
    #[inline(never)]
    fn poll_place(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for blocked in [false, true] {
            ready!(self.poll_aside(cx, Caller::Ready { blocked }));
            if self.has_place(cx) {
                return Poll::Ready(());
            }
        }
        self.pend(cx)
    }

    fn has_place(&mut self, cx: &mut Context<'_>) -> bool {
        if self.is_open() {
            if self.backlog || !self.urgent.is_empty() || self.ping.is_some() {
                return false;
            }
            match self.poll_link_ready(cx) {
                Poll::Ready(true) => {
                    self.link_ready = true;
                    return true;
                }
                Poll::Ready(false) => {}
                Poll::Pending => return false,
            }
        }
        let board = self.shared.lock();
        match board.outbox.limits().overflow {
            Overflow::Reject | Overflow::DropOldest => true,
            Overflow::Wait => board.outbox.has_room() || board.is_finished(),
        }
    }

    /// Takes a message that can't pass straight through.
    #[inline(never)]
    fn put(&mut self, message: C::Message) -> Result<(), SendError<C::Message>> {
        // What handles have sent came before.
        self.count_outbox();
        self.write(false);
        if self.is_open() && !self.backlog && self.urgent.is_empty() {
            let waker = self.waker.clone();
            if self.poll_link_ready(&mut Context::from_waker(&waker)) == Poll::Ready(true) {
                if let Some(link) = &mut self.link {
                    self.link_ready = false;
                    self.dirty = true;
                    return Pin::new(&mut link.io).start_send(message).map_err(|error| self.on_not_sent(&error));
                }
            }
        }
        let bytes = self.connector.size(&message);
        let mut board = self.shared.lock();
        if board.is_finished() {
            return Err(SendError::Finished { message });
        }
        let pushed = board.outbox.push(message, bytes);
        drop(board);
        self.count_outbox();
        self.poke |= self.is_open();
        self.refresh();
        if self.changed || self.poke {
            self.signal.reader.wake();
        }
        pushed
    }

    /// Ready when everything was flushed that a connection has taken or will take now.
    #[inline(never)]
    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for blocked in [false, true] {
            ready!(self.poll_aside(cx, Caller::Flush { blocked }));
            let waits = self.dirty || (self.backlog && self.is_open());
            if self.link.is_none() || !waits {
                return Poll::Ready(());
            }
        }
        self.pend(cx)
    }

    /// Stops, and is ready when nothing is left to be closed.
    pub(crate) fn poll_shut(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.stopping {
            self.stopping = true;
            if !self.is_ended() || self.signal.is_raised() {
                self.shared.command(Input::Stop);
            }
        }
        ready!(self.poll_aside(cx, Caller::Flush { blocked: true }));
        if self.closing.is_some() || self.signal.is_raised() {
            return self.pend(cx);
        }
        self.stopping = false;
        Poll::Ready(())
    }

    /// A turn for somebody who doesn't want an event: those that come wait for the stream. Pending is a rest.
    pub(crate) fn poll_aside(&mut self, cx: &mut Context<'_>, caller: Caller) -> Poll<()> {
        let tired = self.budget == 0;
        if tired {
            self.budget = IO_PER_POLL;
            if !self.poke && !self.signal.is_raised() && self.has_just_looked() {
                return rest(cx);
            }
        }
        // The stream's task is to hear of what arrives, too.
        let waker = self.waker.clone();
        self.turn(&mut Context::from_waker(&waker), caller, None, tired);
        self.refresh();
        if tired || self.budget == 0 { rest(cx) } else { Poll::Ready(()) }
    }

    /// Whoever writes without end looks at what the peer says, and at the clock, every [`LOOK_ASIDE`] and when a timer is
    /// due: a look at a silent peer costs as much as a message or two.
    fn has_just_looked(&mut self) -> bool {
        let now = self.now();
        let soon = self.looked.saturating_add(LOOK_ASIDE);
        if now < soon && self.machine.deadline().is_none_or(|deadline| now < deadline) {
            return true;
        }
        self.looked = now;
        false
    }

    pub(crate) fn pend<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        self.budget = IO_PER_POLL;
        self.signal.writer.register(cx.waker());
        if self.poke || self.changed || self.signal.is_raised() {
            self.signal.raise();
        }
        Poll::Pending
    }

    /// Ready with whether the connection takes a message, or has just broken.
    fn poll_link_ready(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let Some(link) = &mut self.link else {
            return Poll::Ready(false);
        };
        match ready!(Pin::new(&mut link.io).poll_ready(cx)) {
            Ok(()) => Poll::Ready(true),
            Err(error) => {
                self.on_write_failed(&error);
                self.signal.raise();
                Poll::Ready(false)
            }
        }
    }

    #[cold]
    fn on_not_sent(&mut self, error: &C::Error) -> SendError<C::Message> {
        self.on_write_failed(error);
        self.signal.raise();
        SendError::Broken { cause: self.connector.failure(error) }
    }

    fn is_ended(&self) -> bool {
        self.begun && self.machine.phase().is_terminal()
    }
}
