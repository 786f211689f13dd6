//! tokio-tungstenite alone.

use super::Client;
use futures_util::{SinkExt, StreamExt};
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_with_config, connect_async_with_config};

/// redial-tokio's read buffer; tungstenite's own is 128 KiB.
pub(crate) const READ_BUFFER: usize = 14 * 1024;

pub(crate) type Bare = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A connection with this read buffer; with tungstenite's own settings for `None`.
pub(crate) async fn connect(url: &str, read_buffer: Option<usize>) -> Bare {
    let config = read_buffer.map(|size| WebSocketConfig::default().read_buffer_size(size));
    connect_async_with_config(url, config, true).await.expect("a connection").0
}

/// The same over a bare TCP stream, which no settings of connect's give: no message passes the choice between TCP and TLS.
pub(crate) async fn connect_plain(url: &str, server: SocketAddr) -> WebSocketStream<TcpStream> {
    let tcp = TcpStream::connect(server).await.expect("a connection");
    tcp.set_nodelay(true).expect("a TCP stream");
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    client_async_with_config(url, tcp, Some(config)).await.expect("a connection").0
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client for WebSocketStream<S> {
    async fn send(&mut self, payload: Bytes) {
        SinkExt::send(self, Message::Binary(payload)).await.expect("open");
    }

    async fn feed(&mut self, payload: Bytes) {
        SinkExt::feed(self, Message::Binary(payload)).await.expect("open");
    }

    async fn flush(&mut self) {
        SinkExt::flush(self).await.expect("open");
    }

    async fn receive(&mut self) -> usize {
        self.next().await.expect("open").expect("a message").len()
    }

    async fn close(&mut self) {
        Self::close(self, None).await.expect("open");
        while self.next().await.is_some() {}
    }
}
