//! fastwebsockets, which leaves the handshake to its user.

use super::Client;
use fastwebsockets::{Frame, Payload, Role, WebSocket};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Bytes;

/// A connection after a handshake with a fixed key; the answer's head is only skipped.
pub(crate) async fn connect(server: SocketAddr, path: &str) -> WebSocket<TcpStream> {
    let mut stream = TcpStream::connect(server).await.expect("a connection");
    stream.set_nodelay(true).expect("a TCP socket");
    let request = format!(
        "GET /{path} HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("open");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    WebSocket::after_handshake(stream, Role::Client)
}

impl Client for WebSocket<TcpStream> {
    async fn send(&mut self, payload: Bytes) {
        // It masks in place, so it needs bytes of its own.
        let payload = Payload::Owned(payload.to_vec());
        self.write_frame(Frame::binary(payload)).await.expect("open");
    }

    /// It has no queue: every frame is a write.
    async fn feed(&mut self, payload: Bytes) {
        Client::send(self, payload).await;
    }

    async fn flush(&mut self) {
        Self::flush(self).await.expect("open");
    }

    async fn receive(&mut self) -> usize {
        self.read_frame().await.expect("a message").payload.len()
    }

    async fn close(&mut self) {
        self.write_frame(Frame::close(1000, b"")).await.expect("open");
        self.read_frame().await.expect("the answer");
    }
}
