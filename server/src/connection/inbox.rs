//! What has come from the client and is not yet in the store.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use redial_session::Payload;

use crate::store::StoreError;

/// Work that a connection waits for, besides other things.
pub(crate) type Work<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// What a message takes besides its payload.
const EACH: usize = 64;
/// So many at once are one transaction, at most.
const MOST_AT_ONCE: usize = 256;

/// Messages that are committed together.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) messages: Vec<(u64, Payload)>,
    pub(crate) bytes: usize,
}

/// The messages that wait, and those that are being committed.
#[derive(Default)]
pub(crate) struct Inbox {
    waiting: VecDeque<(u64, Payload)>,
    bytes: usize,
    commit: Option<Work<u64>>,
    committing_bytes: usize,
}

impl Inbox {
    pub(crate) fn push(&mut self, number: u64, payload: Payload) {
        self.bytes += payload.len() + EACH;
        self.waiting.push_back((number, payload));
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.commit.is_none()
    }

    /// Takes the next messages to be committed together: no more than `most_messages`, and one at least; no more once
    /// `most_bytes` are reached. `None` if there are none, or others are being committed.
    pub(crate) fn take(&mut self, most_messages: usize, most_bytes: usize) -> Option<Batch> {
        if self.commit.is_some() || self.waiting.is_empty() {
            return None;
        }
        let mut batch = Batch::default();
        while batch.messages.len() < most_messages.clamp(1, MOST_AT_ONCE) && batch.bytes < most_bytes.max(1) {
            let Some((number, payload)) = self.waiting.pop_front() else { break };
            batch.bytes += payload.len() + EACH;
            batch.messages.push((number, payload));
        }
        self.committing_bytes = batch.bytes;
        Some(batch)
    }

    /// They are being committed.
    pub(crate) fn begin(&mut self, commit: Work<u64>) {
        self.commit = Some(commit);
    }

    /// How far commits have got, when one is done.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<u64, StoreError>> {
        let Some(commit) = &mut self.commit else { return Poll::Pending };
        let outcome = ready!(commit.as_mut().poll(cx));
        self.commit = None;
        self.bytes -= self.committing_bytes;
        Poll::Ready(outcome)
    }

    /// Whether some wait, and none are being committed.
    pub(crate) fn is_waiting(&self) -> bool {
        self.commit.is_none() && !self.waiting.is_empty()
    }
}
