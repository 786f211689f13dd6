//! One open connection.

use crate::classify;
use crate::tls::Transport;
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::{Sink, Stream};
use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use tungstenite::error::{Error, ProtocolError};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, WebSocketContext};
use tungstenite::{Message, Utf8Bytes};

/// One open connection: tungstenite's protocol over a transport. It answers pings at once and closes with 1000.
#[derive(Debug)]
pub struct Socket<T> {
    context: WebSocketContext,
    transport: Transport<T>,
    /// The transport did not take all that was written: it must take that before it takes more.
    blocked: bool,
    /// Whoever waits for the transport to take what was written. Reading writes too, answers, and tokio wakes the one who
    /// wrote last: so reading writes in the writer's name while there is one.
    writer: Option<Waker>,
    /// Nothing more will come.
    ended: bool,
    /// Our close frame is on its way.
    closing: bool,
    subprotocol: Option<Box<str>>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Socket<T> {
    pub(crate) const fn new(context: WebSocketContext, transport: Transport<T>, subprotocol: Option<Box<str>>) -> Self {
        Self { context, transport, blocked: false, writer: None, ended: false, closing: false, subprotocol }
    }

    /// The subprotocol that the server chose of those offered; `None` if it chose none.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The TCP stream beneath, for example to see which address it is connected to.
    #[must_use]
    pub fn tcp(&self) -> &T {
        match &self.transport {
            Transport::Plain(tcp) => tcp,
            Transport::Tls(tls) => tls.get_ref().0,
        }
    }

    /// tungstenite queues the answers to pings and close frames and sends them at the next call: this sends them now,
    /// without waiting, for whoever reads this connection may drop it.
    #[cold]
    fn answer(&mut self, cx: &mut Context<'_>) {
        // What fails here fails again at the next call, for somebody who hears of it.
        let reader = cx.waker();
        let writer = self.writer.as_ref().unwrap_or(reader);
        let _ = self.context.flush(&mut Io { transport: &mut self.transport, reader, writer });
    }

    /// Reading has come to its end.
    #[cold]
    fn on_end(&mut self, error: Error, cx: &mut Context<'_>) -> Option<Result<Message, Error>> {
        self.ended = true;
        if matches!(error, Error::ConnectionClosed | Error::AlreadyClosed) {
            return None;
        }
        // RFC 6455, section 7.1.7: the server should be told why. If that fails too, the first error stays the one.
        if let Some(code) = classify::complaint(&error) {
            if self.write(close_frame(code)).is_ok() {
                self.answer(cx);
            }
        }
        Some(Err(error))
    }

    #[inline]
    fn write(&mut self, message: Message) -> Result<(), Error> {
        // Nobody waits here: whoever wants to know when the transport takes more asks `poll_ready` or `poll_flush`.
        let waker = Waker::noop();
        match self.context.write(&mut Io { transport: &mut self.transport, reader: waker, writer: waker }, message) {
            Ok(()) => Ok(()),
            // The message was taken.
            Err(error) if would_block(&error) => {
                self.blocked = true;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    #[inline]
    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let waker = cx.waker();
        match self.context.flush(&mut Io { transport: &mut self.transport, reader: waker, writer: waker }) {
            Ok(()) => {
                if self.blocked {
                    self.blocked = false;
                    self.writer = None;
                }
                Poll::Ready(Ok(()))
            }
            Err(error) => self.on_not_written(error, cx),
        }
    }

    #[cold]
    fn on_not_written(&mut self, error: Error, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if would_block(&error) {
            self.blocked = true;
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.blocked = false;
        self.writer = None;
        // All was flushed, and then the connection ended as it should.
        let ended = matches!(error, Error::ConnectionClosed);
        Poll::Ready(if ended { Ok(()) } else { Err(error) })
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for Socket<T> {
    type Item = Result<Message, Error>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let reader = cx.waker();
        let writer = this.writer.as_ref().unwrap_or(reader);
        match this.context.read(&mut Io { transport: &mut this.transport, reader, writer }) {
            Ok(message) => {
                if matches!(message, Message::Ping(_) | Message::Close(_)) {
                    this.answer(cx);
                }
                Poll::Ready(Some(Ok(message)))
            }
            Err(error) if would_block(&error) => Poll::Pending,
            Err(error) => Poll::Ready(this.on_end(error, cx)),
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Sink<Message> for Socket<T> {
    type Error = Error;

    #[inline]
    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        if this.blocked { this.poll_written(cx) } else { Poll::Ready(Ok(())) }
    }

    #[inline]
    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.get_mut().write(message)
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().poll_written(cx)
    }

    /// Sends close 1000. Whoever reads on sees the server's answer and the end of the TCP connection, which is the server's
    /// to make (RFC 6455, sections 5.5.1 and 7.1.1).
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        if !this.closing {
            // What waits may leave no room for the close frame, and tungstenite does not take it twice.
            ready!(this.poll_written(cx))?;
            match this.write(close_frame(CloseCode::Normal)) {
                // The user, or the peer, has begun to close already.
                Ok(()) | Err(Error::Protocol(ProtocolError::SendAfterClosing)) => this.closing = true,
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Poll::Ready(Ok(())),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        this.poll_written(cx)
    }
}

fn close_frame(code: CloseCode) -> Message {
    Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static("") }))
}

fn would_block(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == ErrorKind::WouldBlock)
}

/// The transport during one poll, as tungstenite sees it: what would have to wait is an error, and the task is woken when
/// it is worth another try.
struct Io<'a, T> {
    transport: &'a mut Transport<T>,
    /// Who is to be woken when there is something to read.
    reader: &'a Waker,
    /// Who is to be woken when there is place for writing.
    writer: &'a Waker,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Read for Io<'_, T> {
    #[inline]
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.transport).poll_read(&mut Context::from_waker(self.reader), bytes))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Write for Io<'_, T> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.transport).poll_write(&mut Context::from_waker(self.writer), bytes))
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        now(Pin::new(&mut *self.transport).poll_flush(&mut Context::from_waker(self.writer)))
    }
}

/// What would have to wait is an error.
#[inline]
fn now<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}
