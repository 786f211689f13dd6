//! The server's half of one connection.

use alloc::collections::VecDeque;

use bytes::Bytes;
use redial::Timestamp;

use crate::acks::{AckPolicy, Acks};
use crate::error::ProtocolError;
use crate::frame::{Advice, EndReason, Frame, Message, Welcome, encode_message};
use crate::id::{Secret, SessionId};
use crate::payload::Payload;

/// What a client wants: its first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// A new session.
    Start,
    /// A session that is to go on.
    Resume {
        /// Which.
        id: SessionId,
        /// The proof.
        secret: Secret,
        /// The number of the last message that the client received.
        received: u64,
    },
}

impl Greeting {
    /// Reads a connection's first frame.
    ///
    /// # Errors
    /// If it is no frame, or none that a client may begin with.
    pub fn decode(frame: Bytes) -> Result<Self, ProtocolError> {
        match Frame::decode(frame)? {
            Frame::Start => Ok(Self::Start),
            Frame::Resume { id, secret, received } => Ok(Self::Resume { id, secret, received }),
            other @ (Frame::Welcome(_)
            | Frame::Message { .. }
            | Frame::Ack { .. }
            | Frame::Ping { .. }
            | Frame::Pong { .. }
            | Frame::GoingAway(_)
            | Frame::End { .. }
            | Frame::Unknown { .. }) => Err(ProtocolError::Unexpected(other.kind())),
        }
    }
}

/// What a frame of the client's asks the server to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromClient {
    /// A new message, the one after the last. Once what it brings about can't be lost any more, [`Server::committed`] says
    /// so.
    Message {
        /// Its number.
        number: u64,
        /// What it carries.
        payload: Payload,
    },
    /// The answer to the ping of this id.
    Pong(u64),
    /// The client wants the session no more.
    End,
    /// Nothing; [`Server::acknowledged`] may have grown.
    Nothing,
}

/// The server's half of one connection, from its welcome on.
///
/// What must outlive the connection is not in here but in a store: the numbers of the messages that were committed, and the
/// outbox. This copies messages from the outbox to frames, and checks and counts what comes.
///
/// ```
/// use redial::{Micros, Timestamp};
/// use redial_session::{AckPolicy, Frame, FromClient, Greeting, Outcome, Payload, Secret, Server, SessionId, Welcome};
///
/// let greeting = Greeting::decode(Frame::Start.encode())?;
/// assert_eq!(greeting, Greeting::Start);
/// let welcome = Welcome {
///     outcome: Outcome::New,
///     id: SessionId::from_bytes([7; 16]), // from a generator that nobody can predict
///     secret: Secret::from_bytes([9; 16]),
///     received: 0,
///     ttl: Micros::from_secs(300),
///     most_payload: 1 << 20,
/// };
/// let mut server = Server::new(AckPolicy::default(), welcome, 0);
/// let now = Timestamp::ZERO;
/// assert_eq!(server.transmit(now), Some(Frame::Welcome(welcome).encode()));
///
/// let hello = Frame::Message { number: 1, received: 0, payload: Payload::text("hello") };
/// let FromClient::Message { number, payload } = server.receive(hello.encode())? else { unreachable!() };
/// server.committed(now, number); // it is in the store
/// server.push(payload); // an answer, from the store's outbox; it carries the acknowledgement
/// let answer = Frame::Message { number: 1, received: 1, payload: Payload::text("hello") };
/// assert_eq!(server.transmit(now), Some(answer.encode()));
/// # Ok::<(), redial_session::ProtocolError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    welcome: Option<Welcome>,
    acks: Acks,
    /// Messages to be transmitted.
    queue: VecDeque<Payload>,
    queued_bytes: usize,
    /// The number of the last message transmitted.
    sent: u64,
    /// The number of the last message that the client has.
    acknowledged: u64,
    pong: Option<u64>,
    ping: Option<u64>,
    advice: Option<Advice>,
    end: Option<EndReason>,
    /// The end is written.
    over: bool,
}

impl Server {
    /// The half of a connection whose greeting was answered thus. The client has messages up to `acknowledged`: 0 in a new
    /// session, what it said in one that goes on.
    #[must_use]
    pub const fn new(acks: AckPolicy, welcome: Welcome, acknowledged: u64) -> Self {
        Self {
            acks: Acks::new(acks, welcome.received),
            welcome: Some(welcome),
            queue: VecDeque::new(),
            queued_bytes: 0,
            sent: acknowledged,
            acknowledged,
            pong: None,
            ping: None,
            advice: None,
            end: None,
            over: false,
        }
    }

    /// Takes a frame.
    ///
    /// # Errors
    /// If it is no frame, or has no place here. Then close the connection with [`ProtocolError::close_code`].
    pub fn receive(&mut self, frame: Bytes) -> Result<FromClient, ProtocolError> {
        match Message::decode(frame) {
            Ok(message) => self.on_message(message?),
            Err(frame) => self.on_other(Frame::decode_other(&frame)?),
        }
    }

    #[inline]
    fn on_message(&mut self, message: Message) -> Result<FromClient, ProtocolError> {
        let Message { number, received, payload } = message;
        self.on_ack(received)?;
        Ok(match self.acks.on_message(number)? {
            true => FromClient::Message { number, payload },
            false => FromClient::Nothing,
        })
    }

    fn on_other(&mut self, frame: Frame) -> Result<FromClient, ProtocolError> {
        match frame {
            Frame::Message { number, received, payload } => self.on_message(Message { number, received, payload }),
            Frame::Ack { received } => self.on_ack(received).map(|()| FromClient::Nothing),
            Frame::Ping { id } => {
                // Of several that came at once the newest is answered: that is the one whose answer counts.
                self.pong = Some(id);
                Ok(FromClient::Nothing)
            }
            Frame::Pong { id } => Ok(FromClient::Pong(id)),
            Frame::End { .. } => Ok(FromClient::End),
            Frame::Unknown { .. } => Ok(FromClient::Nothing),
            other @ (Frame::Start | Frame::Resume { .. } | Frame::Welcome(_) | Frame::GoingAway(_)) => {
                Err(ProtocolError::Unexpected(other.kind()))
            }
        }
    }

    /// The client's messages up to this number can't be lost any more: from now on they may be acknowledged.
    pub fn committed(&mut self, now: Timestamp, number: u64) {
        self.acks.commit(now, number);
    }

    /// The number of the client's last message that came, committed or not.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.acks.received()
    }

    /// The number of the last message that the client has: everything up to it may be forgotten.
    #[must_use]
    pub const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// The number that the next [`push`](Self::push) will have.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.last_pushed().saturating_add(1)
    }

    /// Queues the outbox's next message. Nothing after [`end`](Self::end).
    pub fn push(&mut self, payload: Payload) {
        if self.end.is_some() {
            return;
        }
        self.queued_bytes = self.queued_bytes.saturating_add(payload.len());
        self.queue.push_back(payload);
    }

    /// How many bytes of payload wait to be transmitted.
    #[must_use]
    pub const fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Sends a ping; [`FromClient::Pong`] has its id. A newer one takes the place of one that still waits.
    pub fn ping(&mut self, id: u64) {
        self.ping = Some(id);
    }

    /// Tells the client that this connection will end soon, ahead of the messages that wait.
    pub fn going_away(&mut self, advice: Advice) {
        self.advice = Some(advice);
    }

    /// Tells the client that the session is over. Nothing is transmitted after that: then close the connection.
    pub fn end(&mut self, reason: EndReason) {
        self.end = Some(reason);
        self.acks.hurry();
        self.queue.clear();
        self.queued_bytes = 0;
    }

    /// The next frame to write; `None` if there is nothing to write now.
    pub fn transmit(&mut self, now: Timestamp) -> Option<Bytes> {
        if self.over {
            return None;
        }
        if let Some(welcome) = self.welcome.take() {
            return Some(Frame::Welcome(welcome).encode());
        }
        if let Some(id) = self.pong.take() {
            return Some(Frame::Pong { id }.encode());
        }
        if let Some(advice) = self.advice.take() {
            return Some(Frame::GoingAway(advice).encode());
        }
        if let Some(id) = self.ping.take() {
            return Some(Frame::Ping { id }.encode());
        }
        if let Some(payload) = self.queue.pop_front() {
            self.queued_bytes = self.queued_bytes.saturating_sub(payload.len());
            self.sent = self.sent.saturating_add(1);
            return Some(encode_message(self.sent, self.acks.ride(), &payload));
        }
        if self.acks.is_due(now) {
            return Some(Frame::Ack { received: self.acks.tell() }.encode());
        }
        let reason = self.end?;
        self.over = true;
        Some(Frame::End { reason }.encode())
    }

    /// Acknowledges what was committed with the next frame, without waiting for its time: the connection is about to be
    /// closed.
    pub const fn acknowledge_now(&mut self) {
        self.acks.hurry();
    }

    /// When [`transmit`](Self::transmit) will have something to write though nothing happens: an acknowledgement.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        // Before the welcome and after the end there is nothing to acknowledge on.
        if self.welcome.is_some() || self.over { None } else { self.acks.deadline() }
    }

    fn last_pushed(&self) -> u64 {
        self.sent.saturating_add(self.queue.len() as u64)
    }

    fn on_ack(&mut self, claimed: u64) -> Result<(), ProtocolError> {
        let (least, most) = (self.acknowledged, self.sent);
        if claimed > most {
            return Err(ProtocolError::Offset { claimed, least, most });
        }
        // One that is older than the newest says nothing new: a message that is sent again carries what it carried.
        self.acknowledged = claimed.max(least);
        Ok(())
    }
}
