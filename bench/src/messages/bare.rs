//! tungstenite alone, on each runtime.

use super::Client;
use async_tungstenite::smol::client_async_tls_with_connector_and_config;
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_with_config, connect_async_with_config};

/// redial's read buffer; tungstenite's own is 128 KiB.
const READ_BUFFER: usize = 14 * 1024;

/// A WebSocket and nothing more.
pub(crate) struct Bare<W>(pub(crate) W);

/// What every bare client is.
pub(crate) trait Socket:
    Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Send + Unpin
{
}

impl<W: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Send + Unpin> Socket for W {}

type Tokio = WebSocketStream<MaybeTlsStream<TcpStream>>;
type AsyncIo<T> = async_tungstenite::WebSocketStream<async_tungstenite::smol::ClientStream<T>>;

fn config() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(READ_BUFFER)
}

/// tokio-tungstenite with redial's read buffer.
pub(crate) async fn on_tokio(url: &str) -> Bare<Tokio> {
    try_on_tokio(url).await.expect("a connection")
}

/// The same for a server that may be down.
pub(crate) async fn try_on_tokio(url: &str) -> Result<Bare<Tokio>, Error> {
    Ok(Bare(connect_async_with_config(url, Some(config()), true).await?.0))
}

/// The same with tungstenite's own settings.
pub(crate) async fn default(url: &str) -> Bare<Tokio> {
    Bare(connect_async_with_config(url, None, true).await.expect("a connection").0)
}

/// The same over a bare TCP stream, which no settings of connect's give: no message passes the choice between TCP and TLS.
pub(crate) async fn plain(url: &str, server: SocketAddr) -> Bare<WebSocketStream<TcpStream>> {
    let tcp = TcpStream::connect(server).await.expect("a connection");
    tcp.set_nodelay(true).expect("a TCP stream");
    Bare(client_async_with_config(url, tcp, Some(config())).await.expect("a connection").0)
}

/// async-tungstenite over async-std's TCP.
pub(crate) async fn on_async_std(url: &str, server: SocketAddr) -> Bare<AsyncIo<async_std::net::TcpStream>> {
    let tcp = async_std::net::TcpStream::connect(server).await.expect("a connection");
    tcp.set_nodelay(true).expect("a TCP stream");
    on_async_io(url, tcp).await
}

/// async-tungstenite over smol's TCP.
pub(crate) async fn on_smol(url: &str, server: SocketAddr) -> Bare<AsyncIo<smol::net::TcpStream>> {
    let tcp = smol::net::TcpStream::connect(server).await.expect("a connection");
    tcp.set_nodelay(true).expect("a TCP stream");
    on_async_io(url, tcp).await
}

async fn on_async_io<T: AsyncRead + AsyncWrite + Unpin + 'static>(url: &str, tcp: T) -> Bare<AsyncIo<T>> {
    Bare(client_async_tls_with_connector_and_config(url, tcp, None, Some(config())).await.expect("a connection").0)
}

impl<W: Socket> Client for Bare<W> {
    async fn send(&mut self, payload: Bytes) {
        self.0.send(Message::Binary(payload)).await.expect("open");
    }

    async fn feed(&mut self, payload: Bytes) {
        self.0.feed(Message::Binary(payload)).await.expect("open");
    }

    async fn flush(&mut self) {
        self.0.flush().await.expect("open");
    }

    async fn receive(&mut self) -> usize {
        self.0.next().await.expect("open").expect("a message").len()
    }

    async fn close(&mut self) {
        self.0.send(Message::Close(None)).await.expect("open");
        while self.0.next().await.is_some() {}
    }
}
