//! A client that does what it is told: it acknowledges nothing and answers no ping by itself.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use redial_session::{EndReason, Frame, Payload, SUBPROTOCOL, Secret, SessionId, Welcome};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Response};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

pub type Answer = Response<Option<Vec<u8>>>;

pub struct Client {
    pub web: WebSocketStream<TcpStream>,
}

/// How the server ended a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    Closed(u16),
    Cut,
}

/// Dials, with these headers. The error is the server's answer.
pub async fn dial(port: u16, path: &str, headers: &[(&'static str, &str)]) -> Result<Client, Answer> {
    let mut request = format!("ws://127.0.0.1:{port}{path}").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_str(value).unwrap());
    }
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    match client_async(request, stream).await {
        Ok((web, _)) => Ok(Client { web }),
        Err(Error::Http(answer)) => Err(*answer),
        Err(error) => panic!("{error}"),
    }
}

/// Dials and offers `redial.v1`.
pub async fn offer(port: u16) -> Result<Client, Answer> {
    dial(port, "/ws/chat/", &[("sec-websocket-protocol", SUBPROTOCOL)]).await
}

/// A client with a new session.
pub async fn start(port: u16) -> (Client, Welcome) {
    let mut client = offer(port).await.unwrap();
    client.send(Frame::Start).await;
    let welcome = client.welcome().await;
    (client, welcome)
}

/// A client that goes on with a session.
pub async fn resume(port: u16, id: SessionId, secret: Secret, received: u64) -> (Client, Welcome) {
    let mut client = offer(port).await.unwrap();
    client.send(Frame::Resume { id, secret, received }).await;
    let welcome = client.welcome().await;
    (client, welcome)
}

impl Client {
    pub async fn send(&mut self, frame: Frame) {
        self.web.send(Message::Binary(frame.encode())).await.unwrap();
    }

    pub async fn say(&mut self, number: u64, text: &str) {
        self.send(Frame::Message { number, received: 0, payload: Payload::text(text) }).await;
    }

    /// The next frame; an error if the connection ends instead.
    pub async fn frame(&mut self) -> Result<Frame, End> {
        loop {
            match self.web.next().await {
                Some(Ok(Message::Binary(frame))) => return Ok(Frame::decode(frame).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(End::Closed(frame.code.into())),
                Some(Ok(Message::Close(None))) => return Err(End::Closed(1005)),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => return Err(End::Cut),
            }
        }
    }

    pub async fn welcome(&mut self) -> Welcome {
        match self.frame().await {
            Ok(Frame::Welcome(welcome)) => welcome,
            other => panic!("{other:?}"),
        }
    }

    /// The next message, and how far the server has got with it.
    pub async fn message(&mut self) -> (u64, String) {
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
    pub async fn until_acknowledged(&mut self, number: u64) {
        loop {
            match self.frame().await {
                Ok(Frame::Ack { received } | Frame::Message { received, .. }) if received >= number => return,
                Ok(Frame::Ack { .. } | Frame::Message { .. } | Frame::Ping { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads until the connection ends.
    pub async fn end(&mut self) -> (Option<EndReason>, End) {
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
    pub async fn ask(&mut self, text: &str) -> String {
        self.web.send(Message::text(text)).await.unwrap();
        match self.web.next().await {
            Some(Ok(Message::Text(text))) => text.to_string(),
            other => panic!("{other:?}"),
        }
    }

    /// Something that is no frame.
    pub async fn raw(&mut self, bytes: &'static [u8]) {
        self.web.send(Message::Binary(Bytes::from_static(bytes))).await.unwrap();
    }
}
