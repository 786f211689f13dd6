//! An axum service that keeps one WebSocket to an upstream server, which goes away and comes back.
//!
//! `cargo run -p redial-examples --bin axum_upstream` runs to its end by itself: it is the service, its upstream and its
//! visitor.

#![allow(clippy::wildcard_enum_match_arm)] // events are many and may become more: a reader takes what it needs

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use redial_tokio::{
    Event, Handle, Message, Micros, Notice, OutboxLimits, Phase, Policy, Reconnecting, SinkExt, Status, StreamExt,
    WebSocket, tungstenite,
};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::error::Error;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tungstenite::protocol::frame::coding::CloseCode;

/// What the routes have of the upstream connection: its status at any time, and a way to ask its task.
#[derive(Clone)]
struct Upstream {
    handle: Handle<Message>,
    questions: mpsc::Sender<Question>,
}

struct Question {
    text: String,
    answer: oneshot::Sender<String>,
}

fn routes(upstream: Upstream) -> Router {
    Router::new().route("/health", get(health)).route("/say", post(say)).with_state(upstream)
}

/// 503 tells a load balancer to send nobody here for now.
async fn health(State(upstream): State<Upstream>) -> (StatusCode, Json<Value>) {
    let Status { phase, quality, latency, .. } = upstream.handle.status();
    let status = if phase == Phase::Open { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "phase": phase.as_str(),
        "quality": quality.map(|quality| quality.as_str()),
        "latencyMicros": latency.map(Micros::as_micros),
    });
    (status, Json(body))
}

async fn say(State(upstream): State<Upstream>, text: String) -> Result<String, StatusCode> {
    let (answer, answered) = oneshot::channel();
    let asked = upstream.questions.send(Question { text, answer }).await;
    asked.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    // An answer, or the question was dropped: the connection was not there, or was lost. Health checks bound the wait.
    answered.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

/// The one task that owns the connection. This upstream answers in order; where one does not, messages need ids.
async fn keep(mut upstream: Reconnecting, mut questions: mpsc::Receiver<Question>) {
    let mut waiting: VecDeque<oneshot::Sender<String>> = VecDeque::new();
    loop {
        tokio::select! {
            event = upstream.next() => match event {
                Some(Event::Message(Message::Text(text))) => {
                    if let Some(answer) = waiting.pop_front() {
                        // Whoever asked may have hung up.
                        drop(answer.send(text.to_string()));
                    }
                }
                Some(Event::Notice(Notice::Lost { cause, .. })) => {
                    println!("-- upstream lost: {cause}");
                    waiting.clear();
                }
                Some(Event::Notice(Notice::Opened { .. })) => println!("-- upstream open"),
                Some(_) => {}
                None => return,
            },
            Some(Question { text, answer }) = questions.recv() => {
                // The outbox is of size 0: what can't be sent now is not sent later, when nobody waits for the answer.
                if upstream.send(Message::text(text)).await.is_ok() {
                    waiting.push_back(answer);
                }
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (addr, server) = Server::start("127.0.0.1:0").await?;

    let policy = Policy::resilient()
        .to_builder()
        .base_delay(Micros::from_millis(50))
        .min_delay(Micros::from_millis(10))
        .max_delay(Micros::from_millis(200))
        .health_check_interval(Micros::from_millis(50))
        .ping_timeout(Micros::from_secs(2))
        .dial_budget(None)
        .build()?;
    let nothing = OutboxLimits { messages: 0, ..OutboxLimits::default() };
    let connection = WebSocket::builder(format!("ws://{addr}/")).policy(policy).outbox(nothing).build()?;
    let handle = connection.handle();
    let (questions, asked) = mpsc::channel(16);
    let keeper = tokio::spawn(keep(connection, asked));

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let visitor = Visitor::new(listener.local_addr()?);
    let (shut_down, down) = oneshot::channel::<()>();
    let app = routes(Upstream { handle: handle.clone(), questions });
    let service = axum::serve(listener, app).with_graceful_shutdown(async { drop(down.await) });
    let service = tokio::spawn(service.into_future());

    follow(&handle, |status| status.phase == Phase::Open && status.latency.is_some()).await?;
    visitor.health(200).await?;
    visitor.say("hello", 200, "HELLO").await?;

    server.kill();
    follow(&handle, |status| status.phase != Phase::Open).await?;
    visitor.health(503).await?;
    visitor.say("anybody there?", 503, "").await?;

    let (_, mut server) = Server::start(&addr.to_string()).await?;
    follow(&handle, |status| status.phase == Phase::Open).await?;
    visitor.health(200).await?;
    visitor.say("welcome back", 200, "WELCOME BACK").await?;

    // First the visitors, then the upstream: whoever is being served may still need it.
    drop((visitor, shut_down));
    service.await??;
    println!("-- the service is down");
    handle.stop();
    keeper.await?;
    let code = server.closed_with.recv().await;
    println!("-- upstream was closed with {}", code.map_or(0, u16::from));
    if code == Some(CloseCode::Normal) { Ok(()) } else { Err("no close handshake".into()) }
}

/// Waits until the connection stands so.
async fn follow(handle: &Handle<Message>, wanted: impl Fn(Status) -> bool) -> Result<(), Box<dyn Error>> {
    let mut watch = handle.watch();
    let mut status = Some(watch.status());
    while let Some(now) = status {
        if wanted(now) {
            return Ok(());
        }
        status = watch.changed().await;
    }
    Err("the upstream connection is gone".into())
}

/// Whoever uses the service.
struct Visitor {
    addr: SocketAddr,
    client: Client<hyper_util::client::legacy::connect::HttpConnector, String>,
}

impl Visitor {
    fn new(addr: SocketAddr) -> Self {
        Self { addr, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    async fn health(&self, status: u16) -> Result<(), Box<dyn Error>> {
        let body = self.ask("GET", "/health", "", status).await?;
        println!("GET /health {status} {body}");
        Ok(())
    }

    async fn say(&self, text: &str, status: u16, answer: &str) -> Result<(), Box<dyn Error>> {
        let body = self.ask("POST", "/say", text, status).await?;
        println!("POST /say {text:?} {status} {body:?}");
        if body == answer { Ok(()) } else { Err(format!("the answer was to be {answer:?}").into()) }
    }

    async fn ask(&self, method: &str, path: &str, body: &str, status: u16) -> Result<String, Box<dyn Error>> {
        let uri = format!("http://{}{path}", self.addr);
        let request = axum::http::Request::builder().method(method).uri(uri).body(body.to_owned())?;
        let response = self.client.request(request).await?;
        let got = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        if got == status { Ok(body) } else { Err(format!("{method} {path}: {got}, not {status}: {body}").into()) }
    }
}

/// The upstream server: says everything louder.
struct Server {
    task: JoinHandle<()>,
    /// The codes of the clients' close frames.
    closed_with: mpsc::Receiver<CloseCode>,
}

impl Server {
    async fn start(addr: &str) -> std::io::Result<(SocketAddr, Self)> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let (closed, closed_with) = mpsc::channel(16);
        let task = tokio::spawn(async move {
            let mut clients = JoinSet::new(); // they end with this task
            while let Ok((stream, _)) = listener.accept().await {
                clients.spawn(shout(stream, closed.clone()));
            }
        });
        Ok((addr, Self { task, closed_with }))
    }

    /// Without a word to its clients.
    fn kill(self) {
        self.task.abort();
    }
}

async fn shout(stream: TcpStream, closed: mpsc::Sender<CloseCode>) -> Result<(), tungstenite::Error> {
    let mut client = tokio_tungstenite::accept_async(stream).await?;
    while let Some(message) = client.next().await {
        match message? {
            Message::Text(text) => client.send(Message::text(text.to_uppercase())).await?,
            Message::Close(Some(frame)) => drop(closed.send(frame.code).await),
            _ => {}
        }
    }
    Ok(())
}
