//! What a frame of the server's does.

use redial::{Micros, Timestamp};

use super::event::{ClientEvent, LossReason};
use super::{Client, FromServer, Link, MOST_EVENTS, Session};
use crate::acks::Acks;
use crate::error::ProtocolError;
use crate::frame::{Advice, EndReason, Frame, Message, Outcome, Welcome};

/// How long a greeting that was given up may still reach a server, and wait there for its store (ours: for 5 s).
const STRAY: Micros = Micros::from_secs(60);

impl Client {
    pub(super) fn on_welcome(
        &mut self,
        now: Timestamp,
        welcome: &Welcome,
        resuming: bool,
    ) -> Result<FromServer, ProtocolError> {
        if self.end {
            // It was ended here while the server was being asked for it: the server is still to be told.
            self.link = Link::Open;
            return Ok(FromServer::Welcome);
        }
        match (welcome.outcome, resuming) {
            (Outcome::Resumed, true) => self.on_resumed(welcome)?,
            (Outcome::New, false) => self.begin(welcome),
            (Outcome::New | Outcome::Replaced, true) => {
                self.lose(LossReason::Unknown);
                self.begin(welcome);
            }
            (Outcome::Resumed | Outcome::Replaced, false) => {
                return Err(ProtocolError::Unexpected(Frame::Welcome(*welcome).kind()));
            }
        }
        let strays = core::mem::take(&mut self.unanswered).saturating_sub(1);
        if let Some(session) = self.session.as_mut().filter(|_| strays > 0 && welcome.outcome == Outcome::Resumed) {
            session.strays = session.strays.saturating_add(strays);
            session.strays_until = now.saturating_add(STRAY);
        }
        self.link = Link::Open;
        Ok(FromServer::Welcome)
    }

    fn begin(&mut self, welcome: &Welcome) {
        self.session = Some(Session {
            id: welcome.id,
            secret: welcome.secret,
            acks: Acks::new(self.config.acks, 0),
            acknowledged: 0,
            ttl: welcome.ttl,
            most_payload: welcome.most_payload,
            restored: false,
            strays: 0,
            strays_until: Timestamp::ZERO,
        });
        self.note(ClientEvent::Started { ttl: welcome.ttl });
    }

    fn on_resumed(&mut self, welcome: &Welcome) -> Result<(), ProtocolError> {
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        session.ttl = welcome.ttl;
        session.most_payload = welcome.most_payload;
        let restored = core::mem::take(&mut session.restored);
        if restored && welcome.received > session.acknowledged.saturating_add(self.outbox.in_flight() as u64) {
            // It was saved before its last messages were sent. Those that it knows of came before them.
            session.acknowledged = welcome.received;
            self.deliver(usize::MAX);
        }
        if let Err(error) = self.on_ack(welcome.received, true) {
            self.lose(LossReason::OutOfStep);
            self.link = Link::Over;
            return Err(error);
        }
        self.note(ClientEvent::Resumed { replayed: self.outbox.in_flight() });
        Ok(())
    }

    #[inline(always)]
    pub(super) fn on_message(&mut self, message: Message) -> Result<FromServer, ProtocolError> {
        let Message { number, received, payload } = message;
        self.on_ack(received, false)?;
        let Some(session) = &mut self.session else {
            return Ok(FromServer::Nothing);
        };
        if !session.acks.on_message(number)? {
            return Ok(FromServer::Nothing);
        }
        Ok(FromServer::Message(payload))
    }

    pub(super) fn on_frame(&mut self, now: Timestamp, frame: Frame) -> Result<FromServer, ProtocolError> {
        match frame {
            Frame::Message { number, received, payload } => self.on_message(Message { number, received, payload }),
            Frame::Ack { received } => self.on_ack(received, false).map(|()| FromServer::Nothing),
            Frame::Ping { id } => {
                // Of several that came at once the newest is answered: that is the one whose answer counts.
                self.pong = Some(id);
                Ok(FromServer::Nothing)
            }
            Frame::Pong { id } => Ok(FromServer::Pong(id)),
            Frame::GoingAway(advice) => Ok(self.on_going_away(advice)),
            Frame::End { reason } => Ok(self.on_end(now, reason)),
            Frame::Unknown { .. } => Ok(FromServer::Nothing),
            other @ (Frame::Start | Frame::Resume { .. } | Frame::Welcome(_)) => {
                Err(ProtocolError::Unexpected(other.kind()))
            }
        }
    }

    /// `firm`: it must not be lower than what was acknowledged before.
    fn on_ack(&mut self, claimed: u64, firm: bool) -> Result<(), ProtocolError> {
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        let least = session.acknowledged;
        let most = least.saturating_add(self.outbox.in_flight() as u64);
        if claimed > most || (firm && claimed < least) {
            return Err(ProtocolError::Offset { claimed, least, most });
        }
        // Most messages have nothing new to say.
        if claimed <= least {
            return Ok(());
        }
        let count = claimed.saturating_sub(least);
        session.acknowledged = least.saturating_add(count);
        self.deliver(usize::try_from(count).unwrap_or(usize::MAX));
        Ok(())
    }

    /// The server has the first `count` of those in flight.
    fn deliver(&mut self, count: usize) {
        if let Some(up_to) = self.outbox.acknowledge(count) {
            // The last receipt says what those before it said.
            if matches!(self.events.back(), Some(ClientEvent::Delivered { .. })) {
                self.events.pop_back();
            } else if self.events.len() >= MOST_EVENTS {
                // Nobody reads: so that receipts and others in turn fill no memory.
                let since = self.events.iter().rposition(|event| matches!(event, ClientEvent::Lost(_)));
                let receipt = |event: &ClientEvent| matches!(event, ClientEvent::Delivered { .. });
                if let Some(last) =
                    self.events.iter().rposition(receipt).filter(|last| since.is_none_or(|lost| lost < *last))
                {
                    self.events.remove(last);
                }
            }
            self.events.push_back(ClientEvent::Delivered { up_to });
        }
    }

    pub(super) fn on_going_away(&mut self, advice: Advice) -> FromServer {
        self.note(ClientEvent::GoingAway(advice.clone()));
        FromServer::GoingAway(advice)
    }

    pub(super) fn on_end(&mut self, now: Timestamp, reason: EndReason) -> FromServer {
        self.link = Link::Over;
        if let Some(session) = &mut self.session {
            if reason == EndReason::Superseded && session.strays > 0 && now < session.strays_until {
                // By one of our own that was given up and came late. Resuming takes it back.
                session.strays -= 1;
                return FromServer::Stray;
            }
            self.lose(LossReason::Ended(reason));
        }
        FromServer::End(reason)
    }
}
