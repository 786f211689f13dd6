//! Following the status.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use event_listener::EventListener;
use futures_core::Stream;

use crate::shared::Shared;
use crate::status::Status;

/// Yields the newest [`Status`] whenever it has changed since the last one; what changed in between is skipped.
///
/// A change of the outbox alone is no change. Ends when the [`Reconnecting`](crate::Reconnecting) is dropped.
pub struct Watch<M> {
    shared: Arc<Shared<M>>,
    seen: u32,
    listener: Option<EventListener>,
}

impl<M> Watch<M> {
    pub(crate) fn new(shared: Arc<Shared<M>>) -> Self {
        let seen = shared.lock().watch();
        Self { shared, seen, listener: None }
    }

    /// Waits for a change; `None` once the connection's owner has dropped it. Cancel-safe.
    pub async fn changed(&mut self) -> Option<Status> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Where the connection stands now, changed or not.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.lock().status()
    }

    fn news(&mut self) -> Option<Option<Status>> {
        let board = self.shared.lock();
        if board.version() != self.seen {
            self.seen = board.version();
            return Some(Some(board.status()));
        }
        board.gone.then_some(None)
    }
}

impl<M> Stream for Watch<M> {
    type Item = Status;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Status>> {
        let this = self.get_mut();
        loop {
            if let Some(news) = this.news() {
                this.listener = None;
                return Poll::Ready(news);
            }
            // Listen first, then look again: a change in between must not be missed.
            match &mut this.listener {
                None => this.listener = Some(this.shared.changed.listen()),
                Some(listener) => {
                    ready!(Pin::new(listener).poll(cx));
                    this.listener = None;
                }
            }
        }
    }
}

impl<M> fmt::Debug for Watch<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("status", &self.status()).finish_non_exhaustive()
    }
}
