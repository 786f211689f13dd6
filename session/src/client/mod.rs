//! The client's half: over all connections.

mod config;
mod event;
mod outbox;
mod receiving;
mod saved;
mod writing;

use alloc::collections::VecDeque;

use bytes::Bytes;
use redial::{Micros, Timestamp};

use crate::acks::Acks;
use crate::error::ProtocolError;
use crate::frame::{Advice, EndReason, Frame, Message};
use crate::id::{Secret, SessionId};
use crate::payload::Payload;
use outbox::Outbox;

pub use config::{ClientConfig, Overflow};
pub use event::{ClientEvent, GivenUp, LossReason, MessageId, OutboxLimit, SendError, SessionLost, Unacknowledged};
pub use saved::SavedSession;

/// The client's half of a session, over all its connections, and of the sessions that come after it.
///
/// Whoever drives it tells it of connections ([`connected`](Self::connected), [`plain`](Self::plain),
/// [`disconnected`](Self::disconnected)), gives it frames that came ([`receive`](Self::receive)), writes what it wants
/// written ([`transmit`](Self::transmit)) whenever the connection takes something, wakes it at its
/// [`deadline`](Self::deadline), and reads its [events](Self::event).
///
/// ```
/// use redial::{Micros, Timestamp};
/// use redial_session::{
///     Client, ClientConfig, ClientEvent, Frame, FromServer, MessageId, Outcome, Payload, Secret, SessionId, Transmit, Welcome,
/// };
///
/// let now = Timestamp::ZERO;
/// let mut client = Client::new(ClientConfig::default());
/// let hello = client.send(now, Payload::text("hello"), None)?; // kept: there is no connection
///
/// client.connected();
/// assert_eq!(client.transmit(now), Some(Transmit::Frame(Frame::Start.encode())));
/// assert_eq!(client.transmit(now), None); // the welcome comes first
///
/// let (id, secret) = (SessionId::from_bytes([7; 16]), Secret::from_bytes([9; 16]));
/// let welcome = Welcome { outcome: Outcome::New, id, secret, received: 0, ttl: Micros::from_secs(300), most_payload: 0 };
/// assert_eq!(client.receive(now, Frame::Welcome(welcome).encode())?, FromServer::Welcome);
/// assert_eq!(client.event(), Some(ClientEvent::Started { ttl: Micros::from_secs(300) }));
/// let message = Frame::Message { number: 1, received: 0, payload: Payload::text("hello") };
/// assert_eq!(client.transmit(now), Some(Transmit::Frame(message.encode())));
///
/// client.receive(now, Frame::Ack { received: 1 }.encode())?;
/// assert_eq!(client.event(), Some(ClientEvent::Delivered { up_to: hello }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    config: ClientConfig,
    outbox: Outbox,
    session: Option<Session>,
    link: Link,
    /// On how many connections in a row the session was asked for without an answer.
    unanswered: u32,
    last_id: u64,
    pong: Option<u64>,
    ping: Option<u64>,
    end: bool,
    events: VecDeque<ClientEvent>,
    dropped: u64,
}

/// Where more events wait than this, the oldest are forgotten for newer ones, but for receipts and lost sessions: a client whose
/// events nobody reads goes on dropping and connecting for hours.
const MOST_EVENTS: usize = 1024;

/// What a client knows of its session.
#[derive(Clone, Debug)]
struct Session {
    id: SessionId,
    secret: Secret,
    acks: Acks,
    /// The number of the last message that the server acknowledged. The outbox begins with the next.
    acknowledged: u64,
    ttl: Micros,
    most_payload: u64,
    /// It was restored from what may not have been the newest: the server knows better.
    restored: bool,
    /// How often it was asked for in vain on connections before the present one, and until when that may still be answered.
    strays: u32,
    strays_until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    None,
    /// The first frame is to be written.
    Fresh,
    /// The welcome is awaited.
    Greeted {
        resuming: bool,
    },
    Open,
    /// It speaks no `redial.v1`.
    Plain,
    /// The session is over: nothing more is said on this one.
    Over,
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// A frame: one binary message of the transport.
    Frame(Bytes),
    /// A message as it is, where the server speaks no `redial.v1`.
    Plain(Payload),
}

/// What a frame of the server's brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromServer {
    /// A message, new and in order. It is acknowledged once [`Client::taken`] says that the application has got it.
    Message(Payload),
    /// The connection can be used: the session has begun or goes on.
    Welcome,
    /// The answer to the ping of this id.
    Pong(u64),
    /// The server's advice for the time after this connection.
    GoingAway(Advice),
    /// The session is over, and so is this connection.
    End(EndReason),
    /// A greeting of our own that was given up has come late and taken the session. This connection is over; the next one
    /// takes the session back.
    Stray,
    /// Nothing to do. There may be [events](Client::event), and something to [transmit](Client::transmit).
    Nothing,
}

impl Client {
    /// A client without a session.
    #[must_use]
    pub const fn new(config: ClientConfig) -> Self {
        Self {
            config,
            outbox: Outbox::new(&config),
            session: None,
            link: Link::None,
            unanswered: 0,
            last_id: 0,
            pong: None,
            ping: None,
            end: false,
            events: VecDeque::new(),
            dropped: 0,
        }
    }

    /// A client whose session began elsewhere. Its messages in flight are the first that have ids, from 1.
    #[must_use]
    pub fn restore(config: ClientConfig, saved: SavedSession) -> Self {
        let mut client = Self::new(config);
        for payload in saved.in_flight {
            let id = client.next_id();
            client.outbox.push_numbered(id, payload);
        }
        client.session = Some(Session {
            id: saved.id,
            secret: saved.secret,
            acks: Acks::new(config.acks, saved.received),
            acknowledged: saved.acknowledged,
            ttl: saved.ttl,
            most_payload: 0,
            restored: true,
            strays: 0,
            strays_until: Timestamp::ZERO,
        });
        client
    }

    /// The session as it is now, to go on elsewhere; `None` if there is none.
    #[must_use]
    pub fn save(&self) -> Option<SavedSession> {
        let session = self.session.as_ref()?;
        Some(SavedSession {
            id: session.id,
            secret: session.secret,
            received: session.acks.committed(),
            acknowledged: session.acknowledged,
            ttl: session.ttl,
            in_flight: self.outbox.numbered().cloned().collect(),
        })
    }

    /// Takes a message. It is kept until the server has it, however many connections and sessions that takes. With a
    /// `deadline` it is given up, and reported, if it was not sent by then; one that was sent has no deadline any more.
    ///
    /// # Errors
    /// With the message, if the outbox is full.
    pub fn send(
        &mut self,
        now: Timestamp,
        payload: Payload,
        deadline: Option<Timestamp>,
    ) -> Result<MessageId, SendError> {
        self.expire(now);
        let id = MessageId(self.last_id.saturating_add(1));
        let dropped = self.outbox.push(id, payload, deadline)?;
        self.last_id = id.0;
        if !dropped.is_empty() {
            for oldest in dropped {
                self.report(oldest, GivenUp::Overflow);
            }
        }
        Ok(id)
    }

    /// Whether the outbox takes one more message, of one byte.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.outbox.has_room()
    }

    /// A connection that speaks `redial.v1` is open. Its first frame is ready to be transmitted.
    pub fn connected(&mut self) {
        self.disconnected();
        if self.session.is_some() && self.unanswered >= self.config.resume_tries {
            self.lose(LossReason::NoAnswer);
        }
        self.link = Link::Fresh;
    }

    /// A connection that does not speak `redial.v1` is open.
    pub fn plain(&mut self) {
        self.disconnected();
        if self.session.is_some() {
            self.lose(LossReason::Plain);
        }
        self.link = Link::Plain;
        self.note(ClientEvent::Plain);
    }

    /// The connection has ended. What was written on it and not acknowledged will be written again.
    pub fn disconnected(&mut self) {
        self.link = Link::None;
        self.outbox.rewind();
        self.pong = None;
        self.ping = None;
        // What is next would be another session's.
        self.end = false;
    }

    /// Takes a frame that came on the present connection.
    ///
    /// # Errors
    /// If it is no frame, or has no place here: then the connection is of no use any more.
    #[inline]
    pub fn receive(&mut self, now: Timestamp, frame: Bytes) -> Result<FromServer, ProtocolError> {
        let frame = match Message::decode(frame) {
            Ok(message) if self.link == Link::Open => return self.on_message(message?),
            Ok(message) => message?.into(),
            Err(frame) => Frame::decode_other(&frame)?,
        };
        self.receive_other(now, frame)
    }

    #[inline(never)]
    fn receive_other(&mut self, now: Timestamp, frame: Frame) -> Result<FromServer, ProtocolError> {
        match self.link {
            Link::Greeted { resuming } => match frame {
                Frame::Welcome(welcome) => self.on_welcome(now, &welcome, resuming),
                Frame::End { reason } => Ok(self.on_end(now, reason)),
                Frame::GoingAway(advice) => Ok(self.on_going_away(advice)),
                Frame::Unknown { .. } => Ok(FromServer::Nothing),
                other @ (Frame::Start
                | Frame::Resume { .. }
                | Frame::Message { .. }
                | Frame::Ack { .. }
                | Frame::Ping { .. }
                | Frame::Pong { .. }) => Err(ProtocolError::Unexpected(other.kind())),
            },
            Link::Open => self.on_frame(now, frame),
            // Something that was on its way when the session ended.
            Link::Over => Ok(FromServer::Nothing),
            Link::None | Link::Fresh | Link::Plain => Err(ProtocolError::Unexpected(frame.kind())),
        }
    }

    /// The application has got one more message, the oldest of those received: now it may be acknowledged.
    #[inline]
    pub fn taken(&mut self, now: Timestamp) {
        if let Some(session) = &mut self.session {
            session.acks.commit_next(now);
        }
    }

    /// The next thing to write; `None` if there is nothing to write now. What it gives counts as written.
    pub fn transmit(&mut self, now: Timestamp) -> Option<Transmit> {
        match self.link {
            Link::None | Link::Greeted { .. } | Link::Over => None,
            Link::Fresh => Some(Transmit::Frame(self.greet())),
            Link::Plain => {
                self.expire(now);
                self.outbox.take_next().map(|message| Transmit::Plain(message.payload))
            }
            Link::Open => self.transmit_frame(now).map(Transmit::Frame),
        }
    }

    /// Whether [`transmit`](Self::transmit) may have something to write. It costs less than asking for it.
    #[must_use]
    #[inline]
    pub fn wants_to_transmit(&self, now: Timestamp) -> bool {
        match self.link {
            Link::None | Link::Greeted { .. } | Link::Over => false,
            Link::Fresh => true,
            Link::Plain => !self.outbox.is_sent(),
            Link::Open => {
                !self.outbox.is_sent()
                    || self.end
                    || self.pong.is_some()
                    || self.ping.is_some()
                    || self.session.as_ref().is_some_and(|session| session.acks.is_due(now))
            }
        }
    }

    /// Sends a ping, whose answer is [`FromServer::Pong`]. A newer one takes the place of one that still waits.
    pub const fn ping(&mut self, id: u64) {
        self.ping = Some(id);
    }

    /// Acknowledges what has come with the next frame, without waiting for its time: the connection is about to be closed.
    pub const fn acknowledge_now(&mut self) {
        if let Some(session) = &mut self.session {
            session.acks.hurry();
        }
    }

    /// Ends the session: the server forgets it at once. What was sent and not acknowledged is reported as lost.
    pub fn end(&mut self) {
        if self.session.is_some() {
            self.lose(LossReason::User);
            self.end = matches!(self.link, Link::Open | Link::Greeted { .. });
        }
    }

    /// The next event.
    pub fn event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// When to call [`timeout`](Self::timeout), though nothing else happens.
    #[must_use]
    #[inline]
    pub fn deadline(&self) -> Option<Timestamp> {
        let ack = match (self.link, &self.session) {
            (Link::Open, Some(session)) => session.acks.deadline(),
            _ => None,
        };
        match (ack, self.outbox.earliest()) {
            (Some(ack), Some(earliest)) => Some(ack.min(earliest)),
            (ack, earliest) => ack.or(earliest),
        }
    }

    /// A deadline has come: messages whose own has passed are given up. There may be something to transmit.
    pub fn timeout(&mut self, now: Timestamp) {
        self.expire(now);
    }

    /// The session's id; `None` if there is none.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        self.session.as_ref().map(|session| session.id)
    }

    /// Whether the present connection speaks `redial.v1` and can be used.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.link == Link::Open
    }

    /// Whether the present connection speaks no `redial.v1`.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.link == Link::Plain
    }

    /// How many messages were sent and are not acknowledged.
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        self.outbox.in_flight()
    }

    /// How many messages the outbox holds, those in flight included.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.outbox.len()
    }

    /// How many bytes of payload the outbox holds.
    #[must_use]
    pub const fn pending_bytes(&self) -> usize {
        self.outbox.bytes()
    }

    /// How many messages were ever dropped, reported or not.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes everything out of the outbox, oldest first; the first [`in_flight`](Self::in_flight) of them may have arrived. The
    /// session, whose numbers they had, is over.
    #[must_use]
    pub fn take_pending(&mut self) -> alloc::vec::Vec<Unacknowledged> {
        let taken = self.outbox.take_all();
        self.end();
        taken
    }

    #[inline]
    fn expire(&mut self, now: Timestamp) {
        // Most messages have no deadline, and each comes this way.
        if self.outbox.earliest().is_some_and(|at| at <= now) {
            self.give_up(now);
        }
    }

    #[cold]
    fn give_up(&mut self, now: Timestamp) {
        for expired in self.outbox.expire(now) {
            self.report(expired, GivenUp::Expired);
        }
    }

    fn report(&mut self, Unacknowledged { id, payload }: Unacknowledged, reason: GivenUp) {
        self.dropped = self.dropped.saturating_add(1);
        self.note(ClientEvent::Dropped { id, payload, reason });
    }

    fn note(&mut self, event: ClientEvent) {
        if self.events.len() >= MOST_EVENTS {
            let kept = |event: &ClientEvent| matches!(event, ClientEvent::Lost(_) | ClientEvent::Delivered { .. });
            if let Some(oldest) = self.events.iter().position(|event| !kept(event)) {
                self.events.remove(oldest);
            }
        }
        self.events.push_back(event);
    }

    /// The session is over: what was sent is in doubt, what was not stays.
    fn lose(&mut self, reason: LossReason) {
        self.session = None;
        self.unanswered = 0;
        let in_doubt = self.outbox.take_numbered();
        self.events.push_back(ClientEvent::Lost(SessionLost { reason, in_doubt }));
    }

    const fn next_id(&mut self) -> MessageId {
        self.last_id = self.last_id.saturating_add(1);
        MessageId(self.last_id)
    }
}
