//! What each message of the client's came to, and whether that is true.

use std::collections::BTreeMap;

use bytes::Bytes;
use redial::Timestamp;
use redial_session::{Client, ClientEvent, Frame, GivenUp, MessageId, Payload, Unacknowledged};

use super::server_side::ServerSide;
use super::{Setup, serial};

/// How often something happened: a law that is never tried proves nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) committed: usize,
    pub(crate) got: usize,
    pub(crate) resumed: usize,
    pub(crate) replayed: usize,
    pub(crate) lost: usize,
    pub(crate) in_doubt: usize,
    pub(crate) dropped: usize,
    pub(crate) plain: usize,
    pub(crate) restored: usize,
    pub(crate) errors: usize,
    pub(crate) full: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Delivered,
    Dropped,
    InDoubt,
    Plain,
}

#[derive(Debug)]
struct Given {
    serial: u64,
    payload: Payload,
    deadline: Option<Timestamp>,
    /// It was in a frame of the present session.
    written: bool,
    fate: Option<Fate>,
}

#[derive(Debug)]
pub(crate) struct Watch {
    setup: Setup,
    /// Of this client; a restored one counts from 1 again.
    given: BTreeMap<MessageId, Given>,
    serials: u64,
    tries: u32,
    asked: bool,
    pub(crate) counts: Counts,
}

impl Watch {
    pub(crate) fn new(setup: Setup) -> Self {
        Self { setup, given: BTreeMap::new(), serials: 0, tries: 0, asked: false, counts: Counts::default() }
    }

    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serials += 1;
        self.serials
    }

    pub(crate) fn on_sent(&mut self, id: MessageId, serial: u64, payload: Payload, deadline: Option<Timestamp>) {
        let last = self.given.last_key_value().map_or(0, |(last, _)| last.0);
        assert_eq!(id.0, last + 1, "ids count up");
        let given = Given { serial, payload, deadline, written: false, fate: None };
        self.given.insert(id, given);
    }

    pub(crate) fn on_connected(&mut self) {
        self.asked = false;
    }

    pub(crate) fn on_welcome(&mut self) {
        self.tries = 0;
    }

    pub(crate) fn on_client_wrote(&mut self, frame: &Bytes) {
        match Frame::decode(frame.clone()).expect("what we write is a frame") {
            Frame::Resume { .. } => {
                self.tries += 1;
                let most = self.setup.client.resume_tries;
                assert!(self.tries <= most, "resume-tries: {} of {most}", self.tries);
            }
            Frame::Start => self.tries = 0,
            Frame::Message { payload, .. } => {
                let serial = serial(&payload);
                let found = self.given.values_mut().find(|given| given.serial == serial && given.fate.is_none());
                let given = found.unwrap_or_else(|| panic!("one-fate: {serial} is sent after its end"));
                let most = self.setup.most_payload;
                let fits = given.written || most == 0 || payload.len() as u64 <= most;
                assert!(fits, "too-large: {payload:?}, where the server takes {most}");
                self.counts.replayed += usize::from(given.written);
                given.written = true;
            }
            _ => {}
        }
    }

    pub(crate) fn on_plain(&mut self, payload: &Payload) {
        self.counts.plain += 1;
        let given = self.given.values_mut().find(|given| given.fate.is_none()).expect("one-fate: plain");
        assert_eq!(given.payload, *payload, "in-order: plain");
        given.fate = Some(Fate::Plain);
    }

    pub(crate) fn on_got(&mut self, payload: &Payload, servers: &mut ServerSide) {
        self.counts.got += 1;
        servers.on_got(payload);
    }

    /// What was sent and had no fate has the first ids; what was not is sent anew.
    pub(crate) fn on_restored(&mut self, unsent: &[Unacknowledged]) {
        let mut left: Vec<_> =
            std::mem::take(&mut self.given).into_values().filter(|given| given.fate.is_none()).collect();
        let not_sent = left.split_off(left.len() - unsent.len());
        assert!(not_sent.iter().map(|given| &given.payload).eq(unsent.iter().map(|message| &message.payload)));
        assert!(not_sent.iter().all(|given| !given.written), "saved: what was sent is in flight");
        self.given =
            (1..).map(MessageId).zip(left.into_iter().map(|given| Given { deadline: None, ..given })).collect();
        self.tries = 0;
    }

    pub(crate) fn on_event(&mut self, now: Timestamp, event: ClientEvent, servers: &ServerSide) {
        match event {
            ClientEvent::Delivered { up_to } => {
                let mut named = false;
                for (id, given) in self.given.range_mut(..=up_to).filter(|(_, given)| given.fate.is_none()) {
                    assert!(given.written, "delivered-is-true: {id:?} was never sent");
                    assert!(servers.was_committed(given.serial), "delivered-is-true: {id:?} was never committed");
                    given.fate = Some(Fate::Delivered);
                    named |= *id == up_to;
                }
                assert!(named, "one-fate: {up_to:?} is delivered for the second time");
            }
            ClientEvent::Dropped { id, payload, reason } => {
                self.counts.dropped += 1;
                let given = self.given.get_mut(&id).expect("it was given");
                assert_eq!((given.fate, given.written), (None, false), "one-fate: {id:?} is dropped");
                assert_eq!(given.payload, payload, "one-fate: another's payload");
                match reason {
                    GivenUp::Expired => assert!(given.deadline.is_some_and(|at| at <= now), "expired too early"),
                    GivenUp::TooLarge { most } => assert!(payload.len() as u64 > most, "not too large"),
                    GivenUp::Overflow => self.counts.full += 1,
                    other => panic!("{other:?}"),
                }
                given.fate = Some(Fate::Dropped);
            }
            ClientEvent::Lost(lost) => {
                self.counts.lost += 1;
                self.counts.in_doubt += lost.in_doubt.len();
                let sent = |given: &Given| given.fate.is_none() && given.written;
                let expected: Vec<_> = self.given.iter().filter(|(_, given)| sent(given)).map(|(id, _)| *id).collect();
                let named: Vec<_> = lost.in_doubt.iter().map(|message| message.id).collect();
                assert_eq!(named, expected, "in-doubt-is-exact: {:?}", lost.reason);
                for Unacknowledged { id, payload } in lost.in_doubt {
                    let given = self.given.get_mut(&id).expect("it was given");
                    assert_eq!(given.payload, payload, "one-fate: another's payload");
                    given.fate = Some(Fate::InDoubt);
                }
            }
            ClientEvent::Resumed { .. } => self.counts.resumed += 1,
            ClientEvent::Started { .. } | ClientEvent::Plain | ClientEvent::GoingAway(_) => {}
            other => panic!("{other:?}"),
        }
    }

    /// While this changes things go on.
    pub(crate) fn progress(&self, client: &Client) -> (usize, usize, bool, Option<Timestamp>) {
        (client.pending(), self.counts.got, client.is_open(), client.deadline())
    }

    pub(crate) fn assert_each_has_its_fate(&self) {
        for (id, given) in &self.given {
            assert!(given.fate.is_some(), "one-fate: {id:?} has none: {given:?}");
        }
    }
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.committed, other.committed),
            (&mut self.got, other.got),
            (&mut self.resumed, other.resumed),
            (&mut self.replayed, other.replayed),
            (&mut self.lost, other.lost),
            (&mut self.in_doubt, other.in_doubt),
            (&mut self.dropped, other.dropped),
            (&mut self.plain, other.plain),
            (&mut self.restored, other.restored),
            (&mut self.errors, other.errors),
            (&mut self.full, other.full),
        ] {
            *sum += more;
        }
    }
}
