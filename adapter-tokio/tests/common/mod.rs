//! What the tests share: a quick policy, servers on loopback, and waiting for what a client tells.

#![allow(dead_code, unreachable_pub)] // each test file uses its own part

use futures_util::{SinkExt, StreamExt};
use redial_tokio::redial::PolicyBuilder;
use redial_tokio::{
    Cause, Event, Jitter, Limit, Message, Micros, Notice, Phase, Policy, Reconnecting, WebSocket, WebSocketBuilder,
};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_tungstenite::{WebSocketStream, accept_async};

/// No wait in these tests is meant to be long: this bounds those that never end.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const fn ms(millis: u64) -> Micros {
    Micros::from_millis(millis)
}

/// Small delays without jitter; no limit, no budget, no pings.
pub fn quick() -> PolicyBuilder {
    Policy::builder()
        .base_delay(ms(10))
        .min_delay(ms(1))
        .max_delay(ms(40))
        .jitter(Jitter::None)
        .max_attempts(None)
        .stable_after(ms(10))
        .health_check_interval(None)
        .dial_budget(None)
}

pub fn client(url: &str, policy: PolicyBuilder) -> WebSocketBuilder {
    WebSocket::builder(url).policy(policy.build().unwrap()).seed(7)
}

pub fn connect(url: &str, policy: PolicyBuilder) -> Reconnecting {
    client(url, policy).build().unwrap()
}

/// A test's client and all that it told so far.
pub struct Client {
    pub socket: Reconnecting,
    pub seen: Vec<Event<Message>>,
}

impl Client {
    pub fn new(socket: Reconnecting) -> Self {
        Self { socket, seen: Vec::new() }
    }

    /// The first event from now on of which `pick` makes something.
    pub async fn until<T>(&mut self, what: &str, mut pick: impl FnMut(&Event<Message>) -> Option<T>) -> T {
        let found = async {
            while let Some(event) = self.socket.next().await {
                let picked = pick(&event);
                self.seen.push(event);
                if let Some(picked) = picked {
                    return Some(picked);
                }
            }
            None
        };
        let found = tokio::time::timeout(PATIENCE, found).await.ok().flatten();
        found.unwrap_or_else(|| panic!("no {what}; seen: {:#?}", self.seen))
    }

    pub async fn notice<T>(&mut self, what: &str, mut pick: impl FnMut(Notice) -> Option<T>) -> T {
        self.until(what, |event| if let Event::Notice(notice) = event { pick(*notice) } else { None }).await
    }

    pub async fn opened(&mut self) {
        self.notice("opened", |notice| matches!(notice, Notice::Opened { .. }).then_some(())).await;
    }

    pub async fn lost(&mut self) -> Cause {
        self.notice("lost", |notice| if let Notice::Lost { cause, .. } = notice { Some(cause) } else { None }).await
    }

    pub async fn attempt_failed(&mut self) -> Cause {
        self.notice(
            "attemptFailed",
            |notice| {
                if let Notice::AttemptFailed { cause, .. } = notice { Some(cause) } else { None }
            },
        )
        .await
    }

    pub async fn gave_up(&mut self) -> (Limit, u32, Cause) {
        self.notice("gaveUp", |notice| {
            if let Notice::GaveUp { limit, attempts, cause, .. } = notice {
                Some((limit, attempts, cause))
            } else {
                None
            }
        })
        .await
    }

    pub async fn phase(&mut self, phase: Phase) {
        self.notice(phase.as_str(), |notice| matches!(notice, Notice::Phase { to, .. } if to == phase).then_some(()))
            .await;
    }

    pub async fn text(&mut self) -> String {
        self.until(
            "text",
            |event| {
                if let Event::Message(Message::Text(text)) = event { Some(text.to_string()) } else { None }
            },
        )
        .await
    }

    pub async fn send(&mut self, text: &str) {
        let sent = tokio::time::timeout(PATIENCE, self.socket.send(Message::text(text))).await;
        sent.expect("the message is taken in time").expect("the message is taken");
    }

    /// What it told so far that `pick` makes something of.
    pub fn told<T>(&self, mut pick: impl FnMut(Notice) -> Option<T>) -> Vec<T> {
        self.seen
            .iter()
            .filter_map(|event| if let Event::Notice(notice) = event { pick(*notice) } else { None })
            .collect()
    }
}

/// A server on loopback that hands each connection, with its number from 0, to a closure.
pub struct Server {
    pub addr: SocketAddr,
    accepted: Arc<Mutex<Vec<Instant>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start<F, T>(serve: F) -> Self
    where
        F: FnMut(usize, TcpStream) -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        Self::at("127.0.0.1:0", serve).await
    }

    /// The same on another address.
    pub async fn at<F, T>(addr: &str, mut serve: F) -> Self
    where
        F: FnMut(usize, TcpStream) -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(addr).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&accepted);
        let task = tokio::spawn(async move {
            for n in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                log.lock().unwrap().push(Instant::now());
                tokio::spawn(serve(n, stream));
            }
        });
        Self { addr, accepted, task }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.addr)
    }

    /// When each connection was accepted.
    pub fn accepted(&self) -> Vec<Instant> {
        self.accepted.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An address at which nobody listens, and nobody can while this lives.
pub struct Refusing {
    pub addr: SocketAddr,
    _socket: socket2::Socket,
}

impl Refusing {
    pub fn new() -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        Self { addr: socket.local_addr().unwrap().as_socket().unwrap(), _socket: socket }
    }
}

/// The server's half of a WebSocket.
pub async fn accept(stream: TcpStream) -> WebSocketStream<TcpStream> {
    accept_async(stream).await.expect("the client shakes hands")
}

/// Sends every text back until the connection ends.
pub async fn echo(mut ws: WebSocketStream<TcpStream>) {
    while let Some(Ok(message)) = ws.next().await {
        if message.is_text() && ws.send(message).await.is_err() {
            return;
        }
    }
}

/// Reads a request's head, answers with these lines and closes; returns the head.
pub async fn answer(mut stream: TcpStream, lines: &str) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(format!("{lines}\n\n").replace('\n', "\r\n").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    String::from_utf8(head).unwrap()
}

/// Fails the test where it takes longer than any of these should.
pub async fn in_time<T>(what: &str, task: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, task).await.unwrap_or_else(|_| panic!("{what} takes too long"))
}
