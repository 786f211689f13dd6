//! Messages on their way out, and what the connection does meanwhile.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Sink, Stream};
use redial_tokio::{Payload, SendError, SessionEvent};

use super::Connection;

/// Messages that wait for place in the connection's outbox.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    waiting: VecDeque<Payload>,
}

/// What the connection did.
#[derive(Debug)]
pub(crate) enum Next {
    Event(SessionEvent),
    /// It took messages: there is place for more.
    Sent,
    /// It did not take a message.
    Refused(SendError<Payload>),
    /// It has ended.
    End,
}

impl Outgoing {
    /// How many may wait: as many as go out in one write, and so few that a pipe waits in place of the memory.
    pub(crate) const ROOM: usize = 16;

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= Self::ROOM
    }

    /// To be called only where there is room.
    pub(crate) fn push(&mut self, message: Payload) {
        self.waiting.push_back(message);
    }

    /// What still waits, in order.
    pub(crate) fn take(&mut self) -> VecDeque<Payload> {
        std::mem::take(&mut self.waiting)
    }

    /// What the connection does next, while messages are sent as soon as there is place for them. Cancel-safe.
    pub(crate) async fn next(&mut self, connection: &mut Connection) -> Next {
        std::future::poll_fn(|cx| {
            let waiting = self.waiting.len();
            if let Err(error) = self.poll_send(connection, cx) {
                return Poll::Ready(Next::Refused(error));
            }
            // What was fed is flushed here when there is nothing more to read: many lines go out in one write.
            match Pin::new(connection as &mut Connection).poll_next(cx) {
                Poll::Ready(event) => Poll::Ready(event.map_or(Next::End, Next::Event)),
                // Whoever waited for room must hear of it, or each line would wait for an event.
                Poll::Pending if self.waiting.len() < waiting => Poll::Ready(Next::Sent),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Sends what the connection takes at once: a command that follows is not to overtake it.
    pub(crate) async fn send_ready(&mut self, connection: &mut Connection) -> Result<(), SendError<Payload>> {
        // The connection, and tokio, pause in the midst of many messages, though there is place.
        for _ in 0..3 {
            std::future::poll_fn(|cx| Poll::Ready(self.poll_send(connection, cx))).await?;
            if self.waiting.is_empty() {
                break;
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn poll_send(&mut self, connection: &mut Connection, cx: &mut Context<'_>) -> Result<(), SendError<Payload>> {
        while !self.waiting.is_empty() && Pin::new(&mut *connection).poll_ready(cx).is_ready() {
            // It would refuse them; they are reported at the end, after older ones.
            if connection.connection().machine().phase().is_terminal() {
                break;
            }
            if let Some(message) = self.waiting.pop_front() {
                Pin::new(&mut *connection).start_send(message)?;
            }
        }
        Ok(())
    }
}
