//! The handle: a connection's controls, from any task or thread.

use std::fmt;
use std::sync::Arc;

use redial::{ConnectionId, Hint, HoldReason, Input};

use crate::error::SendError;
use crate::shared::Shared;
use crate::status::Status;
use crate::watch::Watch;

/// Controls a [`Reconnecting`](crate::Reconnecting) from any task or thread. Cheap to clone.
///
/// Whatever it is told takes effect at the driver's next poll, for which it wakes the driver's task. Dropping all handles
/// does nothing.
pub struct Handle<M> {
    shared: Arc<Shared<M>>,
}

impl<M> Handle<M> {
    pub(crate) const fn new(shared: Arc<Shared<M>>) -> Self {
        Self { shared }
    }

    /// Puts a message into the outbox, from where it is sent as soon as the connection is open. Messages that wait
    /// together are written together and flushed once.
    ///
    /// It never waits, with no [`Overflow`](crate::Overflow). The limit of bytes is compared with what the driver has
    /// counted: messages that come between two of its polls may pass it, by as many as the limit of messages allows.
    ///
    /// # Errors
    /// With the message, if the outbox is full or the connection was ended for good.
    pub fn send(&self, message: M) -> Result<(), SendError<M>> {
        self.shared.send(message)
    }

    /// Wants a connection. Acts where the phase is idle, closed or failed; revives a stream that has ended.
    pub fn start(&self) {
        self.shared.command(Input::Start);
    }

    /// Wants no connection any more: sends what the outbox holds if the connection takes it at once, then closes it.
    pub fn stop(&self) {
        self.shared.command(Input::Stop);
    }

    /// Wants a new connection now: ends a wait, passes all holds once, hangs up an open connection.
    pub fn reconnect(&self) {
        self.shared.command(Input::Reconnect);
    }

    /// A reason for not dialling begins to stand.
    pub fn hold(&self, reason: HoldReason) {
        self.shared.command(Input::Hold { reason });
    }

    /// A reason for not dialling stands no more.
    pub fn release(&self, reason: HoldReason) {
        self.shared.command(Input::Release { reason });
    }

    /// The peer is (not) expected to be silent for long, because it computes an answer.
    pub fn busy(&self, on: bool) {
        self.shared.command(Input::Busy { on });
    }

    /// The server's advice for the next dial.
    pub fn hint(&self, hint: Hint) {
        self.shared.command(Input::Hint(hint));
    }

    /// The application's handshake on this connection is done. Only needed where the policy has a `readyTimeout`.
    ///
    /// The connection is named because another one may have taken its place by the time the driver hears of it.
    pub fn ready(&self, connection: ConnectionId) {
        self.shared.command(Input::Ready { connection });
    }

    #[cfg(feature = "session")]
    pub(crate) fn is_finished(&self) -> bool {
        self.shared.lock().is_finished()
    }

    /// Has the driver look at what its handles did.
    #[cfg(feature = "session")]
    pub(crate) fn wake(&self) {
        self.shared.signal.raise();
    }

    /// Where the connection stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.lock().status()
    }

    /// Follows the status from here on.
    #[must_use]
    pub fn watch(&self) -> Watch<M> {
        Watch::new(Arc::clone(&self.shared))
    }
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<M> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("status", &self.status()).finish_non_exhaustive()
    }
}
