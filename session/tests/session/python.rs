//! A server in another language, written from `docs/protocol.md` alone, and the client's half over real connections that
//! are cut at random moments.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use redial::{Micros, Timestamp};
use redial_session::{Client, ClientConfig, ClientEvent, FromServer, MessageId, Payload, SUBPROTOCOL, Transmit};
use server::{PythonServer, python};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::{Error, Message, WebSocket};

#[path = "../python/server.rs"]
mod server;

const CUTS: u32 = 100;

#[test]
fn the_vectors_hold_in_python() {
    let output = python("check_vectors.py").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn nothing_is_lost_or_comes_twice_over_a_hundred_cuts_with_a_server_in_python() {
    let server = PythonServer::start();
    let mut talk = Talk::new(0x5eed);
    while talk.cuts < CUTS {
        talk.connect(&server);
        let after = 1 + talk.random(30);
        talk.converse(|_, steps| steps >= after);
        talk.cut();
    }
    assert!(talk.resumed >= u64::from(CUTS) / 2, "resumed: {}", talk.resumed);

    // A last connection, for what is still on its way.
    talk.saying = false;
    talk.connect(&server);
    talk.converse(|talk, _| talk.client.pending() == 0 && talk.got == talk.expected());
    assert!(talk.said > 500, "said: {}", talk.said);
    assert_eq!(talk.delivered, Some(MessageId(talk.said)));
    println!("{} messages, {} answers, {} cuts, {} resumed", talk.said, talk.got, talk.cuts, talk.resumed);
}

#[test]
fn a_server_in_python_that_goes_away_says_so() {
    let server = PythonServer::start();
    let mut talk = Talk::new(1);
    talk.connect(&server);
    talk.converse(|talk, _| talk.got >= 10);
    assert!(Command::new("kill").arg(server.process.id().to_string()).status().unwrap().success());
    talk.converse(|talk, _| talk.closed.is_some());
    assert_eq!(talk.closed, Some(1012));
    assert!(talk.advised);
}

/// A client that says "m1", "m2", …, now and then "push 3", and knows what must come back.
struct Talk {
    client: Client,
    socket: Option<WebSocket<TcpStream>>,
    now: Timestamp,
    random: u64,
    saying: bool,
    said: u64,
    /// All answers to what was said, in order.
    answers: Vec<String>,
    got: usize,
    cuts: u32,
    resumed: u64,
    delivered: Option<MessageId>,
    advised: bool,
    closed: Option<u16>,
}

impl Talk {
    fn new(seed: u64) -> Self {
        Self {
            client: Client::new(ClientConfig::default()),
            socket: None,
            now: Timestamp::ZERO,
            random: seed,
            saying: true,
            said: 0,
            answers: Vec::new(),
            got: 0,
            cuts: 0,
            resumed: 0,
            delivered: None,
            advised: false,
            closed: None,
        }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    fn expected(&self) -> usize {
        self.answers.len()
    }

    fn connect(&mut self, server: &PythonServer) {
        let stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut request = format!("ws://127.0.0.1:{}/", server.port).into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", SUBPROTOCOL.parse().unwrap());
        let (socket, response) = tungstenite::client(request, stream).expect("a handshake");
        assert_eq!(response.headers()["Sec-WebSocket-Protocol"], SUBPROTOCOL);
        // So that reading ends when nothing comes; time goes by then.
        socket.get_ref().set_read_timeout(Some(Duration::from_millis(2))).unwrap();
        self.socket = Some(socket);
        self.client.connected();
    }

    /// Whatever is under way is lost, in both directions.
    fn cut(&mut self) {
        self.socket = None;
        self.client.disconnected();
        self.cuts += 1;
    }

    fn converse(&mut self, until: impl Fn(&Self, u64) -> bool) {
        for steps in 0.. {
            self.events();
            if until(self, steps) {
                return;
            }
            assert!(steps < 20_000, "the conversation has come to a halt: {:?}", self.client);
            if self.saying && self.random(2) == 0 {
                self.say();
            }
            let mut most = 1 + self.random(4);
            while most > 0 {
                let Some(Transmit::Frame(frame)) = self.client.transmit(self.now) else { break };
                let Some(socket) = &mut self.socket else { return };
                if socket.send(Message::Binary(frame)).is_err() {
                    break; // what comes is still to be read
                }
                most -= 1;
            }
            let most = self.random(4);
            for _ in 0..most {
                if !self.read() {
                    break;
                }
            }
        }
    }

    fn say(&mut self) {
        let payload = if self.random(10) == 0 {
            let count = 1 + self.random(5);
            self.answers.extend((1..=count).map(|n| format!("push {n}")));
            format!("push {count}")
        } else {
            let text = format!("m{}", self.said + 1);
            self.answers.push(text.clone());
            text
        };
        self.said += 1;
        assert_eq!(self.client.send(self.now, Payload::text(payload), None).unwrap(), MessageId(self.said));
    }

    /// Whether something came.
    fn read(&mut self) -> bool {
        let Some(socket) = &mut self.socket else { return false };
        match socket.read() {
            Ok(Message::Binary(frame)) => match self.client.receive(self.now, frame).expect("it speaks redial.v1") {
                FromServer::Message(payload) => {
                    assert_eq!(
                        payload.as_text(),
                        self.answers.get(self.got).map(String::as_str),
                        "answer {}",
                        self.got
                    );
                    self.got += 1;
                    self.client.taken(self.now);
                }
                FromServer::GoingAway(advice) => self.advised = advice.min_delay.is_some() && advice.spread.is_some(),
                FromServer::End(reason) => panic!("the server has ended the session: {reason:?}"),
                FromServer::Welcome | FromServer::Pong(_) | FromServer::Stray | FromServer::Nothing => {}
            },
            Ok(Message::Close(frame)) => self.closed = frame.map(|frame| frame.code.into()),
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Ok(other) => panic!("no frame: {other:?}"),
            Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.now = self.now.saturating_add(Micros::from_millis(2));
                self.client.timeout(self.now);
                return false;
            }
            Err(error) => assert!(self.closed.is_some(), "{error}"),
        }
        true
    }

    fn events(&mut self) {
        while let Some(event) = self.client.event() {
            match event {
                ClientEvent::Delivered { up_to } => {
                    assert!(self.delivered < Some(up_to), "delivered twice: {up_to:?}");
                    self.delivered = Some(up_to);
                }
                ClientEvent::Resumed { .. } => self.resumed += 1,
                ClientEvent::Started { .. } => assert_eq!(self.delivered, None, "a second session"),
                ClientEvent::GoingAway(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}
