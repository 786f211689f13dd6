//! The driver's own writing: pings, session setup, the outbox, and the flush when there is nothing else to do.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_sink::Sink;
use redial::Phase;

use crate::clock::Clock;
use crate::connect::Connect;
use crate::event::Event;
use crate::reconnecting::{IO_PER_POLL, Reconnecting};
use crate::recorder::Record;
use crate::step::MOST_EVENTS;

impl<K: Clock, C: Connect, R: Record> Reconnecting<K, C, R> {
    /// Writes what waits, as far as the connection takes it. Flushes if that was anything, or if `flush` says so.
    pub(crate) fn write(&mut self, flush: bool) {
        let waits = self.ping.is_some() || !self.urgent.is_empty() || self.backlog;
        if self.link.is_none() || !(waits || (self.dirty && (flush || self.flush_due))) {
            return;
        }
        let waker = self.waker.clone();
        if let Err(error) = self.try_write(flush, &mut Context::from_waker(&waker)) {
            self.on_write_failed(&error);
        }
    }

    /// The connection takes nothing more. What the peer had said before comes before that: its close frame says more of
    /// the end than our error does. Read ahead no further than elsewhere, so that there is an end of it.
    #[cold]
    pub(crate) fn on_write_failed(&mut self, error: &C::Error) {
        let waker = self.waker.clone();
        let cx = &mut Context::from_waker(&waker);
        let unread = self.events.iter().filter(|event| matches!(event, Event::Message(_))).count();
        for _ in 0..MOST_EVENTS.saturating_sub(unread).min(IO_PER_POLL as usize) {
            let Some(link) = &mut self.link else {
                return;
            };
            let Poll::Ready(Some(Ok(message))) = Pin::new(&mut link.io).poll_next(cx) else {
                break;
            };
            self.on_message(message);
        }
        self.on_broken(self.connector.failure(error));
    }

    fn try_write(&mut self, flush: bool, cx: &mut Context<'_>) -> Result<(), C::Error> {
        // Nothing is replayed before the session is set up.
        let open = self.machine.phase() == Phase::Open;
        let Some(link) = &mut self.link else {
            return Ok(());
        };
        let io = &mut link.io;
        // Writing has a budget of its own: reading may use up the other one every time.
        let mut written = 0;
        while self.ping.is_some() || !self.urgent.is_empty() || (open && self.backlog) {
            if written == IO_PER_POLL {
                // The rest in the next poll.
                self.poke = true;
                self.budget = 0;
                break;
            }
            written += 1;
            match Pin::new(&mut *io).poll_ready(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => break,
            }
            let next = match self.ping.take() {
                Some(ping) => match self.connector.ping(ping) {
                    Some(message) => Some(message),
                    None => continue,
                },
                None => self.urgent.pop_front().or_else(|| self.shared.lock().outbox.pop()),
            };
            let Some(message) = next else {
                self.backlog = false;
                break;
            };
            Pin::new(&mut *io).start_send(message)?;
            self.link_ready = false;
            self.dirty = true;
            self.flush_due = true;
            self.changed = true;
        }
        if self.dirty && (flush || self.flush_due) {
            match Pin::new(io).poll_flush(cx) {
                Poll::Ready(flushed) => {
                    flushed?;
                    self.dirty = false;
                    self.flush_due = false;
                }
                Poll::Pending => {}
            }
        }
        Ok(())
    }
}
