//! A conversation that outlives its connections.

mod config;
mod event;
mod handle;
mod pump;
mod shared;
mod transport;

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use futures_core::Stream;
use futures_sink::Sink;
use redial::{Micros, Policy};
use redial_session::{Client, MessageId, Payload, SavedSession, Transmit, Unacknowledged};

use crate::builder::Builder;
use crate::clock::Clock;
use crate::error::SendError;
use crate::outbox::Overflow;
use crate::reconnecting::Reconnecting;
use crate::recorder::Record;
use crate::timer::Timer;
use pump::{Turn, pump};
use shared::{Halves, Shared, sent};

pub use config::SessionConfig;
pub use event::{Protocol, SessionEvent, SessionStatus};
pub use handle::SessionHandle;
pub use transport::SessionTransport;

/// A conversation that outlives its connections: a stream of [`SessionEvent`]s and a sink of [`Payload`]s over a
/// [`Reconnecting`].
///
/// Where the server speaks `redial.v1`, every message comes out at the other end once and in order, whatever connections do;
/// when a session is over before that, [`ClientEvent::Lost`](redial_session::ClientEvent::Lost) hands back the messages that are in
/// doubt. Where the server does not, messages are sent as they are, and
/// [`ClientEvent::Plain`](redial_session::ClientEvent::Plain) says so.
///
/// # Writing
/// A message is kept in the outbox, whose limits are the connection builder's, until the server has it; what was not sent when
/// a session is lost goes into the next one. While a connection is open a sink that finds the outbox full waits for
/// acknowledgements, which the stream reads: whoever only sends must read, too. While none is, [`Overflow`] says what
/// happens. `flush` waits until everything was written to the connection, not until it was acknowledged: that is
/// [`ClientEvent::Delivered`](redial_session::ClientEvent::Delivered).
///
/// # Ends
/// `connection().stop()` ends the connection; the session stays for as long as the server keeps it, for a later start.
/// [`end`](Self::end) ends both.
pub struct Session<K: Clock, C: SessionTransport, R = ()> {
    connection: Reconnecting<K, C, R>,
    shared: Arc<Shared>,
    /// What is to be read, and had to be put aside.
    events: VecDeque<SessionEvent>,
    timer: Timer<K::Sleep>,
    halves: Arc<Halves>,
    /// Calls the halves.
    waker: Waker,
    overflow: Overflow,
    /// When the client was looked at last, it had room, and nothing that was to be written. Since then only handles may have
    /// changed that, which raise the connection's signal.
    at_ease: bool,
    /// The writer has asked to be woken, and was not since.
    writer_waits: bool,
}

/// How many events are put aside for a reader while a writer waits for acknowledgements. Not how many bytes: acknowledgements
/// come behind messages, and a task that sends before it reads would wait for ever behind a few long ones.
const READ_AHEAD: usize = 1024;

impl<K: Clock, C: SessionTransport, R: Record> Builder<K, C, R> {
    /// A session over the connection, which is to be read and written by it alone.
    ///
    /// A policy without a `readyTimeout` gets one of 10 s: the server's welcome must come within that.
    #[must_use]
    pub fn session(mut self, config: SessionConfig) -> Session<K, C, R> {
        const READY_TIMEOUT: Micros = Micros::from_secs(10);
        if self.policy.ready_timeout().is_none() {
            let greeted: Result<Policy, _> = self.policy.to_builder().ready_timeout(READY_TIMEOUT).build();
            // It was valid, and a ready timeout is valid too.
            self.policy = greeted.unwrap_or(self.policy);
        }
        let limits = self.outbox;
        let client_config = config.client(limits);
        let client = match config.saved {
            Some(saved) => Client::restore(client_config, saved),
            None => Client::new(client_config),
        };
        let halves: Arc<Halves> = Arc::default();
        Session {
            connection: self.build(),
            shared: Arc::new(Shared::new(client)),
            events: VecDeque::new(),
            timer: Timer::new(),
            waker: Waker::from(Arc::clone(&halves)),
            halves,
            overflow: limits.overflow,
            at_ease: false,
            writer_waits: false,
        }
    }
}

impl<K: Clock, C: SessionTransport, R: Record> Session<K, C, R> {
    /// Takes a message and names it, without waiting. It is sent as soon as that is possible.
    ///
    /// With `within`, a message that was not sent after so long is given up, and reported as
    /// [dropped](redial_session::ClientEvent::Dropped). One that was sent may have arrived, and stays.
    ///
    /// # Errors
    /// With the message, if the outbox is full or the connection was ended for good.
    pub fn post(
        &mut self,
        payload: impl Into<Payload>,
        within: Option<Micros>,
    ) -> Result<MessageId, SendError<Payload>> {
        let payload = payload.into();
        if self.connection.is_finished() {
            return Err(SendError::Finished { message: payload });
        }
        let now = if within.is_some() { self.connection.now() } else { self.connection.latest };
        let deadline = within.map(|span| now.saturating_add(span));
        let id = sent(self.shared.lock().send(now, payload, deadline))?;
        self.at_ease = false;
        let waker = self.waker.clone();
        self.pump(&mut Context::from_waker(&waker));
        // The timer, the flush, and what the outbox dropped are the stream's affair.
        self.halves.reader.wake();
        Ok(id)
    }

    /// The connection: its commands, its status, its accounts.
    #[must_use]
    pub const fn connection(&self) -> &Reconnecting<K, C, R> {
        &self.connection
    }

    /// The connector, for example to give it another URL for the next dial.
    pub const fn connector_mut(&mut self) -> &mut C {
        self.connection.connector_mut()
    }

    /// The recorder.
    pub const fn recorder_mut(&mut self) -> &mut R {
        self.connection.recorder_mut()
    }

    /// A handle for other tasks and threads.
    #[must_use]
    pub fn handle(&self) -> SessionHandle<C::Message> {
        SessionHandle::new(self.connection.handle(), Arc::clone(&self.shared))
    }

    /// Where the session stands. Where the connection does, `connection().status()` says.
    #[must_use]
    pub fn status(&self) -> SessionStatus {
        self.shared.status()
    }

    /// The session as it is now, to go on in another process; `None` if there is none.
    #[must_use]
    pub fn save(&self) -> Option<SavedSession> {
        self.shared.lock().save()
    }

    /// Takes back what nobody has acknowledged, oldest first. What was sent may have arrived; the session is over.
    #[must_use]
    pub fn take_pending(&mut self) -> Vec<Unacknowledged> {
        let taken = self.shared.lock().take_pending();
        self.at_ease = false;
        self.halves.writer.wake();
        self.halves.reader.wake();
        taken
    }

    /// Ends the session, and then the connection: the server forgets it. What was sent and not acknowledged is reported as
    /// lost. Waits until everything has ended, as [`close`](Self::close) does. Cancel-safe.
    pub async fn end(&mut self) {
        let last = {
            let mut client = self.shared.lock();
            let welcomed = client.is_open();
            client.end();
            // A connection that is not ready yet takes no messages, but this one.
            if welcomed && !self.connection.is_open() { client.transmit(self.connection.latest) } else { None }
        };
        if let Some(Transmit::Frame(frame)) = last {
            let message = self.connection.connector.frame(frame);
            // If it can't be sent, the connection is gone, and the server finds out by its clock.
            let _ = self.connection.transmit(message);
        }
        self.close().await;
    }

    /// Writes what can be written, acknowledges what has come, stops, and waits until the connection is closed. The session
    /// stays, for as long as the server keeps it. Cancel-safe; stopping goes on.
    pub async fn close(&mut self) {
        poll_fn(|cx| self.poll_shut(cx)).await;
    }

    /// A message asks twice for what it found a moment ago: this spares it two locks.
    fn is_at_ease(&self) -> bool {
        self.at_ease && self.connection.is_open() && !self.connection.signal.is_raised()
    }

    /// Whether a message is taken, or refused with a reason.
    fn takes(&self) -> bool {
        let waits = self.connection.is_open() || self.overflow == Overflow::Wait;
        !waits || self.shared.lock().has_room() || self.connection.is_finished()
    }

    /// Sends a message straight on, where nothing is in its way.
    #[inline]
    fn pass(&mut self, payload: Payload) -> Result<(), Payload> {
        if !self.is_at_ease() {
            return Err(payload);
        }
        let ready = Pin::new(&mut self.connection).poll_ready(&mut Context::from_waker(&self.waker));
        if ready.is_pending() || !self.connection.link_ready {
            return Err(payload);
        }
        let mut client = self.shared.lock();
        let (_, frame) = client.send_now(payload)?;
        self.at_ease = client.has_room();
        drop(client);
        let message = self.connection.connector.frame(frame);
        // What the connection breaks on is sent again on the next one.
        let _ = Pin::new(&mut self.connection).start_send(message);
        Ok(())
    }

    /// The writer is to be woken when something has changed for it.
    fn await_writer(&mut self, cx: &Context<'_>) {
        self.halves.writer.register(cx.waker());
        self.writer_waits = true;
    }

    fn wake_writer(&mut self) {
        if std::mem::take(&mut self.writer_waits) {
            self.halves.writer.wake();
        }
    }

    fn waits_to_transmit(&self) -> bool {
        self.connection.is_open() && self.shared.lock().wants_to_transmit(self.connection.latest)
    }

    fn poll_shut(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.await_writer(cx);
        let waker = self.waker.clone();
        let cx = &mut Context::from_waker(&waker);
        self.at_ease = false;
        self.shared.lock().acknowledge_now();
        self.pump(cx);
        self.connection.poll_shut(cx)
    }
}

impl<K: Clock, C: SessionTransport, R: Record> Stream for Session<K, C, R> {
    type Item = SessionEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SessionEvent>> {
        let this = self.get_mut();
        let unflushed = this.connection.dirty;
        while this.events.is_empty() {
            match this.poll_turn(cx, true) {
                Poll::Ready(Turn::More) => {}
                Poll::Ready(Turn::Over) => break,
                Poll::Ready(Turn::Message(payload)) => {
                    this.wake_writer();
                    return Poll::Ready(Some(SessionEvent::Message(payload)));
                }
                Poll::Pending => {
                    // The connection wakes this half alone from now on: what it does for the writer, the writer must hear.
                    if unflushed && !this.connection.dirty {
                        this.wake_writer();
                    }
                    this.halves.reader.register(cx.waker());
                    return Poll::Pending;
                }
            }
        }
        this.wake_writer();
        Poll::Ready(this.hand_on())
    }
}

/// `poll_ready` and `poll_flush` never fail, and `start_send` always gives a verdict on its own message: the sink can be used
/// after an error.
impl<K: Clock, C: SessionTransport, R: Record> Sink<Payload> for Session<K, C, R> {
    type Error = SendError<Payload>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let this = self.get_mut();
        if this.is_at_ease() || this.takes() {
            return Poll::Ready(Ok(()));
        }
        this.await_writer(cx);
        // What comes is the reader's affair, too.
        let waker = this.waker.clone();
        let cx = &mut Context::from_waker(&waker);
        loop {
            if this.takes() {
                return Poll::Ready(Ok(()));
            }
            // Only what the server says makes room.
            if this.events.len() >= READ_AHEAD {
                this.halves.reader.wake();
                return Poll::Pending;
            }
            let turn = ready!(this.poll_turn(cx, false));
            this.halves.reader.wake();
            if matches!(turn, Turn::Over) {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn start_send(self: Pin<&mut Self>, payload: Payload) -> Result<(), Self::Error> {
        let this = self.get_mut();
        let payload = match this.pass(payload) {
            Ok(()) => return Ok(()),
            Err(payload) => payload,
        };
        if !this.connection.is_open() && this.connection.is_finished() {
            return Err(SendError::Finished { message: payload });
        }
        let mut client = this.shared.lock();
        sent(client.send(this.connection.latest, payload, None))?;
        pump(&mut this.connection, &mut client, &mut Context::from_waker(&this.waker));
        this.at_ease = client.has_room() && !client.wants_to_transmit(this.connection.latest);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let this = self.get_mut();
        if this.is_at_ease() || !this.waits_to_transmit() {
            return Pin::new(&mut this.connection).poll_flush(cx).map(|_| Ok(()));
        }
        this.await_writer(cx);
        let waker = this.waker.clone();
        let cx = &mut Context::from_waker(&waker);
        this.pump(cx);
        let _ = ready!(Pin::new(&mut this.connection).poll_flush(cx));
        if this.waits_to_transmit() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    /// As [`close`](Session::close).
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.get_mut().poll_shut(cx).map(Ok)
    }
}

impl<K: Clock, C: SessionTransport, R: Record> fmt::Debug for Session<K, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("connection", &self.connection).field("session", &self.status()).finish()
    }
}
