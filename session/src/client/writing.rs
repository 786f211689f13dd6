//! What is to be written next.

use bytes::Bytes;
use redial::Timestamp;

use super::event::GivenUp;
use super::outbox::Next;
use super::{Client, Link};
use crate::frame::{EndReason, Frame, encode_message};

impl Client {
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
