//! redial-tokio, with the default policy (so with pings) and the default settings.

use super::Client;
use redial_tokio::{Event, Message, Notice, Policy, Reconnecting, SinkExt, StreamExt, WebSocket};
use tokio_tungstenite::tungstenite::Bytes;

/// An open connection.
pub(crate) async fn connect(url: &str) -> Reconnecting {
    let mut client = WebSocket::builder(url).policy(Policy::resilient()).build().expect("a good URL");
    while let Some(event) = client.next().await {
        if let Event::Notice(Notice::Opened { .. }) = event {
            return client;
        }
    }
    unreachable!("it dials for ever");
}

impl Client for Reconnecting {
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
        loop {
            if let Some(message) = self.next().await.expect("open").into_message() {
                return message.len();
            }
        }
    }

    async fn close(&mut self) {
        Self::close(self).await;
    }
}
