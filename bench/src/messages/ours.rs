//! redial on any runtime, with the policy `resilient` (so with pings) and the default settings.

use super::Client;
use redial_tokio::redial_driver::Reconnecting;
use redial_tokio::redial_websocket::{Runtime, WebSocket, WebSocketConnector};
use redial_tokio::{Event, Message, Notice, Policy, SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Bytes;

/// `redial_tokio::Reconnecting` or `redial_async_std::Reconnecting`.
pub(crate) type Ours<N> = Reconnecting<<N as Runtime>::Clock, WebSocketConnector<N>>;

/// An open connection.
pub(crate) async fn connect<N: Runtime>(url: &str, policy: Policy) -> Ours<N> {
    let mut client = WebSocket::<N>::builder(url).policy(policy).build().expect("a good URL");
    while let Some(event) = client.next().await {
        if let Event::Notice(Notice::Opened { .. }) = event {
            return client;
        }
    }
    unreachable!("it dials for ever");
}

/// A clock that threads can share, or no task can have the client: a shared budget holds it.
impl<N: Runtime<Clock: Sync>> Client for Ours<N> {
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
