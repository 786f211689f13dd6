//! A client that does what it is told: it acknowledges nothing and answers no ping by itself.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use redial_session::{EndReason, Frame, Payload, SUBPROTOCOL, Secret, SessionId, Welcome};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Response};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

pub(crate) type Answer = Response<Option<Vec<u8>>>;

pub(crate) struct Client {
    pub(crate) web: WebSocketStream<Box<dyn Io>>,
}

pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Where a server is: a port, or the end of a pipe in this process, for tests whose time is virtual. There real sockets
/// would not do: while a byte is on its way, time would run.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Port(u16),
    Pipe(mpsc::Sender<DuplexStream>),
}

/// What a pipe holds: more than a connection reads ahead from its outbox, so that it may be written at once.
const PIPE: usize = 300 << 10;

impl From<u16> for Place {
    fn from(port: u16) -> Self {
        Self::Port(port)
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

impl Place {
    async fn connect(self) -> Box<dyn Io> {
        match self {
            Self::Port(port) => Box::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap()),
            Self::Pipe(door) => {
                let (ours, theirs) = tokio::io::duplex(PIPE);
                door.send(theirs).await.unwrap();
                Box::new(ours)
            }
        }
    }
}

/// How the server ended a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Closed(u16),
    Cut,
}

/// Dials, with these headers. The error is the server's answer.
pub(crate) async fn dial(
    place: impl Into<Place>,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<Client, Answer> {
    let mut request = format!("ws://chat.example{path}").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_str(value).unwrap());
    }
    match client_async(request, place.into().connect().await).await {
        Ok((web, _)) => Ok(Client { web }),
        Err(Error::Http(answer)) => Err(*answer),
        Err(error) => panic!("{error}"),
    }
}

/// Dials and offers `redial.v1`.
pub(crate) async fn offer(place: impl Into<Place>) -> Result<Client, Answer> {
    dial(place, "/ws/chat/", &[("sec-websocket-protocol", SUBPROTOCOL)]).await
}

/// A client with a new session.
pub(crate) async fn start(place: impl Into<Place>) -> (Client, Welcome) {
    let mut client = offer(place).await.unwrap();
    client.send(Frame::Start).await;
    let welcome = client.welcome().await;
    (client, welcome)
}

/// A client that goes on with a session.
pub(crate) async fn resume(place: impl Into<Place>, id: SessionId, secret: Secret, received: u64) -> (Client, Welcome) {
    let mut client = offer(place).await.unwrap();
    client.send(Frame::Resume { id, secret, received }).await;
    let welcome = client.welcome().await;
    (client, welcome)
}

impl Client {
    pub(crate) async fn send(&mut self, frame: Frame) {
        self.web.send(Message::Binary(frame.encode())).await.unwrap();
    }

    pub(crate) async fn say(&mut self, number: u64, text: &str) {
        self.send(Frame::Message { number, received: 0, payload: Payload::text(text) }).await;
    }

    /// The next frame; an error if the connection ends instead.
    pub(crate) async fn frame(&mut self) -> Result<Frame, End> {
        loop {
            match self.web.next().await {
                Some(Ok(Message::Binary(frame))) => return Ok(Frame::decode(frame).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(End::Closed(frame.code.into())),
                Some(Ok(Message::Close(None))) => return Err(End::Closed(1005)),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(_) | Message::Frame(_))) => {}
                Some(Err(_)) | None => return Err(End::Cut),
            }
        }
    }

    pub(crate) async fn welcome(&mut self) -> Welcome {
        match self.frame().await {
            Ok(Frame::Welcome(welcome)) => welcome,
            other => panic!("{other:?}"),
        }
    }

    /// The next message, and how far the server has got with it.
    pub(crate) async fn message(&mut self) -> (u64, String) {
        loop {
            match self.frame().await {
                Ok(Frame::Message { number, payload, .. }) => {
                    return (number, payload.as_text().unwrap().to_owned());
                }
                Ok(Frame::Ack { .. } | Frame::Ping { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads until the server has acknowledged this number.
    pub(crate) async fn until_acknowledged(&mut self, number: u64) {
        loop {
            match self.frame().await {
                Ok(Frame::Ack { received } | Frame::Message { received, .. }) if received >= number => return,
                Ok(Frame::Ack { .. } | Frame::Message { .. } | Frame::Ping { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads until the connection ends.
    pub(crate) async fn end(&mut self) -> (Option<EndReason>, End) {
        let mut reason = None;
        loop {
            match self.frame().await {
                Ok(Frame::End { reason: why }) => reason = Some(why),
                Ok(_) => {}
                Err(end) => return (reason, end),
            }
        }
    }

    /// A text of the plain protocol.
    pub(crate) async fn ask(&mut self, text: &str) -> String {
        self.web.send(Message::text(text)).await.unwrap();
        self.next_text().await
    }

    pub(crate) async fn next_text(&mut self) -> String {
        loop {
            match self.web.next().await {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Ping(_))) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// A text, whatever the protocol.
    pub(crate) async fn text(&mut self, text: &str) {
        // The server may have closed already.
        let _ = self.web.send(Message::text(text)).await;
    }

    /// Something that is no frame.
    pub(crate) async fn raw(&mut self, bytes: &'static [u8]) {
        self.web.send(Message::Binary(Bytes::from_static(bytes))).await.unwrap();
    }
}
