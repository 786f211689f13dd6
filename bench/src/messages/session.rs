//! redial-tokio with a session, and the server's half of one.

use super::Client;
use redial::Timestamp;
use redial_session::{AckPolicy, Frame, FromClient, Outcome, Secret, Server, SessionId, Welcome};
use redial_tokio::{
    Micros, Notice, OutboxLimits, Payload, Policy, Session, SessionConfig, SessionEvent, SinkExt, StreamExt, WebSocket,
};
use tokio_tungstenite::tungstenite::Bytes;

/// An open connection whose session has begun.
pub(crate) async fn connect(url: &str, policy: Policy) -> Session {
    // Messages of 64 KiB need more than comes with it: 1 MiB is 16 of them. And one way, TCP is to hold the writer back, as it does
    // with plain messages: its buffers take some thousand of 1 KiB.
    let outbox = OutboxLimits { messages: 4096, bytes: 8 << 20, ..OutboxLimits::default() };
    let builder = WebSocket::builder(url).policy(policy).outbox(outbox);
    let mut client = builder.session(SessionConfig::default()).expect("a good URL");
    while let Some(event) = client.next().await {
        if let SessionEvent::Notice(Notice::Opened { .. }) = event {
            return client;
        }
    }
    unreachable!("it dials for ever");
}

impl Client for Session {
    async fn send(&mut self, payload: Bytes) {
        SinkExt::send(self, Payload::binary(payload)).await.expect("open");
    }

    async fn feed(&mut self, payload: Bytes) {
        SinkExt::feed(self, Payload::binary(payload)).await.expect("open");
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

/// The server's half, for one connection that never comes back.
#[derive(Default)]
pub(crate) struct Half(Option<Server>);

impl Half {
    /// Takes a frame; the message in it, if there is one.
    pub(crate) fn receive(&mut self, frame: &[u8]) -> Option<Bytes> {
        let frame = Bytes::copy_from_slice(frame);
        let Some(server) = &mut self.0 else {
            assert_eq!(Frame::decode(frame), Ok(Frame::Start));
            let welcome = Welcome {
                outcome: Outcome::New,
                id: SessionId::from_bytes([1; 16]),
                secret: Secret::from_bytes([2; 16]),
                received: 0,
                ttl: Micros::from_secs(300),
                most_payload: 0,
            };
            self.0 = Some(Server::new(AckPolicy::default(), welcome, 0));
            return None;
        };
        match server.receive(frame).expect("the client keeps the protocol") {
            FromClient::Message { number, payload } => {
                server.committed(Timestamp::ZERO, number);
                Some(payload.into_bytes())
            }
            FromClient::Pong(_) | FromClient::End | FromClient::Nothing => None,
        }
    }

    /// A message to the client.
    pub(crate) fn push(&mut self, payload: Bytes) {
        if let Some(server) = &mut self.0 {
            server.push(Payload::binary(payload));
        }
    }

    /// The next frame to write. An acknowledgement is one after 32 messages: there is no clock here.
    pub(crate) fn transmit(&mut self) -> Option<Bytes> {
        self.0.as_mut()?.transmit(Timestamp::ZERO)
    }
}
