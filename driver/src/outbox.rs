//! The bounded queue of messages that have no connection yet.

use std::collections::VecDeque;

use crate::error::SendError;

/// How much the outbox may hold, and what happens when that is not enough.
///
/// ```
/// use redial_driver::{OutboxLimits, Overflow};
/// let latest_only = OutboxLimits { messages: 1, overflow: Overflow::DropOldest, ..OutboxLimits::default() };
/// assert_eq!(latest_only.bytes, 1 << 20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxLimits {
    /// The most messages; by default 1024. 0: nothing is ever kept for later.
    pub messages: usize,
    /// The most bytes, as [`Connect::size`](crate::Connect::size) counts them; by default 1 MiB.
    pub bytes: usize,
    /// What happens to a message that would pass a limit; by default it is rejected.
    pub overflow: Overflow,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { messages: 1024, bytes: 1 << 20, overflow: Overflow::Reject }
    }
}

/// What happens to a message that would pass a limit of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// It is given back in [`SendError::Full`].
    Reject,
    /// The oldest make place for it; each is reported as [`Event::Dropped`](crate::Event::Dropped). A message that alone
    /// passes the limits is rejected.
    DropOldest,
    /// The sink is not ready until there is place. The size of a message is not known before it comes, so the last one
    /// taken may pass the limit of bytes. A [`Handle`](crate::Handle) can't wait: it rejects.
    Wait,
}

/// Which limit of the outbox was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutboxLimit {
    /// [`OutboxLimits::messages`].
    Messages,
    /// [`OutboxLimits::bytes`].
    Bytes,
}

/// A message and what it counts; 0 until it is counted.
#[derive(Debug)]
struct Entry<M> {
    message: M,
    bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Outbox<M> {
    limits: OutboxLimits,
    queue: VecDeque<Entry<M>>,
    bytes: usize,
    /// How many at the back came from handles, which can't ask the connector for a size, and are still to be counted.
    uncounted: usize,
    /// Dropped and still to be reported. Bounded too: the oldest go first, and the count remembers them.
    /// In a box: most never drop any.
    #[allow(clippy::box_collection)]
    dropped: Option<Box<VecDeque<(M, OutboxLimit)>>>,
    dropped_ever: u64,
}

impl<M> Outbox<M> {
    pub(crate) const fn new(limits: OutboxLimits) -> Self {
        Self { limits, queue: VecDeque::new(), bytes: 0, uncounted: 0, dropped: None, dropped_ever: 0 }
    }

    /// From the sink: the size is known, and whatever came before has been counted.
    pub(crate) fn push(&mut self, message: M, bytes: usize) -> Result<(), SendError<M>> {
        match self.limits.overflow {
            Overflow::Reject => {
                if let Some(limit) = self.met(bytes) {
                    return Err(SendError::Full { message, limit });
                }
            }
            Overflow::DropOldest => {
                if self.limits.messages == 0 {
                    return Err(SendError::Full { message, limit: OutboxLimit::Messages });
                }
                if bytes > self.limits.bytes {
                    return Err(SendError::Full { message, limit: OutboxLimit::Bytes });
                }
                while let Some(limit) = self.met(bytes) {
                    self.drop_oldest(limit);
                }
            }
            // The sink said that it is ready.
            Overflow::Wait => {}
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.queue.push_back(Entry { message, bytes });
        Ok(())
    }

    /// From a handle: counted later.
    pub(crate) fn push_uncounted(&mut self, message: M) -> Result<(), SendError<M>> {
        match self.limits.overflow {
            Overflow::Reject | Overflow::Wait => {
                if let Some(limit) = self.met(0) {
                    return Err(SendError::Full { message, limit });
                }
            }
            Overflow::DropOldest => {
                if self.limits.messages == 0 {
                    return Err(SendError::Full { message, limit: OutboxLimit::Messages });
                }
                if self.queue.len() >= self.limits.messages {
                    self.drop_oldest(OutboxLimit::Messages);
                }
            }
        }
        self.queue.push_back(Entry { message, bytes: 0 });
        self.uncounted = self.uncounted.saturating_add(1);
        Ok(())
    }

    /// Counts what handles have sent.
    pub(crate) fn count(&mut self, size: impl Fn(&M) -> usize) {
        let mut next = self.queue.len().saturating_sub(self.uncounted);
        self.uncounted = 0;
        while let Some(entry) = self.queue.get_mut(next) {
            entry.bytes = size(&entry.message);
            if self.limits.overflow == Overflow::DropOldest && entry.bytes > self.limits.bytes {
                // It would drive out all others and find no place itself.
                if let Some(entry) = self.queue.remove(next) {
                    self.report_dropped(entry.message, OutboxLimit::Bytes);
                }
                continue;
            }
            self.bytes = self.bytes.saturating_add(entry.bytes);
            next = next.saturating_add(1);
        }
        match self.limits.overflow {
            // They were accepted; only new ones can be refused.
            Overflow::Reject | Overflow::Wait => {}
            Overflow::DropOldest => {
                while self.bytes > self.limits.bytes && !self.queue.is_empty() {
                    self.drop_oldest(OutboxLimit::Bytes);
                }
            }
        }
    }

    /// Whether one more may come, as far as can be known before it does.
    pub(crate) fn has_room(&self) -> bool {
        self.met(0).is_none()
    }

    pub(crate) fn pop(&mut self) -> Option<M> {
        let entry = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        self.uncounted = self.uncounted.min(self.queue.len());
        Some(entry.message)
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = M> + use<'_, M> {
        self.bytes = 0;
        self.uncounted = 0;
        self.queue.drain(..).map(|entry| entry.message)
    }

    pub(crate) fn next_dropped(&mut self) -> Option<(M, OutboxLimit)> {
        self.dropped.as_mut()?.pop_front()
    }

    pub(crate) const fn limits(&self) -> &OutboxLimits {
        &self.limits
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn messages(&self) -> usize {
        self.queue.len()
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) const fn dropped_ever(&self) -> u64 {
        self.dropped_ever
    }

    /// The limit that `bytes` more would pass. Without a size, a limit that leaves no place at all.
    fn met(&self, bytes: usize) -> Option<OutboxLimit> {
        if self.queue.len() >= self.limits.messages {
            Some(OutboxLimit::Messages)
        } else if self.bytes.saturating_add(bytes.max(1)) > self.limits.bytes {
            Some(OutboxLimit::Bytes)
        } else {
            None
        }
    }

    fn drop_oldest(&mut self, limit: OutboxLimit) {
        if let Some(message) = self.pop() {
            self.report_dropped(message, limit);
        }
    }

    fn report_dropped(&mut self, message: M, limit: OutboxLimit) {
        // A driver that isn't polled reports nothing, and handles may go on dropping for hours.
        const MOST_UNREPORTED: usize = 1024;
        self.dropped_ever = self.dropped_ever.saturating_add(1);
        let dropped = self.dropped.get_or_insert_default();
        if dropped.len() >= MOST_UNREPORTED {
            dropped.pop_front();
        }
        dropped.push_back((message, limit));
    }
}
