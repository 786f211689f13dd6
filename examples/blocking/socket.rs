//! One connection: std's TCP, rustls for `wss`, tungstenite's frames. And what went wrong, in the machine's words.

use crate::client::now;
use redial::{Cause, Micros, NetworkDetail, PingId};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::error::{Error, ProtocolError};
use tungstenite::handshake::HandshakeError;
use tungstenite::http::{HeaderValue, Response};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

/// What connections are made of.
pub struct Settings {
    pub urls: Vec<String>,
    /// By name and value.
    pub headers: Vec<(String, String)>,
    /// For `wss`.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    pub close_timeout: Micros,
}

pub enum Dialled {
    Open(Box<Socket>),
    Failed(Cause),
    OutOfTime,
}

pub enum Heard {
    Text(String),
    Pong(PingId),
    /// A sign of life.
    Control,
    /// A close frame.
    Close(Cause),
    /// The connection has ended without one.
    End(Cause),
    /// It is time for something else.
    Nothing,
}

/// An open connection.
pub struct Socket {
    ws: WebSocket<Box<dyn Stream>>,
    /// How long `ws` blocks.
    patience: Patience,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Settings {
    /// Blocks until the connection is open or has failed, or it is too late. (To find a name's address may take longer: std
    /// knows no timeout for that.)
    pub fn dial(&self, endpoint: u32, until: Option<Instant>) -> Dialled {
        self.try_dial(endpoint as usize, until).map_or_else(|failure| failure, |socket| Dialled::Open(Box::new(socket)))
    }

    fn try_dial(&self, endpoint: usize, until: Option<Instant>) -> Result<Socket, Dialled> {
        let wrong = |_| Dialled::Failed(Cause::Protocol);
        let mut request = self.urls[endpoint].as_str().into_client_request().map_err(|_| wrong(()))?;
        for (name, value) in &self.headers {
            let name = tungstenite::http::HeaderName::try_from(name).map_err(|_| wrong(()))?;
            request.headers_mut().insert(name, HeaderValue::try_from(value).map_err(|_| wrong(()))?);
        }
        let secure = request.uri().scheme_str() == Some("wss");
        let host = request.uri().host().unwrap_or_default().to_owned();
        let port = request.uri().port_u16().unwrap_or(if secure { 443 } else { 80 });

        let tcp = connect(&host, port, until)?;
        tcp.set_nodelay(true).map_err(|error| failed(&error))?;
        let patience = Patience::default();
        patience.set(until);
        let tcp = Patient { tcp, patience: patience.clone() };
        let stream: Box<dyn Stream> = if secure {
            let tls = self.tls.clone().and_then(|tls| {
                let name = rustls::pki_types::ServerName::try_from(host).ok()?;
                rustls::ClientConnection::new(tls, name).ok()
            });
            let tls = tls.ok_or(Dialled::Failed(Cause::network(NetworkDetail::Tls)))?;
            Box::new(rustls::StreamOwned::new(tls, tcp))
        } else {
            Box::new(tcp)
        };
        match tungstenite::client(request, stream) {
            Ok((ws, _)) => Ok(Socket { ws, patience }),
            Err(HandshakeError::Interrupted(_)) => Err(Dialled::OutOfTime),
            Err(HandshakeError::Failure(Error::Io(error))) => Err(failed(&error)),
            Err(HandshakeError::Failure(error)) => Err(Dialled::Failed(refusal(&error))),
        }
    }
}

/// The name's addresses, one after the other, each with its share of the time that is left; the last one's failure is the
/// dial's.
fn connect(host: &str, port: u16, until: Option<Instant>) -> Result<TcpStream, Dialled> {
    const UNRESOLVED: Dialled = Dialled::Failed(Cause::network(NetworkDetail::Dns));
    let host = host.trim_matches(['[', ']']); // as URLs write IPv6 addresses
    let addresses = (host, port).to_socket_addrs().map_err(|_| UNRESOLVED)?;
    let mut failure = UNRESOLVED;
    let mut untried = addresses.len() as u32;
    for address in addresses {
        // A time of 0 is not allowed.
        let share = left(until).map_or(Duration::MAX, |left| (left / untried).max(Duration::from_millis(1)));
        untried -= 1;
        match TcpStream::connect_timeout(&address, share) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failure = failed(&error),
        }
    }
    Err(failure)
}

impl Socket {
    pub fn send(&mut self, text: String) {
        let _ = self.ws.send(Message::text(text));
    }

    pub fn ping(&mut self, ping: PingId) {
        let _ = self.ws.send(Message::Ping(ping.0.to_be_bytes().to_vec().into()));
    }

    /// The next thing that the peer says. What is there already is heard, however late it is.
    pub fn hear(&mut self, until: Option<Instant>) -> Heard {
        self.patience.set(until);
        let heard = match self.ws.flush() {
            Err(error) if !is_out_of_time(&error) => Err(error),
            _ => self.ws.read(),
        };
        match heard {
            Ok(Message::Text(text)) => Heard::Text(text.to_string()),
            Ok(Message::Pong(payload)) => match payload[..].try_into() {
                Ok(id) => Heard::Pong(PingId(u64::from_be_bytes(id))),
                Err(_) => Heard::Control,
            },
            Ok(Message::Close(frame)) => Heard::Close(Cause::close(frame.map_or(1005, |frame| frame.code.into()))),
            Ok(Message::Ping(_) | Message::Binary(_) | Message::Frame(_)) => Heard::Control,
            Err(error) if is_out_of_time(&error) => Heard::Nothing,
            Err(error) => {
                self.complain(&error);
                Heard::End(failure(&error))
            }
        }
    }

    /// The close handshake, or what there is of it until then.
    pub fn close(mut self, until: Instant) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        self.patience.set(Some(until));
        let _ = self.ws.close(Some(frame)); // of the two sides' frames the first counts
        while self.ws.read().is_ok() && now() < until {}
    }

    /// RFC 6455, section 7.1.7: a peer that makes no sense should be told.
    fn complain(&mut self, error: &Error) {
        let code = match error {
            Error::Capacity(_) => CloseCode::Size,
            Error::Utf8(_) => CloseCode::Invalid,
            Error::Protocol(error) if *error != ProtocolError::ResetWithoutClosingHandshake => CloseCode::Protocol,
            _ => return,
        };
        let _ = self.ws.close(Some(CloseFrame { code, reason: "".into() }));
    }
}

/// How long there is until then; `None` for ever.
fn left(until: Option<Instant>) -> Option<Duration> {
    until.map(|until| until.saturating_duration_since(now()))
}

/// Until when a stream may block; `None` for ever.
#[derive(Clone, Default)]
struct Patience(Arc<Mutex<Option<Instant>>>);

impl Patience {
    fn set(&self, until: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    fn left(&self) -> Option<Duration> {
        left(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A stream that never blocks for longer, however often it is read: a peer may send its bytes one by one.
struct Patient {
    tcp: TcpStream,
    patience: Patience,
}

impl Patient {
    fn call<T>(
        &mut self,
        set_timeout: fn(&TcpStream, Option<Duration>) -> io::Result<()>,
        act: impl FnOnce(&mut TcpStream) -> io::Result<T>,
    ) -> io::Result<T> {
        let left = self.patience.left();
        if left != Some(Duration::ZERO) {
            set_timeout(&self.tcp, left)?;
            return act(&mut self.tcp);
        }
        // Too late to wait, but not for what has come already.
        self.tcp.set_nonblocking(true)?;
        let done = act(&mut self.tcp);
        self.tcp.set_nonblocking(false)?;
        done
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.call(TcpStream::set_read_timeout, |tcp| tcp.read(buffer))
    }
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.call(TcpStream::set_write_timeout, |tcp| tcp.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

fn is_out_of_time(error: &Error) -> bool {
    matches!(error, Error::Io(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

/// The cause of an open connection's error. 1006 stands for an end without a close frame (RFC 6455, section 7.1.5).
fn failure(error: &Error) -> Cause {
    match error {
        Error::Io(error) => network(error, Cause::close(1006)),
        Error::ConnectionClosed | Error::AlreadyClosed => Cause::close(1006),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Cause::close(1006),
        _ => Cause::Protocol,
    }
}

/// The cause of an answer that is no upgrade. (`Retry-After` may also be a date; that is left out here.)
fn refusal(error: &Error) -> Cause {
    let retry_after = |response: &Response<_>| {
        let seconds = response.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
        Some(Micros::from_secs(seconds).min(Micros::MAX_POLICY))
    };
    match error {
        Error::Http(response) => Cause::Http { status: response.status().as_u16(), retry_after: retry_after(response) },
        // The connection ended before the answer did.
        Error::Protocol(ProtocolError::HandshakeIncomplete) => Cause::network(NetworkDetail::Reset),
        _ => Cause::Protocol,
    }
}

fn failed(error: &io::Error) -> Dialled {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Dialled::OutOfTime,
        _ => Dialled::Failed(network(error, Cause::network(NetworkDetail::Reset))),
    }
}

fn network(error: &io::Error, end: Cause) -> Cause {
    if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
        return Cause::network(NetworkDetail::Tls);
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => Cause::network(NetworkDetail::Refused),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Cause::network(NetworkDetail::Unreachable),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            Cause::network(NetworkDetail::Reset)
        }
        ErrorKind::UnexpectedEof => end,
        _ => Cause::NETWORK,
    }
}
