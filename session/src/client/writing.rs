//! What is to be written next.

use bytes::Bytes;
use redial::Timestamp;

use super::event::{GivenUp, MessageId};
use super::outbox::Next;
use super::{Client, Link};
use crate::frame::{EndReason, Frame, encode_message};
use crate::payload::Payload;

impl Client {
    /// Takes a message, and gives the frame to write: [`send`](Self::send) and [`transmit`](Self::transmit) in one, for the many
    /// messages that find a connection and nothing to be written before them. It costs less.
    ///
    /// # Errors
    /// With the message, where something is in its way: `send` says what.
    #[inline]
    pub fn send_now(&mut self, payload: Payload) -> Result<(MessageId, Bytes), Payload> {
        let ahead = self.end || self.pong.is_some() || self.ping.is_some();
        match &mut self.session {
            Some(session)
                if self.link == Link::Open
                    && !ahead
                    && self.outbox.passes(payload.len())
                    && (session.most_payload == 0 || payload.len() as u64 <= session.most_payload) =>
            {
                let number = session.acknowledged.saturating_add(self.outbox.len() as u64).saturating_add(1);
                let frame = encode_message(number, session.acks.ride(), &payload);
                let id = self.next_id();
                self.outbox.push_sent(id, payload);
                Ok((id, frame))
            }
            _ => Err(payload),
        }
    }

    pub(super) fn greet(&mut self) -> Bytes {
        let frame = match &mut self.session {
            None => Frame::Start,
            Some(session) => {
                self.unanswered = self.unanswered.saturating_add(1);
                Frame::Resume { id: session.id, secret: session.secret, received: session.acks.tell_received() }
            }
        };
        self.link = Link::Greeted { resuming: self.session.is_some() };
        frame.encode()
    }

    pub(super) fn transmit_frame(&mut self, now: Timestamp) -> Option<Bytes> {
        if self.end {
            self.end = false;
            self.link = Link::Over;
            return Some(Frame::End { reason: EndReason::Done }.encode());
        }
        if let Some(id) = self.pong.take() {
            return Some(Frame::Pong { id }.encode());
        }
        if let Some(id) = self.ping.take() {
            return Some(Frame::Ping { id }.encode());
        }
        self.expire(now);
        loop {
            let session = self.session.as_mut()?;
            let most = session.most_payload;
            let number = session.acknowledged.saturating_add(self.outbox.cursor() as u64).saturating_add(1);
            match self.outbox.next() {
                Next::New(payload) if most > 0 && payload.len() as u64 > most => {
                    if let Some(message) = self.outbox.take_next() {
                        self.report(message, GivenUp::TooLarge { most });
                    }
                }
                Next::Old(payload) | Next::New(payload) => {
                    let frame = encode_message(number, session.acks.ride(), payload);
                    self.outbox.advance();
                    return Some(frame);
                }
                Next::Nothing => {
                    return session.acks.is_due(now).then(|| Frame::Ack { received: session.acks.tell() }.encode());
                }
            }
        }
    }
}
