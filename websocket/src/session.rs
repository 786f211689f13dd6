//! Sessions on WebSockets: a frame is a binary message.

use crate::connector::WebSocketConnector;
use crate::runtime::Runtime;
use redial_driver::SessionTransport;
use redial_session::{Payload, SUBPROTOCOL};
use tungstenite::{Bytes, Message, Utf8Bytes};

impl<N: Runtime> SessionTransport for WebSocketConnector<N> {
    fn has_session(&self, connection: &Self::Connection) -> bool {
        connection.subprotocol() == Some(SUBPROTOCOL)
    }

    fn frame(&self, frame: Bytes) -> Message {
        Message::Binary(frame)
    }

    fn unframe(&self, message: Message) -> Option<Bytes> {
        match message {
            Message::Binary(frame) => Some(frame),
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => None,
        }
    }

    fn plain(&self, payload: Payload) -> Message {
        let text = payload.is_text();
        let bytes = payload.into_bytes();
        if text {
            // A text is UTF-8, so that this never fails.
            if let Ok(text) = Utf8Bytes::try_from(bytes.clone()) {
                return Message::Text(text);
            }
        }
        Message::Binary(bytes)
    }

    fn unplain(&self, message: Message) -> Option<Payload> {
        match message {
            Message::Text(text) => Payload::from_utf8(text.into()).ok(),
            Message::Binary(bytes) => Some(Payload::binary(bytes)),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => None,
        }
    }

    fn redirect(&mut self, url: &str) {
        self.set_redirect(url);
    }
}
