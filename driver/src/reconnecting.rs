//! The connection that comes back: what it holds, and its public face.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Waker};

use redial::{Cause, ConnectionId, Hint, HoldReason, Input, Micros, Phase, PingId, ReconnectMachine, Stats, Timestamp};

use crate::budget::Part;
use crate::clock::Clock;
use crate::closing::Closing;
use crate::connect::{Connect, Kind};
use crate::error::SendError;
use crate::event::Event;
use crate::handle::Handle;
use crate::outbox::OutboxLimit;
use crate::recorder::Record;
use crate::shared::Shared;
use crate::signal::Signal;
use crate::spans::ConnectionSpan;
use crate::status::Status;
use crate::timer::Timer;
use crate::urgent::Urgent;
use crate::watch::Watch;

/// How many messages are read and written without a look at the clock, and in one poll: the budget that tokio gives a
/// task, too.
pub const IO_PER_POLL: u32 = 128;

/// A connection that comes back: a stream of [`Event`]s and a sink of messages.
///
/// # Reading
/// The stream yields messages and notices in order. It ends when the phase is closed or failed and nothing is left to
/// deliver or to close. It is not fused: after [`start`](Self::start) or [`reconnect`](Self::reconnect), also of a handle,
/// it goes on; [`revived`](Self::revived) waits for that. `next()` is cancel-safe. It must be polled: all timers and
/// handles are served in it.
///
/// # Writing
/// While the connection is open, messages go straight to it: `feed` writes into its buffer, `flush` flushes, and what was
/// fed without a flush is flushed once the stream finds nothing more to read. Otherwise they wait in the
/// [outbox](crate::OutboxLimits), for which `flush` does not wait, and are written in order, before newer ones, once the
/// connection is open: with a `readyTimeout` in the policy that is once it is ready, so that nothing is replayed before
/// the session is set up. A sink that is not ready runs timers too and reads ahead up to [`IO_PER_POLL`] messages: a peer
/// that went silent is noticed even by a task that only sends.
///
/// A message that the connection's buffer has taken is gone when that connection dies, unless a session layer resends it.
/// Messages in the outbox stay there, whatever the phase; [`take_unsent`](Self::take_unsent) hands them back. Dropping the
/// `Reconnecting` drops them, and the connection without a close handshake: [`close`](Self::close) it first.
///
/// # Commands
/// `start`, `stop` and the rest take effect at the next poll, in order.
pub struct Reconnecting<K: Clock, C: Connect, R = ()> {
    // What every message touches stands together.
    /// The connection is open and nothing else is to be written: messages go straight to it.
    pub(crate) direct_out: bool,
    /// The same, and nothing else is to be read: messages come straight from it.
    pub(crate) direct_in: bool,
    /// The connection has said that it takes a message.
    pub(crate) link_ready: bool,
    /// Something came and the machine has not been told.
    pub(crate) heard: bool,
    /// Something was written and not flushed.
    pub(crate) dirty: bool,
    /// How much more I/O until the next look at the clock.
    pub(crate) budget: u32,
    pub(crate) signal: Arc<Signal>,
    pub(crate) link: Option<Link<C::Connection>>,
    pub(crate) connector: C,

    pub(crate) machine: ReconnectMachine,
    pub(crate) events: VecDeque<Event<C::Message>>,
    pub(crate) shared: Arc<Shared<C::Message>>,
    /// Calls the signal.
    pub(crate) waker: Waker,
    /// The last poll of the stream was ended for the sake of others.
    pub(crate) rested: bool,
    /// Something of the driver's own is to be polled for the first time.
    pub(crate) poke: bool,
    /// The outbox may hold something.
    pub(crate) backlog: bool,
    /// Since the other half was woken last, something happened that it may wait for.
    pub(crate) changed: bool,
    /// What was written is the driver's own: nobody else will flush it.
    pub(crate) flush_due: bool,
    /// The timer may have called its waker.
    pub(crate) alarm: bool,
    /// It was started or stopped once.
    pub(crate) begun: bool,
    /// The sink is being closed.
    pub(crate) stopping: bool,
    /// Is to be sent.
    pub(crate) ping: Option<PingId>,
    /// Meant for the present connection, ready or not.
    pub(crate) urgent: Urgent<C::Message>,
    pub(crate) dialling: Dialling<C::Connecting>,
    /// In a box: an idle connection needs no room for it.
    pub(crate) closing: Option<Box<Closing<C::Connection>>>,
    pub(crate) close_timeout: Micros,
    pub(crate) timer: Timer<K::Sleep>,
    pub(crate) clock: K,
    pub(crate) latest: Timestamp,
    /// When a writer that never waits last looked at anything else.
    pub(crate) looked: Timestamp,
    pub(crate) recorder: R,
    pub(crate) span: ConnectionSpan,
    /// In a box: most connections have none.
    pub(crate) budget_part: Option<Box<Part<K>>>,
}

/// The present connection.
pub(crate) struct Link<S> {
    pub(crate) connection: ConnectionId,
    pub(crate) io: S,
}

/// The dial under way.
pub(crate) struct Dialling<F> {
    pub(crate) connection: ConnectionId,
    pub(crate) future: Option<Pin<Box<F>>>,
}

impl<F> Dialling<F> {
    pub(crate) fn none() -> Self {
        Self { connection: ConnectionId(0), future: None }
    }
}

/// Nothing is pinned inside: what must be is boxed.
impl<K: Clock, C: Connect, R> Unpin for Reconnecting<K, C, R> {}

impl<K: Clock, C: Connect, R: Record> Reconnecting<K, C, R> {
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

    /// The application's handshake is done on the connection whose events were read last. Only needed where the policy
    /// has a `readyTimeout`.
    ///
    /// Call it on receiving the message that says so, before polling again.
    pub fn ready(&self) {
        if let Some(link) = &self.link {
            self.shared.command(Input::Ready { connection: link.connection });
        }
    }

    /// Writes a message to the present connection, ahead of the outbox and ready or not: how a session is set up while the
    /// phase is handshaking. It is written and flushed as soon as the connection takes it; if that connection ends before,
    /// the message comes back as [`Event::Dropped`].
    ///
    /// # Errors
    /// With the message, if no connection is open, or if as many as the outbox may hold wait already.
    pub fn transmit(&mut self, message: C::Message) -> Result<(), SendError<C::Message>> {
        if self.link.is_none() {
            return Err(SendError::NotConnected { message });
        }
        if self.urgent.len() >= self.shared.lock().outbox.limits().messages.max(1) {
            return Err(SendError::Full { message, limit: OutboxLimit::Messages });
        }
        self.urgent.push_back(message);
        self.write(true);
        self.refresh();
        if self.poke || self.changed {
            self.signal.raise();
        }
        Ok(())
    }

    /// Ends the present connection for this cause, with a close handshake in the background: the application can't use it, for
    /// example because what the peer says makes no sense. What follows is the policy's verdict on the cause. Nothing if none
    /// is open.
    pub fn reject(&mut self, cause: Cause) {
        self.on_control(Kind::Close(cause));
        self.refresh();
        self.signal.raise();
    }

    /// Stops, and waits until the connection is closed: at most `close_timeout`. Then everything has ended.
    ///
    /// What is still to be read stays: the stream yields it, then `None`. Cancel-safe; stopping goes on.
    pub async fn close(&mut self) {
        poll_fn(|cx| self.poll_shut(cx)).await;
    }

    /// Waits until somebody has started it (again), for example through a handle: until the phase is not idle, closed or
    /// failed. Cancel-safe.
    pub async fn revived(&mut self) {
        poll_fn(|cx| self.poll_revived(cx)).await;
    }

    /// Takes back what waits to be sent, in order.
    #[must_use]
    pub fn take_unsent(&mut self) -> Vec<C::Message> {
        let mut board = self.shared.lock();
        let unsent = self.urgent.take().into_iter().chain(board.outbox.drain()).collect();
        drop(board);
        self.backlog = false;
        self.refresh();
        self.signal.writer.wake();
        unsent
    }

    /// A handle for other tasks and threads.
    #[must_use]
    pub fn handle(&self) -> Handle<C::Message> {
        Handle::new(Arc::clone(&self.shared))
    }

    /// Follows the status from here on.
    #[must_use]
    pub fn watch(&self) -> Watch<C::Message> {
        Watch::new(Arc::clone(&self.shared))
    }

    /// Where the connection stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.lock().status()
    }

    /// The accounts up to now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.machine.stats(self.latest.max(self.clock.now()))
    }

    /// The machine.
    #[must_use]
    pub const fn machine(&self) -> &ReconnectMachine {
        &self.machine
    }

    /// The connector, for example to give it another URL for the next dial.
    pub const fn connector_mut(&mut self) -> &mut C {
        &mut self.connector
    }

    /// The recorder.
    pub const fn recorder_mut(&mut self) -> &mut R {
        &mut self.recorder
    }

    pub(crate) fn is_open(&self) -> bool {
        self.link.is_some() && self.machine.phase() == Phase::Open
    }

    /// Whether the stream has come to its end.
    pub(crate) fn is_over(&self) -> bool {
        self.begun
            && self.machine.phase().is_terminal()
            && self.closing.is_none()
            && self.events.is_empty()
            && !self.signal.is_raised()
    }

    /// Whether nothing will be sent any more, unless somebody starts anew.
    #[cfg(feature = "session")]
    pub(crate) fn is_finished(&self) -> bool {
        self.shared.lock().is_finished()
    }

    /// Whether no change of the phase waits to be read.
    #[cfg(feature = "session")]
    pub(crate) fn phase_is_read(&self) -> bool {
        !self.events.iter().any(|event| matches!(event, Event::Notice(redial::Notice::Phase { .. })))
    }

    /// Decides anew whether messages may pass straight through.
    pub(crate) fn refresh(&mut self) {
        self.direct_out =
            self.is_open() && self.urgent.is_empty() && self.ping.is_none() && !self.backlog && !self.poke;
        self.direct_in = self.direct_out && self.events.is_empty();
        self.link_ready &= self.direct_out;
    }

    fn poll_revived(&mut self, cx: &mut std::task::Context<'_>) -> Poll<()> {
        std::task::ready!(self.poll_aside(cx, crate::turn::Caller::Ready { blocked: true }));
        if !self.machine.phase().is_terminal() {
            return Poll::Ready(());
        }
        self.pend(cx)
    }
}

impl<K: Clock, C: Connect, R> Drop for Reconnecting<K, C, R> {
    fn drop(&mut self) {
        self.shared.leave();
    }
}

impl<K: Clock, C: Connect, R> fmt::Debug for Reconnecting<K, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnecting").field("machine", &self.machine).finish_non_exhaustive()
    }
}
