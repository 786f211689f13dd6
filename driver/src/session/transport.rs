//! What a transport must know to carry sessions.

use bytes::Bytes;
use redial_session::Payload;

use crate::connect::Connect;

/// A transport that can carry `redial.v1`: it knows whether the server has chosen it, and what a frame is in its messages.
pub trait SessionTransport: Connect {
    /// Whether the server of this connection speaks `redial.v1`. Without it messages are sent as they are.
    fn has_session(&self, connection: &Self::Connection) -> bool;

    /// The message that carries this frame.
    fn frame(&self, frame: Bytes) -> Self::Message;

    /// The frame that this message carries; `None` if it carries none, which breaks the protocol.
    fn unframe(&self, message: Self::Message) -> Option<Bytes>;

    /// The message that carries this payload where the server speaks no `redial.v1`.
    fn plain(&self, payload: Payload) -> Self::Message;

    /// What this message carries where the server speaks no `redial.v1`; `None` if that is nothing for a user.
    fn unplain(&self, message: Self::Message) -> Option<Payload>;

    /// The server asks to be left for this URL: the next dial goes there, and only that one. A transport that can't, or won't,
    /// does nothing.
    fn redirect(&mut self, url: &str) {
        let _ = url;
    }
}
