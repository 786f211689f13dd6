//! The server of the message cases: hand-written, a thread for each connection, in a process of its own, so that only the
//! client is counted.
//!
//! It answers in a way that leaves the client nothing to chance. `/echo/W` waits until it has W messages and writes the W
//! answers at once, so the client always waits once and is woken once. `/sink` answers only messages that begin with
//! [`LAST`]. `/pings` and `/bytes` are no WebSockets: they answer how many pings have come, and how many bytes came and went
//! after all handshakes.

use super::session::Half;
use crate::clocks::common_nanos;
use redial_session::SUBPROTOCOL;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_tungstenite::tungstenite::Bytes;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// First byte of a message that every server answers.
pub(crate) const LAST: u8 = 1;

const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FINAL: u8 = 0x80;

/// All pings of all connections.
static PINGS: AtomicU64 = AtomicU64::new(0);
/// What all connections brought and took after their handshakes.
static BYTES: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// The server as a child process; it ends with this.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    since: i64,
}

impl Server {
    /// Starts `bench server` on a free port.
    pub(crate) fn start() -> Self {
        Self::on(0)
    }

    /// Starts it on this port.
    pub(crate) fn on(port: u16) -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let mut child = Command::new(program)
            .args(["server", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("the server's address");
        let (address, since) = line.trim().split_once(' ').expect("the address and the time");
        Self { child, address: address.parse().expect("an address"), since: since.parse().expect("a time") }
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Since when, on the clock that all processes share.
    pub(crate) const fn since(&self) -> i64 {
        self.since
    }
}

/// How many pings the server has seen.
pub(crate) fn pings(server: SocketAddr) -> f64 {
    let [pings] = account(server, "pings");
    pings
}

/// How many bytes came to the server, and how many it has written.
pub(super) fn bytes(server: SocketAddr) -> [f64; 2] {
    account(server, "bytes")
}

fn account<const N: usize>(server: SocketAddr, name: &str) -> [f64; N] {
    let mut stream = TcpStream::connect(server).expect("a connection");
    write!(stream, "GET /{name} HTTP/1.1\r\n\r\n").expect("open");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let numbers: Vec<f64> = answer.split_whitespace().map(|word| word.parse().expect("a number")).collect();
    numbers.try_into().unwrap_or_else(|numbers| panic!("/{name} is {numbers:?}"))
}

/// With SIGKILL.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `bench server PORT`: prints its address and the time, and serves until it is killed.
pub(crate) fn serve(port: u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port is free");
    println!("{} {}", listener.local_addr().expect("an address"), common_nanos());
    for stream in listener.incoming().flatten() {
        let thread = std::thread::Builder::new().stack_size(128 * 1024);
        // A client that goes away without a word is no failure here.
        thread.spawn(move || drop(converse(stream))).expect("a thread");
    }
}

/// How a connection is answered.
enum Manner {
    Sink,
    Echo { window: usize },
}

fn converse(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (head, mut received) = read_head(&mut stream)?;
    if head.starts_with("GET /pings ") {
        return writeln!(stream, "{}", PINGS.load(Ordering::Relaxed));
    }
    if head.starts_with("GET /bytes ") {
        let [came, went] = BYTES.each_ref().map(|bytes| bytes.load(Ordering::Relaxed));
        return writeln!(stream, "{came} {went}");
    }
    let manner = manner(&head);
    let key = head.lines().find_map(|line| line.strip_prefix_ignoring_case("sec-websocket-key:")).unwrap_or_default();
    let accept = derive_accept_key(key.trim().as_bytes());
    let offer = head.lines().find_map(|line| line.strip_prefix_ignoring_case("sec-websocket-protocol:"));
    let session = offer.is_some_and(|offer| offer.contains(SUBPROTOCOL));
    let chosen = if session { format!("Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n") } else { String::new() };
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{chosen}\r\n"
    )?;
    let mut half = session.then(Half::default);

    let (mut answers, mut gathered, mut chunk) = (Vec::new(), 0, vec![0; 64 * 1024]);
    loop {
        let mut taken = 0;
        while let Some(frame) = received.get_mut(taken..).and_then(take_frame) {
            taken += frame.len;
            match frame.opcode {
                CLOSE => {
                    answer(&mut answers, CLOSE, frame.payload);
                    return write(&mut stream, &answers);
                }
                PING => {
                    PINGS.fetch_add(1, Ordering::Relaxed);
                    let mut pong = Vec::new();
                    answer(&mut pong, PONG, frame.payload);
                    write(&mut stream, &pong)?;
                }
                BINARY => {
                    let message = match &mut half {
                        Some(half) => half.receive(frame.payload),
                        None => Some(Bytes::copy_from_slice(frame.payload)),
                    };
                    let last = message.as_ref().is_some_and(|message| message.first() == Some(&LAST));
                    if let Some(message) = message.filter(|_| last || !matches!(manner, Manner::Sink)) {
                        match &mut half {
                            Some(half) => half.push(message),
                            None => answer(&mut answers, BINARY, &message),
                        }
                        gathered += 1;
                    }
                    let full = matches!(manner, Manner::Echo { window } if gathered == window);
                    if last || full {
                        while let Some(frame) = half.as_mut().and_then(Half::transmit) {
                            answer(&mut answers, BINARY, &frame);
                        }
                        write(&mut stream, &answers)?;
                        answers.clear();
                        gathered = 0;
                    }
                }
                _ => {}
            }
        }
        // Messages wait until their window is full; a welcome, and an acknowledgement of what one read has brought, don't.
        if let Some(half) = half.as_mut().filter(|_| gathered == 0) {
            while let Some(frame) = half.transmit() {
                answer(&mut answers, BINARY, &frame);
            }
            write(&mut stream, &answers)?;
            answers.clear();
        }
        received.drain(..taken);
        let n = stream.read(&mut chunk)?;
        if n == 0 {
            return Ok(());
        }
        BYTES[0].fetch_add(n as u64, Ordering::Relaxed);
        received.extend_from_slice(&chunk[..n]);
    }
}

/// Writes it all, and counts it first: who has it may ask.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    BYTES[1].fetch_add(bytes.len() as u64, Ordering::Relaxed);
    stream.write_all(bytes)
}

fn manner(head: &str) -> Manner {
    let path = head.split(' ').nth(1).unwrap_or_default();
    match path.strip_prefix("/echo/").and_then(|window| window.parse().ok()) {
        Some(window) => Manner::Echo { window },
        None => Manner::Sink,
    }
}

/// The request's head, and what came behind it.
fn read_head(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = received.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&received).into_owned(), rest));
        }
        let n = stream.read(&mut chunk)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        received.extend_from_slice(&chunk[..n]);
    }
}

struct Frame<'a> {
    opcode: u8,
    payload: &'a [u8],
    /// Of the whole frame.
    len: usize,
}

/// The whole masked frame (RFC 6455, section 5.2) at the front, unmasked in place; `None` while there is none.
fn take_frame(received: &mut [u8]) -> Option<Frame<'_>> {
    let (opcode, second) = (received.first()? & 0x0f, received.get(1)? & 0x7f);
    let (start, len) = match second {
        126 => (4, usize::from(u16::from_be_bytes(received.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(received.get(2..10)?.try_into().ok()?) as usize),
        len => (2, usize::from(len)),
    };
    let mask: [u8; 4] = received.get(start..start + 4)?.try_into().ok()?;
    let payload = received.get_mut(start + 4..start + 4 + len)?;
    for four in payload.chunks_mut(4) {
        four.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
    Some(Frame { opcode, payload, len: start + 4 + len })
}

fn answer(answers: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    answers.push(FINAL | opcode);
    match u16::try_from(payload.len()) {
        Ok(len @ 0..126) => answers.push(len as u8),
        Ok(len) => {
            answers.push(126);
            answers.extend(len.to_be_bytes());
        }
        Err(_) => {
            answers.push(127);
            answers.extend((payload.len() as u64).to_be_bytes());
        }
    }
    answers.extend_from_slice(payload);
}

trait StripPrefix {
    fn strip_prefix_ignoring_case(&self, prefix: &str) -> Option<&str>;
}

impl StripPrefix for str {
    fn strip_prefix_ignoring_case(&self, prefix: &str) -> Option<&str> {
        let head = self.get(..prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then(|| &self[prefix.len()..])
    }
}
