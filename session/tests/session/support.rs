//! What the tests share.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use redial::{Micros, Timestamp};
use redial_session::{
    Client, ClientConfig, ClientEvent, Frame, Outcome, Payload, Secret, SessionId, Transmit, Welcome,
};

pub(crate) const ID: SessionId = SessionId::from_bytes([7; 16]);
pub(crate) const SECRET: Secret = Secret::from_bytes([9; 16]);
pub(crate) const NOW: Timestamp = Timestamp::ZERO;

pub(crate) fn welcome(outcome: Outcome, received: u64) -> Welcome {
    Welcome { outcome, id: ID, secret: SECRET, received, ttl: Micros::from_secs(300), most_payload: 0 }
}

/// On a connection that was just welcomed.
pub(crate) fn open(config: ClientConfig) -> Client {
    let mut client = Client::new(config);
    greet(&mut client, &welcome(Outcome::New, 0));
    client
}

/// A new connection, up to its welcome.
pub(crate) fn greet(client: &mut Client, welcome: &Welcome) {
    client.connected();
    frame(client).expect("a greeting");
    client.receive(NOW, Frame::Welcome(*welcome).encode()).expect("the welcome fits");
}

pub(crate) fn text(text: &str) -> Payload {
    Payload::text(text)
}

/// What the client writes next.
pub(crate) fn frame(client: &mut Client) -> Option<Frame> {
    match client.transmit(NOW)? {
        Transmit::Frame(bytes) => Some(decode(bytes)),
        Transmit::Plain(_) => panic!("plain, on a connection that is not"),
    }
}

pub(crate) fn frames(client: &mut Client) -> Vec<Frame> {
    std::iter::from_fn(|| frame(client)).collect()
}

pub(crate) fn events(client: &mut Client) -> Vec<ClientEvent> {
    std::iter::from_fn(|| client.event()).collect()
}

pub(crate) fn decode(bytes: Bytes) -> Frame {
    Frame::decode(bytes).expect("what we write is a frame")
}

/// The lines of a file of vectors that say something, without their comments.
pub(crate) fn lines(name: &str) -> impl Iterator<Item = String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    let text = fs::read_to_string(path).expect("the vectors are there");
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once("  #").map_or(line, |(before, _)| before).trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    lines.into_iter()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// "-" is no bytes.
pub(crate) fn unhex(text: &str) -> Bytes {
    let digits: Vec<u8> = text
        .trim_matches('-')
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16).expect("a digit")).expect("below 16"))
        .collect();
    assert_eq!(digits.len() % 2, 0, "{text}");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
