//! The frames of `redial.v1`: what each is, and its bytes. `docs/protocol.md` has them in words, with test vectors.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::{Buf, Bytes};
use redial::Micros;

use crate::error::FrameError;
use crate::id::{ID_BYTES, Secret, SessionId};
use crate::number;
use crate::payload::Payload;

/// The name of the WebSocket subprotocol (RFC 6455, section 1.9).
pub const SUBPROTOCOL: &str = "redial.v1";

/// One message of the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// Client: a new session, please. The first frame on a connection.
    Start,
    /// Client: this session is to go on. The first frame on a connection.
    Resume {
        /// Which.
        id: SessionId,
        /// The proof that it is the client's.
        secret: Secret,
        /// The number of the last message that the client received.
        received: u64,
    },
    /// Server: the answer to the first frame.
    Welcome(Welcome),
    /// Either: a message.
    Message {
        /// Its number in its direction, from 1.
        number: u64,
        /// The number of the last message that its sender received: an acknowledgement.
        received: u64,
        /// What it carries.
        payload: Payload,
    },
    /// Either: an acknowledgement by itself.
    Ack {
        /// The number of the last message that its sender received.
        received: u64,
    },
    /// Either: answer at once.
    Ping {
        /// Comes back in the answer.
        id: u64,
    },
    /// Either: the answer to a ping.
    Pong {
        /// The ping's.
        id: u64,
    },
    /// Server: this connection will end soon.
    GoingAway(Advice),
    /// Either: the session is over for the peer.
    End {
        /// Why.
        reason: EndReason,
    },
    /// Something of a later version that may be ignored: types from 0x80 on.
    Unknown {
        /// Its type.
        kind: u8,
    },
}

/// The server's answer to the first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// What became of the client's wish.
    pub outcome: Outcome,
    /// The session.
    pub id: SessionId,
    /// What proves that it is the client's.
    pub secret: Secret,
    /// The number of the last message that the server received and will never ask for again; 0 for a new session.
    pub received: u64,
    /// How long the server keeps the session after a connection has ended; in whole milliseconds on the wire.
    pub ttl: Micros,
    /// The most bytes of payload that the server takes in a message; 0: it does not say.
    pub most_payload: u64,
}

/// What became of the client's first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A new session, as asked for.
    New,
    /// The session goes on.
    Resumed,
    /// The session that was to go on is gone, and this is a new one.
    Replaced,
}

/// The server's advice for the time after this connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    /// Do not come back sooner than this; in whole milliseconds on the wire.
    pub min_delay: Option<Micros>,
    /// Come back at a random time within this much more; in whole milliseconds on the wire.
    pub spread: Option<Micros>,
    /// Come back to this URL.
    pub redirect: Option<String>,
    /// Do not come back by yourself at all.
    pub stop: bool,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The peer has no use for it any more.
    Done,
    /// Another connection has resumed it. It lives on there.
    Superseded,
    /// The client's messages were not fetched in time, and there are too many of them.
    Overflow,
    /// Its time has passed, or the server has lost it.
    Gone,
}

mod kind {
    pub(super) const START: u8 = 0x01;
    pub(super) const RESUME: u8 = 0x02;
    pub(super) const WELCOME: u8 = 0x03;
    pub(super) const TEXT: u8 = 0x04;
    pub(super) const BINARY: u8 = 0x05;
    pub(super) const ACK: u8 = 0x06;
    pub(super) const PING: u8 = 0x07;
    pub(super) const PONG: u8 = 0x08;
    pub(super) const GOING_AWAY: u8 = 0x09;
    pub(super) const END: u8 = 0x0a;
    /// From here on what is not known is ignored.
    pub(super) const OPTIONAL: u8 = 0x80;
}

mod flag {
    pub(super) const MIN_DELAY: u8 = 1;
    pub(super) const SPREAD: u8 = 2;
    pub(super) const STOP: u8 = 4;
    pub(super) const REDIRECT: u8 = 8;
}

impl Frame {
    /// The type, the first byte.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Start => kind::START,
            Self::Resume { .. } => kind::RESUME,
            Self::Welcome(_) => kind::WELCOME,
            Self::Message { payload, .. } if payload.is_text() => kind::TEXT,
            Self::Message { .. } => kind::BINARY,
            Self::Ack { .. } => kind::ACK,
            Self::Ping { .. } => kind::PING,
            Self::Pong { .. } => kind::PONG,
            Self::GoingAway(_) => kind::GOING_AWAY,
            Self::End { .. } => kind::END,
            Self::Unknown { kind } => *kind,
        }
    }

    /// The bytes, to be sent as one binary message. Numbers above [`MAX_NUMBER`](crate::MAX_NUMBER) are sent as that.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        if let Self::Message { number, received, payload } = self {
            return encode_message(*number, *received, payload);
        }
        let mut bytes = Vec::new();
        bytes.push(self.kind());
        match self {
            Self::Start | Self::Message { .. } | Self::Unknown { .. } => {}
            Self::Resume { id, secret, received } => {
                bytes.extend_from_slice(id.as_bytes());
                bytes.extend_from_slice(secret.as_bytes());
                number::put(&mut bytes, *received);
            }
            Self::Welcome(Welcome { outcome, id, secret, received, ttl, most_payload }) => {
                bytes.push(outcome.byte());
                bytes.extend_from_slice(id.as_bytes());
                bytes.extend_from_slice(secret.as_bytes());
                number::put(&mut bytes, *received);
                number::put(&mut bytes, millis(*ttl));
                number::put(&mut bytes, *most_payload);
            }
            Self::Ack { received } => number::put(&mut bytes, *received),
            Self::Ping { id } | Self::Pong { id } => number::put(&mut bytes, *id),
            Self::GoingAway(advice) => advice.encode(&mut bytes),
            Self::End { reason } => bytes.push(reason.byte()),
        }
        Bytes::from(bytes)
    }

    /// The frame that these bytes are. A message's payload shares them.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn decode(bytes: Bytes) -> Result<Self, FrameError> {
        match Message::decode(bytes) {
            Ok(message) => message.map(Self::from),
            Err(bytes) => Self::decode_other(&bytes),
        }
    }

    /// A frame that is no message.
    pub(crate) fn decode_other(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut rest = bytes;
        let (&kind, after) = rest.split_first().ok_or(FrameError::Empty)?;
        rest = after;
        let frame = match kind {
            kind::START => Self::Start,
            kind::RESUME => Self::Resume {
                id: SessionId::from_bytes(take_array(&mut rest)?),
                secret: Secret::from_bytes(take_array(&mut rest)?),
                received: number::take(&mut rest)?,
            },
            kind::WELCOME => Self::Welcome(Welcome {
                outcome: Outcome::from_byte(take_byte(&mut rest)?)?,
                id: SessionId::from_bytes(take_array(&mut rest)?),
                secret: Secret::from_bytes(take_array(&mut rest)?),
                received: number::take(&mut rest)?,
                ttl: Micros::from_millis(number::take(&mut rest)?),
                most_payload: number::take(&mut rest)?,
            }),
            kind::ACK => Self::Ack { received: number::take(&mut rest)? },
            kind::PING => Self::Ping { id: number::take(&mut rest)? },
            kind::PONG => Self::Pong { id: number::take(&mut rest)? },
            kind::GOING_AWAY => Self::GoingAway(Advice::decode(&mut rest)?),
            kind::END => Self::End { reason: EndReason::from_byte(take_byte(&mut rest)?)? },
            kind if kind >= kind::OPTIONAL => return Ok(Self::Unknown { kind }),
            kind => return Err(FrameError::Type(kind)),
        };
        if rest.is_empty() { Ok(frame) } else { Err(FrameError::Long) }
    }
}

/// What a message's frame says. Most frames are messages, and are spared the way of the others.
pub(crate) struct Message {
    pub(crate) number: u64,
    pub(crate) received: u64,
    pub(crate) payload: Payload,
}

impl Message {
    /// The message that these bytes are; they come back if they are something else.
    #[inline(always)] // a payload is moved once less for each call on its way
    pub(crate) fn decode(bytes: Bytes) -> Result<Result<Self, FrameError>, Bytes> {
        match bytes.first() {
            Some(&kind::BINARY) => Ok(Self::decode_rest(bytes)),
            Some(&kind::TEXT) => Ok(Self::decode_text(bytes)),
            _ => Err(bytes),
        }
    }

    #[inline(never)]
    fn decode_text(bytes: Bytes) -> Result<Self, FrameError> {
        let message = Self::decode_rest(bytes)?;
        let payload = Payload::from_utf8(message.payload.into_bytes()).map_err(|_| FrameError::NotUtf8)?;
        Ok(Self { payload, ..message })
    }

    #[inline(always)]
    fn decode_rest(mut bytes: Bytes) -> Result<Self, FrameError> {
        let mut rest = bytes.get(1..).unwrap_or_default();
        let number = number::take(&mut rest)?;
        if number == 0 {
            return Err(FrameError::Zero);
        }
        let received = number::take(&mut rest)?;
        // What is left of the bytes themselves: a second view of them would be counted, and the first such is an allocation.
        let head = bytes.len().saturating_sub(rest.len());
        bytes.advance(head);
        Ok(Self { number, received, payload: Payload::binary(bytes) })
    }
}

impl From<Message> for Frame {
    fn from(Message { number, received, payload }: Message) -> Self {
        Self::Message { number, received, payload }
    }
}

/// The bytes of a message, made at once: every message comes this way. Of exactly their length, which `Bytes` takes over as it
/// is.
pub(crate) fn encode_message(number: u64, received: u64, payload: &Payload) -> Bytes {
    let head = 1 + number::len(number) + number::len(received);
    let mut bytes = Vec::with_capacity(payload.len().saturating_add(head));
    bytes.push(if payload.is_text() { kind::TEXT } else { kind::BINARY });
    number::put(&mut bytes, number);
    number::put(&mut bytes, received);
    bytes.extend_from_slice(payload.bytes());
    Bytes::from(bytes)
}

impl Outcome {
    const fn byte(self) -> u8 {
        match self {
            Self::New => 0,
            Self::Resumed => 1,
            Self::Replaced => 2,
        }
    }

    const fn from_byte(byte: u8) -> Result<Self, FrameError> {
        match byte {
            0 => Ok(Self::New),
            1 => Ok(Self::Resumed),
            2 => Ok(Self::Replaced),
            _ => Err(FrameError::Choice(byte)),
        }
    }
}

impl EndReason {
    const fn byte(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Superseded => 1,
            Self::Overflow => 2,
            Self::Gone => 3,
        }
    }

    const fn from_byte(byte: u8) -> Result<Self, FrameError> {
        match byte {
            0 => Ok(Self::Done),
            1 => Ok(Self::Superseded),
            2 => Ok(Self::Overflow),
            3 => Ok(Self::Gone),
            _ => Err(FrameError::Choice(byte)),
        }
    }
}

impl Advice {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let mut flags = 0;
        for (on, flag) in [
            (self.min_delay.is_some(), flag::MIN_DELAY),
            (self.spread.is_some(), flag::SPREAD),
            (self.stop, flag::STOP),
            (self.redirect.is_some(), flag::REDIRECT),
        ] {
            if on {
                flags |= flag;
            }
        }
        bytes.push(flags);
        for span in [self.min_delay, self.spread].into_iter().flatten() {
            number::put(bytes, millis(span));
        }
        // The last field: it ends where the frame ends.
        bytes.extend_from_slice(self.redirect.as_deref().unwrap_or("").as_bytes());
    }

    fn decode(rest: &mut &[u8]) -> Result<Self, FrameError> {
        let flags = take_byte(rest)?;
        if flags & !(flag::MIN_DELAY | flag::SPREAD | flag::STOP | flag::REDIRECT) != 0 {
            return Err(FrameError::Choice(flags));
        }
        let mut span = |flag| match flags & flag {
            0 => Ok(None),
            _ => number::take(rest).map(|millis| Some(Micros::from_millis(millis))),
        };
        let (min_delay, spread) = (span(flag::MIN_DELAY)?, span(flag::SPREAD)?);
        let redirect = match flags & flag::REDIRECT {
            0 => None,
            _ => {
                let url = core::str::from_utf8(rest).map_err(|_| FrameError::NotUtf8)?;
                *rest = &[];
                Some(String::from(url))
            }
        };
        Ok(Self { min_delay, spread, redirect, stop: flags & flag::STOP != 0 })
    }
}

const fn millis(span: Micros) -> u64 {
    span.as_micros() / 1000
}

fn take_byte(rest: &mut &[u8]) -> Result<u8, FrameError> {
    let (&byte, after) = rest.split_first().ok_or(FrameError::Short)?;
    *rest = after;
    Ok(byte)
}

fn take_array(rest: &mut &[u8]) -> Result<[u8; ID_BYTES], FrameError> {
    let (bytes, after) = rest.split_first_chunk().ok_or(FrameError::Short)?;
    *rest = after;
    Ok(*bytes)
}
