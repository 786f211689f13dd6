//! Sending and commanding from elsewhere.

use std::fmt;
use std::sync::Arc;

use redial::{Hint, HoldReason, Timestamp};
use redial_session::{MessageId, Payload};

use super::event::SessionStatus;
use super::shared::{Shared, sent};
use crate::error::SendError;
use crate::handle::Handle;
use crate::status::Status;
use crate::watch::Watch;

/// Controls a [`Session`](crate::Session) from any task or thread. Cheap to clone.
///
/// Whatever it is told takes effect at the session's next poll, for which it wakes the session's task.
pub struct SessionHandle<M> {
    connection: Handle<M>,
    shared: Arc<Shared>,
}

impl<M> SessionHandle<M> {
    pub(super) const fn new(connection: Handle<M>, shared: Arc<Shared>) -> Self {
        Self { connection, shared }
    }

    /// Takes a message, to be delivered. It never waits, with no [`Overflow`](crate::Overflow).
    ///
    /// # Errors
    /// With the message, if the outbox is full or the connection was ended for good.
    pub fn send(&self, payload: impl Into<Payload>) -> Result<MessageId, SendError<Payload>> {
        let payload = payload.into();
        if self.connection.is_finished() {
            return Err(SendError::Finished { message: payload });
        }
        // The time matters to messages with a deadline only, which the session itself looks after.
        let id = sent(self.shared.lock().send(Timestamp::ZERO, payload, None))?;
        self.connection.wake();
        Ok(id)
    }

    /// As [`Handle::start`].
    pub fn start(&self) {
        self.connection.start();
    }

    /// As [`Handle::stop`]. The session stays, for as long as the server keeps it, for a later start.
    pub fn stop(&self) {
        self.connection.stop();
    }

    /// As [`Handle::reconnect`].
    pub fn reconnect(&self) {
        self.connection.reconnect();
    }

    /// As [`Handle::hold`].
    pub fn hold(&self, reason: HoldReason) {
        self.connection.hold(reason);
    }

    /// As [`Handle::release`].
    pub fn release(&self, reason: HoldReason) {
        self.connection.release(reason);
    }

    /// As [`Handle::busy`].
    pub fn busy(&self, on: bool) {
        self.connection.busy(on);
    }

    /// As [`Handle::hint`].
    pub fn hint(&self, hint: Hint) {
        self.connection.hint(hint);
    }

    /// Where the connection stands. Its outbox is not the session's, which [`session_status`](Self::session_status) has.
    #[must_use]
    pub fn status(&self) -> Status {
        self.connection.status()
    }

    /// Follows the connection's status from here on.
    #[must_use]
    pub fn watch(&self) -> Watch<M> {
        self.connection.watch()
    }

    /// Where the session stands.
    #[must_use]
    pub fn session_status(&self) -> SessionStatus {
        self.shared.status()
    }
}

impl<M> Clone for SessionHandle<M> {
    fn clone(&self) -> Self {
        Self { connection: self.connection.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<M> fmt::Debug for SessionHandle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHandle")
            .field("status", &self.status())
            .field("session", &self.session_status())
            .finish_non_exhaustive()
    }
}
