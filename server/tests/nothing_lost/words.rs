//! What is said: each message can be told from its number, and its number from the message.

use redial_server::Payload;

use crate::random::Random;

/// The room that everybody is in.
pub(crate) const ROOM: &str = "all";

/// The longest message.
pub(crate) const LONGEST: usize = 200 << 10;

/// The client's message of this number. Some have no bytes; one in a few hundred has 200 KiB.
pub(crate) fn message(client: u64, number: u64) -> Payload {
    if is_empty(number) {
        return if number % 2 == 0 { Payload::text("") } else { Payload::binary(Vec::new()) };
    }
    let mut random = Random::new((client << 40) ^ number);
    random.next();
    let filler = match random.between(0, 399) {
        0 => LONGEST - 24,
        1..=19 => random.between(0, 8 << 10) as usize,
        _ => random.between(0, 120) as usize,
    };
    let mut bytes = format!("{client} {number} ").into_bytes();
    bytes.resize(bytes.len() + filler, b'a' + (random.next() % 26) as u8);
    if random.percent(50) { Payload::text(String::from_utf8(bytes).unwrap()) } else { Payload::binary(bytes) }
}

/// Never two in a row, so that the numbers beside tell its own.
pub(crate) const fn is_empty(number: u64) -> bool {
    number % 16 == 5
}

/// The number of a client's message that came after the one of number `before`; `None` if it is no message of this client's.
pub(crate) fn number(client: u64, before: u64, message_bytes: &[u8]) -> Option<u64> {
    let number = if message_bytes.is_empty() {
        before + 1
    } else {
        let mut words = message_bytes.splitn(3, |byte| *byte == b' ');
        let mut next = || std::str::from_utf8(words.next()?).ok()?.parse::<u64>().ok();
        if next()? != client {
            return None;
        }
        next()?
    };
    (message(client, number).bytes() == message_bytes).then_some(number)
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// You are known by this.
    You(u64),
    /// This is what you said.
    Echo(Vec<u8>),
    /// Somebody in the room said this.
    Room(u64, Vec<u8>),
    /// A server process says its next number.
    Tick(u64, u64),
    /// Somebody's session has ended.
    Ended(u64),
}

impl Said {
    pub(crate) fn payload(&self) -> Payload {
        match self {
            Self::You(alias) => Payload::text(format!("y{alias:016x}")),
            Self::Echo(bytes) if bytes.is_empty() => Payload::binary(Vec::new()),
            Self::Echo(bytes) => Payload::binary([b"e", &bytes[..]].concat()),
            Self::Room(alias, bytes) => Payload::binary([format!("b{alias:016x}").as_bytes(), bytes].concat()),
            Self::Tick(process, number) => Payload::text(format!("t{process:016x}{number:016x}")),
            Self::Ended(alias) => Payload::text(format!("x{alias:016x}")),
        }
    }

    pub(crate) fn of(payload: &Payload) -> Option<Self> {
        let bytes = payload.bytes();
        let Some((kind, rest)) = bytes.split_first() else { return Some(Self::Echo(Vec::new())) };
        let word = |at: usize| u64::from_str_radix(std::str::from_utf8(rest.get(at..at + 16)?).ok()?, 16).ok();
        Some(match kind {
            b'y' => Self::You(word(0)?),
            b'e' => Self::Echo(rest.to_vec()),
            b'b' => Self::Room(word(0)?, rest[16..].to_vec()),
            b't' => Self::Tick(word(0)?, word(16)?),
            b'x' => Self::Ended(word(0)?),
            _ => return None,
        })
    }
}
