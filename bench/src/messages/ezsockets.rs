//! ezsockets, the reconnecting client on tokio that people use; its messages come through a channel.

use super::Client;
use ezsockets::{ClientConfig, ClientExt, Error, Utf8Bytes};
use futures_util::future::BoxFuture;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Bytes;

pub(crate) struct Ezsockets {
    handle: ezsockets::Client<Receiver>,
    received: UnboundedReceiver<usize>,
}

/// What the receiver says once it is connected.
const CONNECTED: usize = usize::MAX;

/// An open connection: what is sent sooner is thrown away.
pub(crate) async fn connect(url: &str) -> Ezsockets {
    connect_with(ClientConfig::new(url)).await
}

/// The same with these settings.
pub(crate) async fn connect_with(config: ClientConfig) -> Ezsockets {
    let (sender, mut received) = unbounded_channel();
    let (handle, _) = ezsockets::connect(|_| Receiver { sender }, config).await;
    assert_eq!(received.recv().await, Some(CONNECTED));
    Ezsockets { handle, received }
}

impl Ezsockets {
    /// Waits until it has connected again.
    pub(crate) async fn connected(&mut self) {
        while self.received.recv().await.expect("it reconnects for ever") != CONNECTED {}
    }
}

pub(crate) struct Receiver {
    sender: UnboundedSender<usize>,
}

/// Written as `async_trait` expands it.
impl ClientExt for Receiver {
    type Call = ();

    fn on_connect<'a: 'f, 'f>(&'a mut self) -> BoxFuture<'f, Result<(), Error>>
    where
        Self: 'f,
    {
        Box::pin(async { Ok(self.sender.send(CONNECTED)?) })
    }

    fn on_text<'a: 'f, 'f>(&'a mut self, _: Utf8Bytes) -> BoxFuture<'f, Result<(), Error>>
    where
        Self: 'f,
    {
        Box::pin(async { Ok(()) })
    }

    fn on_binary<'a: 'f, 'f>(&'a mut self, bytes: Bytes) -> BoxFuture<'f, Result<(), Error>>
    where
        Self: 'f,
    {
        Box::pin(async move { Ok(self.sender.send(bytes.len())?) })
    }

    fn on_call<'a: 'f, 'f>(&'a mut self, (): ()) -> BoxFuture<'f, Result<(), Error>>
    where
        Self: 'f,
    {
        Box::pin(async { Ok(()) })
    }
}

impl Client for Ezsockets {
    async fn send(&mut self, payload: Bytes) {
        self.handle.binary(payload).expect("open");
    }

    /// It has no queue to flush: every message is sent on its own.
    async fn feed(&mut self, payload: Bytes) {
        self.send(payload).await;
    }

    async fn flush(&mut self) {}

    async fn receive(&mut self) -> usize {
        self.received.recv().await.expect("open")
    }

    async fn close(&mut self) {
        self.handle.close(None).expect("open");
    }
}
