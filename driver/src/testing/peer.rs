//! A connection of the scripted transport, and its far end.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use futures_sink::Sink;
use redial::{Micros, Timestamp};

use super::{Message, TestClock, TestError};

/// The far end of a connection.
#[derive(Clone)]
pub struct Peer {
    pub(super) pipe: Arc<Mutex<Pipe>>,
    pub(super) clock: TestClock,
}

#[derive(Default)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Pipe {
    to_client: VecDeque<Result<Message, TestError>>,
    ended: bool,
    endless: Option<Message>,
    /// Written into the connection's buffer.
    buffered: Vec<Message>,
    /// Flushed, so that the peer has it.
    arrived: Vec<Message>,
    flushes: usize,
    pub(super) echo: bool,
    pub(super) answers: bool,
    latency: Micros,
    blocked: bool,
    room: Option<usize>,
    broken: bool,
    closed: Option<Timestamp>,
    pub(super) aborted: Option<Timestamp>,
    gone: Option<Timestamp>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Peer {
    /// Sends the client a message.
    pub fn send(&self, message: Message) {
        self.to_read(|pipe| pipe.to_client.push_back(Ok(message)));
    }

    /// The connection ends without a close frame, after what was sent.
    pub fn end(&self) {
        self.to_read(|pipe| pipe.ended = true);
    }

    /// The connection fails, after what was sent; writing fails at once.
    pub fn fail(&self) {
        self.to_read(|pipe| pipe.to_client.push_back(Err(TestError)));
        self.fail_writes();
    }

    /// Writing fails from now on. Reading does not.
    pub fn fail_writes(&self) {
        self.to_write(|pipe| pipe.broken = true);
    }

    /// There is always one more of this message to read.
    pub fn endless(&self, message: Option<Message>) {
        self.to_read(|pipe| pipe.endless = message);
    }

    /// Answers neither pings nor closes any more.
    pub fn go_silent(&self) {
        self.to_write(|pipe| pipe.answers = false);
    }

    /// Pongs take this long from now on.
    pub fn set_latency(&self, latency: Micros) {
        self.to_write(|pipe| pipe.latency = latency);
    }

    /// Whether the connection takes and flushes nothing more.
    pub fn block(&self, blocked: bool) {
        self.to_write(|pipe| pipe.blocked = blocked);
    }

    /// The connection's buffer takes so many messages more.
    pub fn set_room(&self, room: usize) {
        self.to_write(|pipe| pipe.room = Some(room));
    }

    /// The user's messages that have arrived: written and flushed.
    #[must_use]
    pub fn arrived(&self) -> Vec<Message> {
        let user = |message: &&Message| matches!(message, Message::Data(_) | Message::Blob(_));
        self.lock().arrived.iter().filter(user).cloned().collect()
    }

    /// The pings that have arrived.
    #[must_use]
    pub fn pings(&self) -> usize {
        self.lock().arrived.iter().filter(|message| matches!(message, Message::Ping(_))).count()
    }

    /// What is written and not flushed.
    #[must_use]
    pub fn buffered(&self) -> Vec<Message> {
        self.lock().buffered.clone()
    }

    /// How often something was flushed.
    #[must_use]
    pub fn flushes(&self) -> usize {
        self.lock().flushes
    }

    /// What the client has still to read.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.lock().to_client.len()
    }

    /// When the client began the close handshake.
    #[must_use]
    pub fn closed(&self) -> Option<Timestamp> {
        self.lock().closed
    }

    /// When the client aborted the connection.
    #[must_use]
    pub fn aborted(&self) -> Option<Timestamp> {
        self.lock().aborted
    }

    /// When the client dropped the connection.
    #[must_use]
    pub fn gone(&self) -> Option<Timestamp> {
        self.lock().gone
    }

    pub(super) fn is_in_use(&self) -> bool {
        let pipe = self.lock();
        pipe.gone.is_none() && pipe.closed.is_none() && !pipe.ended
    }

    /// Changes what can be read.
    fn to_read(&self, change: impl FnOnce(&mut Pipe)) {
        let mut pipe = self.lock();
        change(&mut pipe);
        let reader = pipe.reader.take();
        drop(pipe);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Changes what can be written.
    fn to_write(&self, change: impl FnOnce(&mut Pipe)) {
        let mut pipe = self.lock();
        change(&mut pipe);
        let writer = pipe.writer.take();
        drop(pipe);
        writer.into_iter().for_each(Waker::wake);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Pipe> {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer_later(&self, message: Message, after: Micros) {
        if after == Micros::ZERO {
            self.send(message);
        } else {
            let peer = self.clone();
            self.clock.at(self.clock.peek().saturating_add(after), move || peer.send(message));
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("gone", &self.gone()).finish_non_exhaustive()
    }
}

/// The near end of a connection.
#[derive(Debug)]
pub struct TestConnection {
    pub(super) peer: Peer,
}

impl Stream for TestConnection {
    type Item = Result<Message, TestError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut pipe = self.peer.lock();
        if let Some(item) = pipe.to_client.pop_front() {
            return Poll::Ready(Some(item));
        }
        if let Some(message) = &pipe.endless {
            return Poll::Ready(Some(Ok(message.clone())));
        }
        if pipe.ended {
            return Poll::Ready(None);
        }
        pipe.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Sink<Message> for TestConnection {
    type Error = TestError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TestError>> {
        let mut pipe = self.peer.lock();
        if pipe.broken {
            return Poll::Ready(Err(TestError));
        }
        if pipe.blocked || pipe.room == Some(0) {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), TestError> {
        let mut pipe = self.peer.lock();
        if pipe.broken {
            return Err(TestError);
        }
        if let Some(room) = &mut pipe.room {
            *room = room.saturating_sub(1);
        }
        pipe.buffered.push(message);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TestError>> {
        let mut pipe = self.peer.lock();
        if pipe.broken {
            return Poll::Ready(Err(TestError));
        }
        if pipe.buffered.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if pipe.blocked {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.flushes += 1;
        let flushed = std::mem::take(&mut pipe.buffered);
        let (echo, answers, latency) = (pipe.echo, pipe.answers, pipe.latency);
        pipe.arrived.extend(flushed.iter().cloned());
        drop(pipe);
        for message in flushed {
            match message {
                Message::Ping(id) if answers => self.peer.answer_later(Message::Pong(id), latency),
                Message::Data(_) | Message::Blob(_) if echo => self.peer.send(message),
                Message::Data(_)
                | Message::Blob(_)
                | Message::Ping(_)
                | Message::Pong(_)
                | Message::Noise
                | Message::Close(_) => {}
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TestError>> {
        let now = self.peer.clock.peek();
        let mut pipe = self.peer.lock();
        if pipe.blocked {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.closed.get_or_insert(now);
        let answers = pipe.answers;
        drop(pipe);
        if answers {
            self.peer.end();
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for TestConnection {
    fn drop(&mut self) {
        let now = self.peer.clock.peek();
        self.peer.lock().gone.get_or_insert(now);
    }
}
