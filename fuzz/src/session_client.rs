//! The client's half of a session.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use redial::{Micros, Timestamp};
use redial_session::{Client, ClientConfig, ClientEvent, Frame, FromServer, MessageId, Overflow, Transmit};

use crate::session_bytes::{acks, frame, later, payload, welcome};

/// More frames than anything here gives cause for.
const ENDLESS: usize = 5_000;

/// Calls a client in any order, with any frames: its outbox keeps its bounds, each message has one fate, it neither
/// panics nor writes for ever.
pub fn session_client(bytes: &[u8]) {
    let u = &mut Unstructured::new(bytes);
    // Bytes that end too soon end the scenario.
    if let Ok(mut run) = Run::new(u) {
        while !u.is_empty() && run.step(u).is_ok() {
            run.watch();
        }
        run.finish();
    }
}

struct Run {
    config: ClientConfig,
    client: Client,
    now: Timestamp,
    /// Whether each message has met its fate.
    given: BTreeMap<MessageId, bool>,
    got: u64,
    written: u64,
}

impl Run {
    fn new(u: &mut Unstructured<'_>) -> Result<Self> {
        let config = ClientConfig {
            messages: u.int_in_range(0..=30)?,
            bytes: u.int_in_range(0..=3_000)?,
            overflow: if u.arbitrary()? { Overflow::Reject } else { Overflow::DropOldest },
            resume_tries: u.int_in_range(0..=4)?,
            acks: acks(u)?,
        };
        let (client, now) = (Client::new(config), Timestamp::ZERO);
        Ok(Self { config, client, now, given: BTreeMap::new(), got: 0, written: 0 })
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        self.now = later(u, self.now)?;
        match u.int_in_range(0..=15)? {
            0..=2 => self.send(u)?,
            3 => self.client.connected(),
            4 => {
                self.client.connected();
                self.write(1);
                let welcome = Frame::Welcome(welcome(u, self.written)?);
                self.receive(welcome.encode().to_vec());
            }
            5 => self.client.disconnected(),
            6 if u.ratio(1, 4)? => self.client.plain(),
            7 => self.client.ping(u.arbitrary()?),
            8 if u.ratio(1, 4)? => self.client.end(),
            9 => self.write(ENDLESS),
            10 => self.write(1),
            11 => self.client.timeout(self.now),
            12 => self.client.acknowledge_now(),
            _ => {
                let bytes = frame(u, self.written, self.got)?;
                self.receive(bytes);
            }
        }
        Ok(())
    }

    fn send(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let deadline = match u.ratio(1, 4)? {
            true => Some(self.now.saturating_add(Micros::from_millis(u.arbitrary::<u8>()?.into()))),
            false => None,
        };
        if let Ok(id) = self.client.send(self.now, payload(u)?, deadline) {
            assert!(self.given.insert(id, false).is_none(), "{id:?} is given twice");
        }
        Ok(())
    }

    fn write(&mut self, most: usize) {
        for count in 0..most {
            let (plain, wants) = (self.client.is_plain(), self.client.wants_to_transmit(self.now));
            let next = self.client.transmit(self.now);
            assert!(wants || next.is_none(), "it wants nothing, and transmits {next:?}");
            match next {
                Some(Transmit::Frame(bytes)) => match Frame::decode(bytes) {
                    Ok(Frame::Message { number, .. }) => self.written = number,
                    Ok(Frame::Start) => (self.written, self.got) = (0, 0),
                    Ok(frame) => assert!(!matches!(frame, Frame::Welcome(_) | Frame::GoingAway(_)), "{frame:?}"),
                    Err(error) => panic!("no frame: {error}"),
                },
                Some(Transmit::Plain(_)) => {
                    assert!(plain, "plain, on a connection that is not");
                    self.events();
                    let next = self.given.iter().find(|(_, fate)| !**fate).map(|(id, _)| *id);
                    self.meet(next.expect("a message that was not sent yet"));
                }
                None => {
                    self.client.timeout(self.now);
                    let at = self.client.deadline();
                    let never = self.now.saturating_add(Micros::from_micros(1)) == self.now;
                    assert!(never || at.is_none_or(|at| at > self.now), "a busy loop: {at:?} at {:?}", self.now);
                    return;
                }
            }
            assert!(count + 1 < ENDLESS, "it writes for ever");
        }
    }

    fn receive(&mut self, bytes: Vec<u8>) {
        match self.client.receive(self.now, bytes.into()) {
            Ok(FromServer::Message(_)) => {
                self.got += 1;
                self.client.taken(self.now);
            }
            Ok(FromServer::Welcome) => assert!(self.client.is_open(), "welcome, and not open"),
            Ok(_) => {}
            Err(error) => crate::text::assert_one_line(&error.to_string()),
        }
    }

    fn meet(&mut self, id: MessageId) {
        let fate = self.given.get_mut(&id).expect("a message that was given");
        assert!(!*fate, "one-fate: {id:?}");
        *fate = true;
    }

    fn events(&mut self) {
        while let Some(event) = self.client.event() {
            match event {
                ClientEvent::Delivered { up_to } => {
                    let open: Vec<_> =
                        self.given.range(..=up_to).filter(|(_, fate)| !**fate).map(|(id, _)| *id).collect();
                    assert_eq!(open.last(), Some(&up_to), "one-fate: delivered");
                    open.into_iter().for_each(|id| self.meet(id));
                }
                ClientEvent::Dropped { id, .. } => self.meet(id),
                ClientEvent::Lost(lost) => lost.in_doubt.iter().for_each(|message| self.meet(message.id)),
                ClientEvent::Started { .. }
                | ClientEvent::Resumed { .. }
                | ClientEvent::Plain
                | ClientEvent::GoingAway(_) => {}
                other => panic!("an event of a later version: {other:?}"),
            }
        }
    }

    fn watch(&mut self) {
        self.events();
        let (messages, bytes) = (self.client.pending(), self.client.pending_bytes());
        assert!(messages <= self.config.messages && bytes <= self.config.bytes, "bounds: {messages}, {bytes} bytes");
        assert!(self.client.in_flight() <= messages, "more in flight than there are");
        let alone = self.client.session_id().is_none();
        assert!(!alone || self.client.in_flight() == 0, "in flight, and no session");
    }

    /// What has met no fate is still there, and nothing else.
    fn finish(mut self) {
        self.events();
        let restored = self.client.save().map(|saved| Client::restore(self.config, saved));
        assert!(restored.is_none_or(|restored| restored.in_flight() == self.client.in_flight()), "saved in flight");
        let open: Vec<_> = self.given.iter().filter(|(_, fate)| !**fate).map(|(id, _)| *id).collect();
        let pending: Vec<_> = self.client.take_pending().into_iter().map(|message| message.id).collect();
        assert_eq!(pending, open, "one-fate: pending");
    }
}
