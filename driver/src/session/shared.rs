//! What a session and its handles have in common, and who is to be woken.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use futures_util::task::AtomicWaker;
use redial_session::{Client, MessageId, OutboxLimit as Limit, Payload};

use super::event::{Protocol, SessionStatus};
use crate::error::SendError;
use crate::outbox::OutboxLimit;

/// The client's half, which handles put messages into.
#[derive(Debug)]
pub(super) struct Shared(Mutex<Client>);

impl Shared {
    pub(super) const fn new(client: Client) -> Self {
        Self(Mutex::new(client))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Client> {
        // Nothing that runs under the lock leaves the client half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> SessionStatus {
        let client = self.lock();
        SessionStatus {
            protocol: match (client.is_open(), client.is_plain()) {
                (true, _) => Some(Protocol::Session),
                (false, true) => Some(Protocol::Plain),
                (false, false) => None,
            },
            pending: client.pending(),
            pending_bytes: client.pending_bytes(),
            in_flight: client.in_flight(),
            dropped: client.dropped(),
        }
    }
}

/// The driver's words for what the client said.
pub(super) fn sent(result: Result<MessageId, redial_session::SendError>) -> Result<MessageId, SendError<Payload>> {
    result.map_err(|redial_session::SendError { payload, limit }| SendError::Full {
        message: payload,
        limit: match limit {
            Limit::Messages => OutboxLimit::Messages,
            Limit::Bytes => OutboxLimit::Bytes,
        },
    })
}

/// Wakes whoever reads and whoever writes: what one of them did may be what the other waits for.
#[derive(Debug, Default)]
pub(super) struct Halves {
    pub(super) reader: AtomicWaker,
    pub(super) writer: AtomicWaker,
}

impl Wake for Halves {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.reader.wake();
        self.writer.wake();
    }
}
