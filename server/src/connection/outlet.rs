//! What goes from the session's outbox to the client, and what the client has of it.

use std::task::{Context, Poll};
use std::time::Duration;

use redial::{Micros, Timestamp};
use redial_session::Server;

use super::inbox::Work;
use super::valve::Valve;
use crate::access::Access;
use crate::store::{Lease, Outgoing, StoreError, StoreSettings};

/// So many messages are read at once, at most.
const MOST_AT_ONCE: usize = 256;
/// The store hears of acknowledgements when there are so many, or a part of what the outbox holds,
const ACKS_AT_ONCE: usize = 64;
/// this one,
const PART: usize = 8;
/// or so long after the first.
const ACK_DELAY: Duration = Duration::from_millis(100);

pub(crate) struct Outlet {
    lease: Lease,
    /// There may be something unread in the outbox.
    pub(crate) news: bool,
    read: Option<Work<Vec<Outgoing>>>,
    asked_bytes: usize,
    forget: Option<Work<()>>,
    /// How far the store has been told that the client has got.
    told: u64,
    tell_at: Option<Timestamp>,
    /// It is told at once where it would free so many messages,
    most_untold: u64,
    /// or if so many bytes were read since it was told.
    most_untold_bytes: usize,
    bytes_since: usize,
    pub(crate) valve: Valve,
}

impl Outlet {
    pub(crate) fn new(lease: Lease, acknowledged: u64, settings: &StoreSettings) -> Self {
        let most_untold = (settings.outbox_messages / PART).clamp(1, ACKS_AT_ONCE);
        Self {
            lease,
            news: true,
            read: None,
            asked_bytes: 0,
            forget: None,
            told: acknowledged,
            tell_at: None,
            most_untold: most_untold as u64,
            most_untold_bytes: settings.outbox_bytes / PART,
            bytes_since: 0,
            valve: Valve::new(settings, acknowledged),
        }
    }

    /// Reads from the outbox, if there is news and room. Says how many messages came.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        access: &Access,
        server: &mut Server,
        window: usize,
    ) -> Poll<Result<usize, StoreError>> {
        if self.read.is_none() {
            // Half a window at least, rather than message by message.
            if !self.news || server.queued_bytes() > window / 2 {
                return Poll::Pending;
            }
            self.news = false;
            self.asked_bytes = window - server.queued_bytes();
            let (access, lease) = (access.clone(), self.lease);
            let (after, most_bytes) = (server.next_number().saturating_sub(1), self.asked_bytes);
            self.read = Some(Box::pin(async move {
                access.patiently(|| access.store.read(lease, after, MOST_AT_ONCE, most_bytes)).await
            }));
        }
        let Some(read) = &mut self.read else { return Poll::Pending };
        let Poll::Ready(outcome) = read.as_mut().poll(cx) else { return Poll::Pending };
        self.read = None;
        let messages = outcome?;
        let bytes: usize = messages.iter().map(|message| message.payload.len()).sum();
        let count = messages.len();
        self.news |= count >= MOST_AT_ONCE || bytes >= self.asked_bytes;
        for message in messages {
            debug_assert_eq!(message.number, server.next_number());
            self.valve.on_read(message.payload.len());
            server.push(message.payload);
        }
        if !self.news {
            self.valve.on_read_to_the_end();
        }
        self.bytes_since += bytes;
        Poll::Ready(Ok(count))
    }

    /// Tells the store how far the client has got: not of each acknowledgement.
    pub(crate) fn poll_forget(
        &mut self,
        cx: &mut Context<'_>,
        now: Timestamp,
        access: &Access,
        acknowledged: u64,
    ) -> Poll<Result<(), StoreError>> {
        self.valve.on_acknowledged(acknowledged);
        if self.forget.is_none() {
            let news = acknowledged.saturating_sub(self.told);
            if news == 0 {
                return Poll::Pending;
            }
            let at = *self.tell_at.get_or_insert_with(|| now.saturating_add(Micros::from(ACK_DELAY)));
            if news < self.most_untold && self.bytes_since < self.most_untold_bytes && now < at {
                return Poll::Pending;
            }
            self.tell_at = None;
            self.bytes_since = 0;
            self.told = acknowledged;
            let (access, lease) = (access.clone(), self.lease);
            self.forget =
                Some(Box::pin(async move { access.patiently(|| access.store.acknowledge(lease, acknowledged)).await }));
        }
        let Some(forget) = &mut self.forget else { return Poll::Pending };
        let Poll::Ready(outcome) = forget.as_mut().poll(cx) else { return Poll::Pending };
        self.forget = None;
        Poll::Ready(outcome)
    }

    /// The client's own messages have put so many into its outbox.
    pub(crate) fn on_answers(&mut self, messages: usize, bytes: usize) {
        self.valve.on_commit(messages, bytes);
        self.news = true;
    }

    pub(crate) const fn deadline(&self) -> Option<Timestamp> {
        self.tell_at
    }
}
