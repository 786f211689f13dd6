//! The other end of a connection.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};
use socket2::SockRef;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, Message, Utf8Bytes, WebSocket};

use super::PATIENCE;

/// A server's half of an open WebSocket.
#[derive(Debug)]
pub(super) struct Peer {
    ws: WebSocket<Wire>,
    /// Which of its server's connections it is, from 0.
    #[cfg_attr(not(unix), allow(dead_code))]
    pub(super) number: usize,
    pub(super) request: Request,
}

/// What a peer hears.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Text(String),
    Pong(String),
    /// A close frame, with its code if it has one.
    Close(Option<u16>),
    /// The end of the connection, or nothing for too long.
    End,
}

/// How a connection ended: with a close frame of this code, or with none.
pub(super) type Ending = Option<u16>;

impl Peer {
    pub(super) fn accept(wire: Wire, number: usize, choice: Option<&'static str>) -> Option<Self> {
        wire.tcp().set_read_timeout(Some(PATIENCE)).ok()?;
        wire.tcp().set_nodelay(true).ok()?;
        let mut seen = None;
        #[allow(clippy::result_large_err)] // tungstenite's signature
        let callback = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            seen = Some(request.clone());
            if let Some(choice) = choice {
                let value = choice.parse().expect("a subprotocol is a token");
                response.headers_mut().insert("sec-websocket-protocol", value);
            }
            Ok(response)
        };
        let ws = tungstenite::accept_hdr(wire, callback).ok()?;
        Some(Self { ws, number, request: seen? })
    }

    pub(super) fn send(&mut self, text: &str) {
        self.ws.send(Message::text(text)).expect("the client is there");
    }

    pub(super) fn ping(&mut self, payload: &'static str) {
        self.ws.send(Message::Ping(payload.into())).expect("the client is there");
    }

    /// Sends a close frame and does not wait for the answer.
    pub(super) fn close(&mut self, code: u16) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: Utf8Bytes::from_static("") };
        self.ws.close(Some(frame)).expect("the client is there");
    }

    /// Sends these bytes as they are.
    pub(super) fn send_bytes(&mut self, bytes: &[u8]) {
        self.ws.get_mut().write_all(bytes).expect("the client is there");
    }

    /// Ends the connection without a word.
    pub(super) fn cut(self) {
        drop(self);
    }

    /// Ends the connection with a reset.
    pub(super) fn reset(self) {
        // Lingering for no time makes the kernel send one.
        SockRef::from(self.ws.get_ref().tcp()).set_linger(Some(Duration::ZERO)).expect("the socket is open");
    }

    /// The next that is not a ping.
    pub(super) fn hear(&mut self) -> Heard {
        loop {
            match self.ws.read() {
                Ok(Message::Text(text)) => return Heard::Text(text.to_string()),
                Ok(Message::Pong(payload)) => return Heard::Pong(String::from_utf8_lossy(&payload).into_owned()),
                Ok(Message::Close(frame)) => return Heard::Close(frame.map(|frame| frame.code.into())),
                Ok(Message::Ping(_) | Message::Binary(_) | Message::Frame(_)) => {}
                Err(_) => return Heard::End,
            }
        }
    }

    /// Hears all that comes until the connection ends.
    pub(super) fn listen(mut self) -> Job<Vec<Heard>> {
        Job::start(move || {
            let mut heard = Vec::new();
            while heard.last() != Some(&Heard::End) {
                heard.push(self.hear());
            }
            heard
        })
    }

    /// Sends the next text back.
    pub(super) fn echo_one(mut self) -> Job<Self> {
        Job::start(move || {
            let Heard::Text(text) = self.hear() else { panic!("not a text") };
            self.send(&text);
            self
        })
    }

    /// Sends every text back until the connection ends.
    pub(super) fn echo(mut self) -> Job<Ending> {
        Job::start(move || {
            // For as long as the client likes.
            let forever = self.ws.get_ref().tcp().set_read_timeout(None);
            forever.expect("the socket is open");
            loop {
                match self.hear() {
                    Heard::Text(text) => match self.ws.send(Message::text(text)) {
                        Ok(()) | Err(Error::Io(_)) => {}
                        Err(_) => return None,
                    },
                    Heard::Pong(_) => {}
                    Heard::Close(code) => {
                        // Answers, and waits for the end.
                        while self.hear() != Heard::End {}
                        return Some(code.unwrap_or(1005));
                    }
                    Heard::End => return None,
                }
            }
        })
    }
}

/// What a peer does while the story goes on.
#[derive(Debug)]
pub(super) struct Job<T>(JoinHandle<T>);

impl<T: Send + 'static> Job<T> {
    pub(super) fn start(work: impl FnOnce() -> T + Send + 'static) -> Self {
        Self(thread::spawn(work))
    }

    /// Waits for its end.
    pub(super) fn done(self) -> T {
        self.0.join().expect("a peer does not panic")
    }
}

/// TCP, encrypted or not.
#[derive(Debug)]
pub(super) enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Wire {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => &tls.sock,
        }
    }
}

impl Read for Wire {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(bytes),
            Self::Tls(tls) => tls.read(bytes),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}
