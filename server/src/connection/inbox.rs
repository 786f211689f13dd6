//! What has come from the client and is not yet in the store.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use redial_session::Payload;

use crate::store::StoreError;

/// Work that a connection waits for, besides other things.
pub(crate) type Work<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// What a message takes besides its payload.
const EACH: usize = 64;
/// So many at once are one transaction.
const MOST_AT_ONCE: usize = 256;

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

    /// Begins the next transaction if none is under way, and says how far they have got. `None`: there is nothing to do.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        begin: impl FnOnce(Vec<(u64, Payload)>) -> Work<u64>,
    ) -> Poll<Option<Result<u64, StoreError>>> {
        if self.commit.is_none() {
            if self.waiting.is_empty() {
                return Poll::Ready(None);
            }
            let count = self.waiting.len().min(MOST_AT_ONCE);
            let batch: Vec<_> = self.waiting.drain(..count).collect();
            self.committing_bytes = batch.iter().map(|(_, payload)| payload.len() + EACH).sum();
            self.commit = Some(begin(batch));
        }
        let Some(commit) = &mut self.commit else { return Poll::Ready(None) };
        let Poll::Ready(outcome) = commit.as_mut().poll(cx) else { return Poll::Pending };
        self.commit = None;
        self.bytes -= self.committing_bytes;
        Poll::Ready(Some(outcome))
    }
}
