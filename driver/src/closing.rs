//! The close handshake of a connection that is no longer the present one.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;
use redial::Timestamp;

use crate::reconnecting::IO_PER_POLL;

/// A healthy connection on its way out: what it holds is flushed, then the close goes out, then the peer's is awaited.
/// What the peer still sends is discarded.
pub(crate) struct Closing<S> {
    io: S,
    stage: Stage,
    /// When patience ends.
    pub(crate) until: Timestamp,
}

#[derive(Clone, Copy)]
enum Stage {
    Flush,
    Close,
    AwaitEnd,
}

impl<S> Closing<S> {
    pub(crate) const fn new(io: S, until: Timestamp) -> Self {
        Self { io, stage: Stage::Flush, until }
    }

    pub(crate) fn into_io(self) -> S {
        self.io
    }

    /// Ready when the handshake is over, well or ill.
    pub(crate) fn poll<M, E>(&mut self, cx: &mut Context<'_>) -> Poll<()>
    where
        S: Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    {
        for _ in 0..IO_PER_POLL {
            match self.stage {
                Stage::Flush => match ready!(Pin::new(&mut self.io).poll_flush(cx)) {
                    Ok(()) => self.stage = Stage::Close,
                    Err(_) => return Poll::Ready(()),
                },
                Stage::Close => match ready!(Pin::new(&mut self.io).poll_close(cx)) {
                    Ok(()) => self.stage = Stage::AwaitEnd,
                    Err(_) => return Poll::Ready(()),
                },
                Stage::AwaitEnd => match ready!(Pin::new(&mut self.io).poll_next(cx)) {
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Poll::Ready(()),
                },
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
