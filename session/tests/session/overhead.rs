//! What the protocol adds to the bytes on the wire, to the byte: acknowledgements, and what WebSocket's own headers grow by
//! (RFC 6455, section 5.2), in both directions.

use redial::{Micros, Timestamp};
use redial_session::{
    AckPolicy, Client, ClientConfig, FromClient, FromServer, Outcome, Payload, SavedSession, Server, Transmit, Welcome,
};

use crate::support::{ID, SECRET, greet, welcome};

const PAYLOAD: usize = 100;
const MESSAGES: usize = 1_000;

/// A session in which each direction has had so many messages.
struct Wire {
    client: Client,
    server: Server,
    now: Timestamp,
    /// More than the same messages would take without the protocol.
    extra: usize,
    messages: usize,
}

impl Wire {
    fn after(count: u64) -> Self {
        let welcome = Welcome { received: count, ..welcome(Outcome::Resumed, 0) };
        let saved = SavedSession {
            id: ID,
            secret: SECRET,
            received: count,
            acknowledged: count,
            ttl: welcome.ttl,
            in_flight: Vec::new(),
        };
        let mut client = Client::restore(ClientConfig::default(), saved);
        greet(&mut client, &welcome);
        let now = Timestamp::ZERO;
        let mut server = Server::new(AckPolicy::default(), welcome, count);
        server.transmit(now).expect("the welcome");
        Self { client, server, now, extra: 0, messages: 0 }
    }

    fn say(&mut self) {
        self.client.send(self.now, payload(), None).unwrap();
        self.messages += 1;
    }

    fn push(&mut self) {
        self.server.push(payload());
        self.messages += 1;
    }

    /// Everything that is to be written now; how many messages came to the server.
    fn exchange(&mut self) -> usize {
        let mut came = 0;
        while let Some(Transmit::Frame(frame)) = self.client.transmit(self.now) {
            self.extra += frame.len() + header(frame.len()) + MASK;
            if let FromClient::Message { number, .. } = self.server.receive(frame).unwrap() {
                self.extra -= PAYLOAD + header(PAYLOAD) + MASK;
                self.server.committed(self.now, number);
                came += 1;
            }
        }
        while let Some(frame) = self.server.transmit(self.now) {
            self.extra += frame.len() + header(frame.len());
            if let FromServer::Message(_) = self.client.receive(self.now, frame).unwrap() {
                self.client.taken(self.now);
                self.extra -= PAYLOAD + header(PAYLOAD);
            }
        }
        came
    }

    fn wait(&mut self, millis: u64) {
        for _ in 0..millis.div_ceil(10) {
            self.now = self.now.saturating_add(Micros::from_millis(10));
            self.exchange();
        }
    }
}

/// What a client's WebSocket frames have besides.
const MASK: usize = 4;

fn header(length: usize) -> usize {
    match length {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    }
}

fn payload() -> Payload {
    Payload::binary(vec![0; PAYLOAD])
}

/// Per thousand messages, from the first on; in the two-millionth; and in the billionth, where numbers have 5 bytes.
fn extra(each: impl Fn(&mut Wire)) -> [usize; 3] {
    let measured = [0, 2_000_000, 1_000_000_000].map(|before| {
        let mut wire = Wire::after(before);
        while wire.messages < MESSAGES {
            each(&mut wire);
        }
        wire.wait(100);
        assert_eq!((wire.client.pending(), wire.messages), (0, MESSAGES));
        wire.extra
    });
    assert!(measured[..2].iter().all(|extra| *extra <= 16 * MESSAGES), "{measured:?}");
    measured
}

#[test]
fn a_message_a_second_from_the_client() {
    let measured = extra(|wire| {
        wire.say();
        wire.exchange();
        wire.wait(1_000);
    });
    assert_eq!(measured, [8_746, 11_000, 15_000]);
}

#[test]
fn a_message_a_second_from_the_server() {
    let measured = extra(|wire| {
        wire.push();
        wire.exchange();
        wire.wait(1_000);
    });
    assert_eq!(measured, [12_746, 15_000, 19_000]);
}

#[test]
fn a_flood_from_the_client() {
    let measured = extra(|wire| {
        wire.say();
        wire.exchange();
    });
    assert_eq!(measured, [4_030, 5_192, 7_256]);
}

#[test]
fn a_flood_from_the_server() {
    let measured = extra(|wire| {
        wire.push();
        wire.exchange();
    });
    assert_eq!(measured, [4_158, 5_320, 7_384]);
}

#[test]
fn questions_and_answers() {
    let measured = extra(|wire| {
        wire.say();
        wire.exchange();
        wire.push();
        wire.exchange();
    });
    assert_eq!(measured, [4_500, 7_008, 11_008]);
}
