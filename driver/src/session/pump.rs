//! Between the client's half and the connection.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_sink::Sink;
use redial::{Cause, Hint, Notice, Phase};
use redial_session::{Client, ClientEvent, EndReason, FromServer, Payload, ProtocolError, Transmit, close_code};

use super::Session;
use super::event::SessionEvent;
use super::transport::SessionTransport;
use crate::clock::Clock;
use crate::event::Event;
use crate::reconnecting::Reconnecting;
use crate::recorder::Record;

/// What a turn has brought.
pub(super) enum Turn {
    /// The connection has ended, and there is nothing more to do.
    Over,
    /// There may be more to do.
    More,
    /// A message for whoever wanted one: nothing is to be read before it.
    Message(Payload),
}

impl<K: Clock, C: SessionTransport, R: Record> Session<K, C, R> {
    /// Does whatever can be done without waiting, up to the connection's next event. `wanted`: whoever asks takes a message.
    #[inline]
    pub(super) fn poll_turn(&mut self, cx: &mut Context<'_>, wanted: bool) -> Poll<Turn> {
        if !self.is_at_ease() && self.pump(cx) {
            self.wake_writer();
        }
        match Pin::new(&mut self.connection).poll_next(cx) {
            Poll::Ready(Some(Event::Message(message))) => Poll::Ready(self.on_message(message, wanted)),
            Poll::Ready(Some(event)) => {
                self.at_ease = false;
                self.on_event(event, cx);
                Poll::Ready(Turn::More)
            }
            Poll::Ready(None) => {
                self.at_ease = false;
                Poll::Ready(if self.collect() { Turn::More } else { Turn::Over })
            }
            Poll::Pending => self.poll_rest(cx),
        }
    }

    /// There is nothing to read.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        // A handle may have sent something since, and the connection has taken its signal.
        if self.pump(cx) {
            self.wake_writer();
            return Poll::Ready(Turn::More);
        }
        let busy = self.look_at_clock(cx);
        if self.collect() || busy { Poll::Ready(Turn::More) } else { Poll::Pending }
    }

    /// Writes what the session wants written, as far as the connection takes it. Says whether that was anything.
    pub(super) fn pump(&mut self, cx: &mut Context<'_>) -> bool {
        let mut client = self.shared.lock();
        let wrote = pump(&mut self.connection, &mut client, cx);
        self.at_ease = client.has_room() && !client.wants_to_transmit(self.connection.latest);
        wrote
    }

    /// There is nothing to read. True if something was written, which is to be flushed.
    fn look_at_clock(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.shared.lock().deadline() else {
            return false;
        };
        let now = self.connection.now();
        if deadline <= now {
            self.shared.lock().timeout(now);
            let due = self.shared.lock().wants_to_transmit(now);
            self.pump(cx);
            if due && !self.shared.lock().wants_to_transmit(now) {
                return true;
            }
        }
        // One that has passed waits for the connection to take what is due.
        let Some(deadline) = self.shared.lock().deadline().filter(|deadline| *deadline > now) else {
            return false;
        };
        // An alarm that stands for an earlier time may ring for nothing: that costs less than setting it anew for each message.
        let at = self.timer.armed().filter(|armed| *armed <= deadline).unwrap_or(deadline);
        self.timer.rings(&self.connection.clock, Some(at), true, cx)
    }

    fn on_event(&mut self, event: Event<C::Message>, cx: &mut Context<'_>) {
        match event {
            Event::Notice(notice) => {
                if let Notice::Phase { from, to } = notice {
                    self.on_phase(from, to);
                }
                self.collect();
                self.events.push_back(SessionEvent::Notice(notice));
                self.pump(cx);
            }
            // A frame that did not go out: the session knows what to send again.
            Event::Message(_) | Event::Dropped { .. } => {}
        }
    }

    fn on_phase(&mut self, from: Phase, to: Phase) {
        if to == Phase::Handshaking {
            // If the phase has changed again since, that connection is gone.
            if self.connection.phase_is_read() {
                self.greet();
            }
        } else if from == Phase::Open || (from == Phase::Handshaking && to != Phase::Open) {
            self.shared.lock().disconnected();
            // Frames of the old connection make no sense on the next one.
            let _ = self.connection.take_unsent();
        }
    }

    fn greet(&mut self) {
        let Some(link) = &self.connection.link else {
            return;
        };
        if !self.connection.connector.has_session(&link.io) {
            self.shared.lock().plain();
            self.connection.ready();
            return;
        }
        let first = {
            let mut client = self.shared.lock();
            client.connected();
            client.transmit(self.connection.latest)
        };
        if let Some(Transmit::Frame(frame)) = first {
            let message = self.connection.connector.frame(frame);
            // If it can't be sent, the connection is gone, and its end will be read soon.
            let _ = self.connection.transmit(message);
        }
    }

    #[inline]
    fn on_message(&mut self, message: C::Message, wanted: bool) -> Turn {
        self.at_ease = false;
        let mut client = self.shared.lock();
        if client.is_plain() {
            drop(client);
            if let Some(payload) = self.connection.connector.unplain(message) {
                self.events.push_back(SessionEvent::Message(payload));
            }
            return Turn::More;
        }
        let Some(frame) = self.connection.connector.unframe(message) else {
            drop(client);
            self.connection.reject(Cause::Protocol);
            return Turn::More;
        };
        let received = client.receive(self.connection.latest, frame);
        while let Some(event) = client.event() {
            tell(&mut self.events, event);
        }
        match received {
            Ok(FromServer::Message(payload)) if wanted && self.events.is_empty() => {
                take_on(&mut self.connection, &mut client);
                self.at_ease = client.has_room() && !client.wants_to_transmit(self.connection.latest);
                Turn::Message(payload)
            }
            received => {
                drop(client);
                self.on_received(received);
                Turn::More
            }
        }
    }

    fn on_received(&mut self, received: Result<FromServer, ProtocolError>) {
        match received {
            Ok(FromServer::Message(payload)) => self.events.push_back(SessionEvent::Message(payload)),
            Ok(FromServer::Stray) => self.connection.reject(Cause::NETWORK),
            Ok(FromServer::Nothing | FromServer::Pong(_)) => {}
            Ok(FromServer::Welcome) => self.connection.ready(),
            Ok(FromServer::GoingAway(advice)) => {
                self.connection.hint(Hint { min_delay: advice.min_delay, spread: advice.spread, stop: advice.stop });
                if let Some(url) = advice.redirect {
                    self.connection.connector.redirect(&url);
                }
            }
            Ok(FromServer::End(reason)) => self.connection.reject(match reason {
                EndReason::Done => Cause::close(1000),
                EndReason::Superseded => Cause::Superseded,
                EndReason::Overflow => Cause::close(1013),
                EndReason::Gone => Cause::close(close_code::ENDED),
            }),
            Err(_) => self.connection.reject(Cause::Protocol),
        }
    }

    /// The next event for the reader. A message is the reader's from here on, and may be acknowledged.
    pub(super) fn hand_on(&mut self) -> Option<SessionEvent> {
        let event = self.events.pop_front()?;
        if matches!(event, SessionEvent::Message(_)) {
            take_on(&mut self.connection, &mut self.shared.lock());
            self.at_ease = false;
        }
        Some(event)
    }

    /// What the client has to say. True if that was anything.
    fn collect(&mut self) -> bool {
        let before = self.events.len();
        let mut client = self.shared.lock();
        while let Some(event) = client.event() {
            tell(&mut self.events, event);
        }
        self.events.len() > before
    }
}

/// A receipt says what the one before it said: somebody who only writes is not to be stopped by receipts that nobody reads.
fn tell(events: &mut VecDeque<SessionEvent>, event: ClientEvent) {
    match (events.back_mut(), &event) {
        (Some(SessionEvent::Session(ClientEvent::Delivered { up_to: last })), ClientEvent::Delivered { up_to }) => {
            *last = *up_to;
        }
        _ => events.push_back(SessionEvent::Session(event)),
    }
}

/// A message is the reader's from here on.
fn take_on<K: Clock, C: SessionTransport, R: Record>(connection: &mut Reconnecting<K, C, R>, client: &mut Client) {
    // The time counts for the first message of several that an acknowledgement will be for.
    let now = if client.deadline().is_none() { connection.now() } else { connection.latest };
    client.taken(now);
}

/// Writes what the client wants written, as far as the connection takes it. Says whether that was anything.
pub(super) fn pump<K: Clock, C: SessionTransport, R: Record>(
    connection: &mut Reconnecting<K, C, R>,
    client: &mut Client,
    cx: &mut Context<'_>,
) -> bool {
    let mut wrote = false;
    let now = connection.latest;
    while connection.is_open() && client.wants_to_transmit(now) {
        if Pin::new(&mut *connection).poll_ready(cx).is_pending() || !connection.is_open() {
            break;
        }
        let Some(transmit) = client.transmit(now) else {
            break;
        };
        let message = match transmit {
            Transmit::Frame(frame) => connection.connector.frame(frame),
            Transmit::Plain(payload) => connection.connector.plain(payload),
        };
        // What the connection breaks on is sent again on the next one; where it is a plain one, it is gone with it.
        let _ = Pin::new(&mut *connection).start_send(message);
        wrote = true;
    }
    wrote
}
