//! `vectors/conversations.txt`, line by line, with both halves as they are.

use std::collections::VecDeque;
use std::fmt::Write as _;

use bytes::Bytes;
use redial::{Micros, Timestamp};
use redial_session::{
    AckPolicy, Advice, Client, ClientConfig, ClientEvent, EndReason, FromClient, FromServer, Greeting, LossReason,
    MessageId, Outcome, Payload, ProtocolError, Secret, Server, SessionId, Transmit, Welcome,
};

use crate::support::{hex, lines, unhex};

#[test]
fn every_conversation_of_the_vectors() {
    let (mut both, mut count) = (Both::new(), 0);
    for line in lines("conversations.txt") {
        let (word, rest) = line.split_once(' ').unwrap_or((line.as_str(), ""));
        if word == "conversation" {
            both.assert_quiet();
            both = Both { name: rest.to_owned(), ..Both::new() };
            count += 1;
        } else {
            both.line(word, rest);
        }
    }
    both.assert_quiet();
    assert!(count >= 15, "conversations: {count}");
}

struct Both {
    name: String,
    now: Timestamp,
    client: Client,
    /// By their ids, from 1.
    said: Vec<Payload>,
    server: Option<Server>,
    older: Option<Server>,
    stored: Option<Stored>,
    sessions: u8,
    took: VecDeque<String>,
    got: VecDeque<String>,
    error: Option<ProtocolError>,
    code: u16,
}

/// What outlives a connection.
struct Stored {
    id: SessionId,
    secret: Secret,
    committed: u64,
    acknowledged: u64,
    /// From the one after the last acknowledged.
    outbox: VecDeque<Payload>,
}

impl Both {
    fn new() -> Self {
        Self {
            name: "before the first".to_owned(),
            now: Timestamp::ZERO,
            client: Client::new(ClientConfig::default()),
            said: Vec::new(),
            server: None,
            older: None,
            stored: None,
            sessions: 0,
            took: VecDeque::new(),
            got: VecDeque::new(),
            error: None,
            code: 0,
        }
    }

    fn line(&mut self, word: &str, rest: &str) {
        let at = format!("{}: {word} {rest}", self.name);
        match word {
            "connect" => self.client.connected(),
            "c" | "c!" => {
                let frame = unhex(rest);
                match self.client.transmit(self.now) {
                    Some(Transmit::Frame(written)) => assert_eq!(hex(&written), rest, "{at}"),
                    Some(Transmit::Plain(_)) => panic!("{at}: plain"),
                    None => assert!(Self::is_foreign(&frame), "{at}: the client writes nothing"),
                }
                if word == "c" {
                    self.on_server(frame);
                }
            }
            "s" | "s!" => {
                let written = self.server.as_mut().and_then(|server| server.transmit(self.now)).unwrap_or_default();
                assert_eq!(hex(&written), rest, "{at}");
                if word == "s" {
                    self.on_client(written);
                }
            }
            "again" => self.on_client(unhex(rest)),
            "old" => {
                let written = self.older.as_mut().and_then(|server| server.transmit(self.now)).unwrap_or_default();
                assert_eq!(hex(&written), rest, "{at}");
            }
            "say" => self.say(Payload::text(rest)),
            "bytes" => self.say(Payload::binary(unhex(rest))),
            "push" => {
                let payload = Payload::text(rest);
                self.stored.as_mut().expect("a session").outbox.push_back(payload.clone());
                if let Some(server) = &mut self.server {
                    server.push(payload);
                }
            }
            "took" => assert_eq!(self.took.pop_front().as_deref(), Some(rest), "{at}"),
            "got" => assert_eq!(self.got.pop_front().as_deref(), Some(rest), "{at}"),
            "commit" => {
                let server = self.server.as_mut().expect("a connection");
                server.committed(self.now, server.received());
                self.stored.as_mut().expect("a session").committed = server.received();
            }
            "wait" => {
                self.now = self.now.saturating_add(Micros::from_millis(rest.parse().unwrap()));
                self.client.timeout(self.now);
            }
            "ping" => self.client.ping(rest.parse().unwrap()),
            "probe" => self.server.as_mut().expect("a connection").ping(rest.parse().unwrap()),
            "advise" => {
                let (min_delay, spread) = rest.split_once(' ').unwrap();
                let span = |text: &str| Some(Micros::from_millis(text.parse().unwrap()));
                let advice = Advice { min_delay: span(min_delay), spread: span(spread), ..Advice::default() };
                self.server.as_mut().expect("a connection").going_away(advice);
                self.code = 1012;
            }
            "end" => self.client.end(),
            "finish" => {
                let (reason, code) = match rest {
                    "done" => (EndReason::Done, 1000),
                    "overflow" => (EndReason::Overflow, 1013),
                    _ => panic!("{at}: no reason of a server's own"),
                };
                self.server.as_mut().expect("a connection").end(reason);
                self.stored = None;
                self.code = code;
            }
            "forget" => self.stored = None,
            "cut" => self.cut(),
            "hang" => {
                self.client.disconnected();
                self.older = self.server.take();
            }
            "close" => {
                let code = self.error.take().map_or(self.code, |error| error.close_code());
                assert_eq!(code.to_string(), rest, "{at}");
                self.cut();
            }
            "delivered" | "lost" => {
                let said = self.next_news();
                assert_eq!(said, line(word, rest), "{at}");
            }
            other => panic!("no such word: {other}"),
        }
    }

    /// What the server is sent by somebody who is no client of ours.
    fn is_foreign(frame: &Bytes) -> bool {
        redial_session::Frame::decode(frame.clone()).is_err()
    }

    fn say(&mut self, payload: Payload) {
        self.said.push(payload.clone());
        self.client.send(self.now, payload, None).unwrap();
    }

    fn on_server(&mut self, frame: Bytes) {
        let Some(server) = &mut self.server else {
            return self.greet(Greeting::decode(frame).unwrap());
        };
        match server.receive(frame) {
            Ok(FromClient::Message { payload, .. }) => self.took.push_back(readable(&payload)),
            Ok(FromClient::End) => (self.stored, self.code) = (None, 1000),
            Ok(FromClient::Pong(_) | FromClient::Nothing) => {}
            Err(error) => self.error = Some(error),
        }
        if let (Some(server), Some(stored)) = (&self.server, &mut self.stored) {
            while stored.acknowledged < server.acknowledged() {
                stored.outbox.pop_front();
                stored.acknowledged += 1;
            }
        }
    }

    fn greet(&mut self, greeting: Greeting) {
        let outcome = match greeting {
            Greeting::Start => Outcome::New,
            Greeting::Resume { id, secret, received } => match &mut self.stored {
                Some(stored) if (stored.id, stored.secret) == (id, secret) => {
                    stored.outbox.drain(..usize::try_from(received - stored.acknowledged).unwrap());
                    stored.acknowledged = received;
                    Outcome::Resumed
                }
                Some(_) | None => Outcome::Replaced,
            },
        };
        if outcome != Outcome::Resumed {
            let bytes = |first: u8| std::array::from_fn(|index| first + u8::try_from(index).unwrap());
            self.stored = Some(Stored {
                id: SessionId::from_bytes(bytes(0x10 * self.sessions)),
                secret: Secret::from_bytes(bytes(0xf0 - 0x10 * self.sessions)),
                committed: 0,
                acknowledged: 0,
                outbox: VecDeque::new(),
            });
            self.sessions += 1;
        }
        if let Some(older) = &mut self.older {
            older.end(EndReason::Superseded);
        }
        let stored = self.stored.as_ref().expect("just looked up or made");
        let welcome = Welcome {
            outcome,
            id: stored.id,
            secret: stored.secret,
            received: stored.committed,
            ttl: Micros::from_secs(300),
            most_payload: 1 << 20,
        };
        let mut server = Server::new(AckPolicy::default(), welcome, stored.acknowledged);
        stored.outbox.iter().cloned().for_each(|payload| server.push(payload));
        self.server = Some(server);
    }

    fn on_client(&mut self, frame: Bytes) {
        match self.client.receive(self.now, frame).unwrap() {
            FromServer::Message(payload) => {
                self.got.push_back(readable(&payload));
                self.client.taken(self.now);
            }
            FromServer::Welcome
            | FromServer::Pong(_)
            | FromServer::GoingAway(_)
            | FromServer::End(_)
            | FromServer::Stray
            | FromServer::Nothing => {}
        }
    }

    fn cut(&mut self) {
        self.assert_quiet();
        self.client.disconnected();
        (self.server, self.code) = (None, 0);
    }

    /// The next event about messages.
    fn next_news(&mut self) -> String {
        let said = |id: MessageId| readable(&self.said[usize::try_from(id.0).unwrap() - 1]);
        while let Some(event) = self.client.event() {
            match event {
                ClientEvent::Delivered { up_to } => return line("delivered", &said(up_to)),
                ClientEvent::Lost(lost) => {
                    let mut text = line("lost", word(lost.reason));
                    lost.in_doubt.iter().for_each(|message| write!(text, " {}", said(message.id)).unwrap());
                    return text;
                }
                ClientEvent::Started { .. } | ClientEvent::Resumed { .. } | ClientEvent::GoingAway(_) => {}
                other => panic!("{}: {other:?}", self.name),
            }
        }
        "nothing".to_owned()
    }

    fn assert_quiet(&mut self) {
        let name = &self.name;
        if self.error.is_none() {
            assert_eq!(self.client.transmit(self.now), None, "{name}: the client has more to say");
            let server = self.server.as_mut().and_then(|server| server.transmit(self.now));
            assert_eq!(server, None, "{name}: the server has more to say");
        }
        assert!(self.took.is_empty() && self.got.is_empty(), "{name}: {:?} {:?}", self.took, self.got);
        assert_eq!(self.next_news(), "nothing", "{}", self.name);
    }
}

fn line(word: &str, rest: &str) -> String {
    format!("{word} {rest}").trim_end().to_owned()
}

fn word(reason: LossReason) -> &'static str {
    match reason {
        LossReason::Unknown => "unknown",
        LossReason::Ended(EndReason::Overflow) => "overflow",
        LossReason::User => "user",
        other => panic!("{other:?} has no word"),
    }
}

fn readable(payload: &Payload) -> String {
    payload.as_text().map_or_else(|| ".".repeat(payload.len()), str::to_owned)
}
