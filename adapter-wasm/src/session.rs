//! Sessions in the browser: a frame is a binary message.

use crate::connector::WebSocketConnector;
use crate::message::Message;
use crate::socket::Socket;
use bytes::Bytes;
use redial_driver::SessionTransport;
use redial_session::{Payload, SUBPROTOCOL};

impl SessionTransport for WebSocketConnector {
    fn has_session(&self, connection: &Socket) -> bool {
        connection.subprotocol().as_deref() == Some(SUBPROTOCOL)
    }

    fn frame(&self, frame: Bytes) -> Message {
        Message::Binary(frame)
    }

    fn unframe(&self, message: Message) -> Option<Bytes> {
        match message {
            Message::Binary(frame) => Some(frame),
            Message::Text(_) => None,
        }
    }

    fn plain(&self, payload: Payload) -> Message {
        payload.into()
    }

    fn unplain(&self, message: Message) -> Option<Payload> {
        Some(message.into())
    }

    fn redirect(&mut self, url: &str) {
        self.set_redirect(url);
    }
}
