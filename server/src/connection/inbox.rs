//! What has come from the client and is not yet in the store.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use redial_session::Payload;

use super::commit::Done;
use crate::store::StoreError;

/// Work that a connection waits for, besides other things.
pub(crate) type Work<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// What a message takes besides its payload.
const EACH: usize = 64;
/// So many at once are one transaction, at most.
const MOST_AT_ONCE: usize = 256;

/// The messages that wait, and those that are being committed.
#[derive(Default)]
pub(crate) struct Inbox {
    waiting: VecDeque<(u64, Payload)>,
    bytes: usize,
    commit: Option<Work<Done>>,
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

    /// Takes the next messages to be committed together: at most `most`. `None` if there are none, or others are being
    /// committed.
    pub(crate) fn take(&mut self, most: usize) -> Option<Vec<(u64, Payload)>> {
        if !self.is_waiting() {
            return None;
        }
        let count = self.waiting.len().min(most.clamp(1, MOST_AT_ONCE));
        let batch: Vec<_> = self.waiting.drain(..count).collect();
        self.committing_bytes = size(&batch);
        Some(batch)
    }

    /// They are being committed.
    pub(crate) fn begin(&mut self, commit: Work<Done>) {
        self.commit = Some(commit);
    }

    /// What has become of a batch, when that is known. What is left of it waits again.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Done, StoreError>> {
        let Some(commit) = &mut self.commit else { return Poll::Pending };
        let outcome = ready!(commit.as_mut().poll(cx));
        self.commit = None;
        self.bytes -= self.committing_bytes;
        Poll::Ready(outcome.map(|mut done| {
            self.bytes += size(&done.rest);
            done.rest.drain(..).rev().for_each(|message| self.waiting.push_front(message));
            done
        }))
    }

    /// Whether some wait, and none are being committed.
    pub(crate) fn is_waiting(&self) -> bool {
        self.commit.is_none() && !self.waiting.is_empty()
    }
}

fn size(messages: &[(u64, Payload)]) -> usize {
    messages.iter().map(|(_, payload)| payload.len() + EACH).sum()
}
