//! One open connection.

use crate::classify;
use crate::tls::Transport;
use futures_util::{Sink, Stream};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// One open connection: tungstenite's stream, which answers at once and closes with 1000.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<Transport>,
    subprotocol: Option<String>,
    closing: bool,
}

impl Socket {
    pub(crate) fn new(stream: WebSocketStream<Transport>, subprotocol: Option<String>) -> Self {
        Self { stream, subprotocol, closing: false }
    }

    /// The subprotocol that the server chose of those offered; `None` if it chose none.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    #[cfg(test)]
    pub(crate) fn tcp_nodelay_and_read_buffer(&self) -> (bool, usize) {
        let nodelay = match self.stream.get_ref() {
            Transport::Plain(tcp) => tcp.nodelay(),
            Transport::Tls(tls) => tls.get_ref().0.nodelay(),
        };
        (nodelay.unwrap(), self.stream.get_config().read_buffer_size)
    }

    fn stream(&mut self) -> Pin<&mut WebSocketStream<Transport>> {
        Pin::new(&mut self.stream)
    }

    /// Sends what is ready to be sent, without waiting: whoever reads this connection may drop it now.
    fn flush_now(&mut self, cx: &mut Context<'_>) {
        let (Poll::Ready(_) | Poll::Pending) = self.stream().poll_flush(cx);
    }
}

impl Stream for Socket {
    type Item = Result<Message, Error>;

    /// tungstenite queues the answers to pings and close frames and sends them at the next call: here they go at once.
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.stream().poll_next(cx));
        match &item {
            Some(Ok(Message::Ping(_) | Message::Close(_))) => self.flush_now(cx),
            Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Pong(_) | Message::Frame(_))) | None => {}
            Some(Err(error)) => {
                if let Some(code) = classify::complaint(error) {
                    // RFC 6455, section 7.1.7: it should be told why. If that fails too, the first error stays the one.
                    if self.stream().start_send(close_frame(code)).is_ok() {
                        self.flush_now(cx);
                    }
                }
            }
        }
        Poll::Ready(item)
    }
}

impl Sink<Message> for Socket {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.stream().poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.stream().start_send(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.stream().poll_flush(cx)
    }

    /// Sends close 1000. Whoever reads on sees the server's answer and the end of the TCP connection, which is the server's
    /// to make (RFC 6455, sections 5.5.1 and 7.1.1).
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.closing {
            ready!(self.stream().poll_ready(cx))?;
            match self.stream().start_send(close_frame(CloseCode::Normal)) {
                // The user, or the peer, has begun to close already.
                Ok(()) | Err(Error::Protocol(ProtocolError::SendAfterClosing)) => self.closing = true,
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Poll::Ready(Ok(())),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.stream().poll_flush(cx)
    }
}

fn close_frame(code: CloseCode) -> Message {
    Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static("") }))
}
