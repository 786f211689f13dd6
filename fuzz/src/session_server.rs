//! The server's half of a session.

use arbitrary::{Result, Unstructured};
use redial::{Micros, Timestamp};
use redial_session::{Advice, Frame, FromClient, Server};

use crate::session_bytes::{acks, end_reason, frame, later, payload, welcome};

/// More frames than anything here gives cause for.
const ENDLESS: usize = 5_000;

/// Calls a server's half in any order, with any frames: messages come once and in order, only what is safe is
/// acknowledged, what waits is what was pushed, nothing is said before the welcome or after the end.
pub fn session_server(bytes: &[u8]) {
    let u = &mut Unstructured::new(bytes);
    // Bytes that end too soon end the scenario.
    if let Ok(mut run) = Run::new(u) {
        while !u.is_empty() && run.step(u).is_ok() {
            run.watch();
        }
    }
}

struct Run {
    server: Server,
    now: Timestamp,
    received: u64,
    committed: u64,
    told: u64,
    written: u64,
    acknowledged: u64,
    waiting: usize,
    welcomed: bool,
    over: bool,
}

impl Run {
    fn new(u: &mut Unstructured<'_>) -> Result<Self> {
        let (acknowledged, policy) = (u.arbitrary::<u32>()?.into(), acks(u)?);
        let mut welcome = welcome(u, 5)?;
        welcome.received %= 1 << 40;
        Ok(Self {
            server: Server::new(policy, welcome, acknowledged),
            now: Timestamp::ZERO,
            received: welcome.received,
            committed: welcome.received,
            told: welcome.received,
            written: acknowledged,
            acknowledged,
            waiting: 0,
            welcomed: false,
            over: false,
        })
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        self.now = later(u, self.now)?;
        match u.int_in_range(0..=15)? {
            0 | 1 => {
                let (before, payload) = (self.server.next_number(), payload(u)?);
                let length = payload.len();
                self.server.push(payload);
                if self.server.next_number() > before {
                    self.waiting += length;
                }
            }
            2 | 3 => {
                self.committed = u.int_in_range(self.committed..=self.received)?;
                self.server.committed(self.now, self.committed);
            }
            4 => self.server.ping(u.arbitrary()?),
            5 => self.server.going_away(Advice::default()),
            6 if u.ratio(1, 8)? => {
                self.server.end(end_reason(u)?);
                self.waiting = 0;
            }
            7 => self.server.acknowledge_now(),
            8 => self.write(1),
            9 | 10 => self.write(ENDLESS),
            _ => {
                let bytes = frame(u, self.written, self.received)?;
                self.receive(bytes);
            }
        }
        Ok(())
    }

    fn write(&mut self, most: usize) {
        for count in 0..most {
            let Some(bytes) = self.server.transmit(self.now) else {
                let at = self.server.deadline();
                let never = self.now.saturating_add(Micros::from_micros(1)) == self.now;
                assert!(never || at.is_none_or(|at| at > self.now), "a busy loop: {at:?} at {:?}", self.now);
                return;
            };
            self.on_written(Frame::decode(bytes).expect("a frame"));
            assert!(count + 1 < ENDLESS, "it writes for ever");
        }
    }

    fn on_written(&mut self, frame: Frame) {
        assert!(!self.over, "after the end: {frame:?}");
        assert_eq!(matches!(frame, Frame::Welcome(_)), !self.welcomed, "first the welcome, and once: {frame:?}");
        self.welcomed = true;
        match frame {
            Frame::Message { number, received, payload } => {
                assert_eq!(number, self.written + 1, "in order");
                // One that has nothing new to say says 0.
                if received > 0 || self.committed > self.told {
                    assert_eq!(received, self.committed, "only what is safe, and all of it");
                }
                self.told = self.committed;
                self.written = number;
                self.waiting -= payload.len();
            }
            Frame::Ack { received } => {
                assert_eq!(received, self.committed, "only what is safe, and all of it");
                self.told = self.committed;
            }
            Frame::End { .. } => self.over = true,
            Frame::Welcome(_) | Frame::Ping { .. } | Frame::Pong { .. } | Frame::GoingAway(_) => {}
            Frame::Start | Frame::Resume { .. } | Frame::Unknown { .. } => panic!("no frame of a server's"),
            other => panic!("a frame of a later version: {other:?}"),
        }
    }

    fn receive(&mut self, bytes: Vec<u8>) {
        match self.server.receive(bytes.into()) {
            Ok(FromClient::Message { number, .. }) => {
                assert_eq!(number, self.received + 1, "once and in order");
                self.received = number;
            }
            Ok(_) => {}
            Err(error) => crate::text::assert_one_line(&error.to_string()),
        }
    }

    fn watch(&mut self) {
        assert_eq!(self.server.received(), self.received);
        assert_eq!(self.server.queued_bytes(), self.waiting, "what waits is what was pushed");
        let acknowledged = self.server.acknowledged();
        assert!((self.acknowledged..=self.written).contains(&acknowledged), "acknowledged: {acknowledged}");
        self.acknowledged = acknowledged;
    }
}
