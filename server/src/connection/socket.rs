//! A WebSocket, polled.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use redial::Timestamp;
use tokio::io::AsyncReadExt;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::finish::Finish;
use crate::refusal::Refusal;

pub(crate) type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// How long a client may take to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Messages up to this length; buffers that 10,000 connections can have.
pub(crate) fn config(most_message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(8 << 10)
        .write_buffer_size(16 << 10)
        .max_message_size(Some(most_message))
        .max_frame_size(Some(most_message))
}

#[derive(Debug)]
pub(crate) struct Socket {
    web: WebSocket,
    /// Something may have to be flushed.
    unflushed: bool,
    /// Since when the client has taken nothing.
    blocked_since: Option<Timestamp>,
}

/// What has come.
#[derive(Debug)]
pub(crate) enum Came {
    /// A frame.
    Frame(Bytes),
    /// A sign of life.
    Life,
}

impl Socket {
    pub(crate) const fn new(web: WebSocket) -> Self {
        Self { web, unflushed: true, blocked_since: None }
    }

    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Came, Finish>> {
        Poll::Ready(match ready!(self.web.poll_next_unpin(cx)) {
            Some(Ok(Message::Binary(frame))) => Ok(Came::Frame(frame)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                self.unflushed = true;
                Ok(Came::Life)
            }
            // All frames are binary.
            Some(Ok(Message::Text(_))) => Err(Finish::Refused(Refusal::Broken)),
            Some(Ok(Message::Close(_) | Message::Frame(_))) | None => Err(Finish::Left),
            Some(Err(Error::Capacity(_))) => Err(Finish::Refused(Refusal::MessageTooLong)),
            Some(Err(_)) => Err(Finish::Left),
        })
    }

    /// Writes what `next` gives for as long as the client takes it. `Pending` while something is left.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        now: Timestamp,
        mut next: impl FnMut() -> Option<Bytes>,
    ) -> Poll<Result<(), Finish>> {
        let written = self.poll_write_all(cx, &mut next);
        match written {
            Poll::Ready(_) => self.blocked_since = None,
            Poll::Pending => {
                self.blocked_since.get_or_insert(now);
            }
        }
        written
    }

    fn poll_write_all(
        &mut self,
        cx: &mut Context<'_>,
        next: &mut impl FnMut() -> Option<Bytes>,
    ) -> Poll<Result<(), Finish>> {
        // Each time the client has taken all, it has made progress.
        loop {
            if ready!(Pin::new(&mut self.web).poll_ready(cx)).is_err() {
                return Poll::Ready(Err(Finish::Left));
            }
            let Some(frame) = next() else { break };
            if self.web.start_send_unpin(Message::Binary(frame)).is_err() {
                return Poll::Ready(Err(Finish::Left));
            }
            self.blocked_since = None;
            self.unflushed = true;
        }
        if self.unflushed {
            if ready!(self.web.poll_flush_unpin(cx)).is_err() {
                return Poll::Ready(Err(Finish::Left));
            }
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Since when the client has taken nothing of what waits for it.
    pub(crate) const fn blocked_since(&self) -> Option<Timestamp> {
        self.blocked_since
    }

    /// Writes the last frames and the close frame. `false` if the client does not take them.
    pub(crate) async fn farewell(&mut self, last: Vec<Bytes>, code: u16, reason: &'static str) -> bool {
        let farewell = async {
            for frame in last {
                self.web.feed(Message::Binary(frame)).await?;
            }
            let frame = CloseFrame { code: code.into(), reason: reason.into() };
            self.web.send(Message::Close(Some(frame))).await
        };
        matches!(tokio::time::timeout(CLOSE_TIMEOUT, farewell).await, Ok(Ok(())))
    }

    /// Waits for the client's close frame: a socket that is dropped with something unread resets the connection, and the
    /// client might lose what was sent last.
    pub(crate) async fn until_closed(mut self) {
        let rest = async {
            loop {
                match self.web.next().await {
                    Some(Ok(_)) => {}
                    // It does not get past a message that is too long.
                    Some(Err(Error::Capacity(_))) => break,
                    Some(Err(_)) | None => return,
                }
            }
            let mut unread = self.web.into_inner();
            let mut buffer = [0; 4096];
            while matches!(unread.read(&mut buffer).await, Ok(1..)) {}
        };
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, rest).await;
    }
}
