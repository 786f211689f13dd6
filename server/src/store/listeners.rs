//! Who wants to hear of changes.

use std::sync::{Mutex, PoisonError};

use redial_session::SessionId;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Change;

/// Those who hear of changes.
#[derive(Debug, Default)]
pub(super) struct Listeners(Mutex<Vec<UnboundedSender<Change>>>);

impl Listeners {
    /// One more.
    pub(super) fn add(&self) -> UnboundedReceiver<Change> {
        let (sender, receiver) = unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// Tells all of them. Who has gone is forgotten.
    pub(super) fn tell(&self, change: &Change) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|listener| listener.send(change.clone()).is_ok());
    }

    /// These sessions have something new; each is named once.
    pub(super) fn tell_of(&self, mut sessions: Vec<SessionId>) {
        if sessions.is_empty() {
            return;
        }
        sessions.sort_unstable();
        sessions.dedup();
        self.tell(&Change::Sessions(sessions));
    }
}
