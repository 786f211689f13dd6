//! Connections that come to nothing, on virtual time.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use redial_server::store::{Effect, Ended, MemoryStore, SessionStore, StoreSettings};
use redial_server::{Application, Limits, Payload, SessionInfo, Sessions};
use redial_session::{Frame, Outcome, close_code};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::client::{End, offer, resume, start};
use crate::server::{echo, memory, serve, serve_echo, serve_pipe};

#[tokio::test(start_paused = true)]
async fn a_greeting_that_does_not_come_is_4408() {
    let (place, _sessions) = serve_pipe(Sessions::builder(memory(), echo)).await;
    let began = Instant::now();
    let mut client = offer(&place).await.unwrap();
    assert_eq!(client.end().await, (None, End::Closed(close_code::GREETING_TIMEOUT)));
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_pinged_and_then_cut() {
    let (place, _sessions) = serve_pipe(Sessions::builder(memory(), echo)).await;
    let (mut client, _) = start(&place).await;
    let began = Instant::now();
    assert_eq!(client.frame().await, Ok(Frame::Ping { id: 1 }));
    assert_eq!(began.elapsed().as_secs(), 30);
    client.send(Frame::Pong { id: 1 }).await;
    assert_eq!(client.frame().await, Ok(Frame::Ping { id: 2 }));
    assert_eq!(client.end().await, (None, End::Cut));
    assert_eq!(began.elapsed().as_secs(), 30 + 30 + 15);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_cut_and_what_was_meant_for_it_waits() {
    let settings = StoreSettings { outbox_bytes: 8 << 20, ..StoreSettings::default() };
    let store = Arc::new(MemoryStore::new(settings));
    let limits = Limits { ping_interval: Duration::from_secs(1000), ..Limits::default() };
    let (place, sessions) = serve_pipe(Sessions::builder(store, join_all).limits(limits)).await;
    let (mut client, welcome) = start(&place).await;
    client.say(1, "in").await;
    client.until_acknowledged(1).await;
    let began = Instant::now();
    for _ in 0..100 {
        sessions.broadcast("all", Payload::text("x".repeat(10_000))).await.unwrap();
    }
    sessions.until_connections(0).await;
    assert_eq!(began.elapsed().as_secs(), 20);
    drop(client);

    let (mut client, resumed) = resume(&place, welcome.id, welcome.secret, 0).await;
    assert_eq!(resumed.outcome, Outcome::Resumed);
    for number in 1..=100 {
        assert_eq!(client.message().await.0, number);
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_goes_on_when_the_client_takes_at_once_all_that_was_read_ahead() {
    let limits = Limits { send_ahead_bytes: 64 << 10, ..Limits::default() };
    let (place, sessions) = serve_pipe(Sessions::builder(memory(), join_all).limits(limits)).await;
    let (mut client, _) = start(&place).await;
    client.say(1, "in").await;
    client.until_acknowledged(1).await;
    let began = Instant::now();
    for _ in 0..80 {
        sessions.broadcast("all", Payload::text("x".repeat(10_000))).await.unwrap();
    }
    // Until the pipe is full.
    tokio::time::advance(Duration::from_secs(1)).await;
    for number in 1..=80 {
        assert_eq!(client.message().await.0, number);
    }
    assert_eq!(began.elapsed().as_secs(), 1);
}

#[tokio::test]
async fn a_request_whose_head_does_not_come_is_cut() {
    let limits = Limits { greeting_timeout: Duration::from_millis(100), ..Limits::default() };
    let server = serve(Sessions::builder(memory(), echo).limits(limits)).await;
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nX-Slow: ").await.unwrap();
    let mut answer = Vec::new();
    let began = Instant::now();
    // It ends; what it says is hyper's.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    // By itself hyper waits for 30 seconds.
    assert!(began.elapsed() < Duration::from_secs(25));
}

fn join_all(_: &SessionInfo, _: Payload) -> Vec<Effect> {
    vec![Effect::Join("all".into())]
}

/// Notes what it is told.
struct Diary {
    notes: Arc<Mutex<Vec<String>>>,
}

impl Application for Diary {
    async fn on_message(&self, _: &SessionInfo, _: Payload) -> Vec<Effect> {
        vec![Effect::Join("r".into())]
    }

    async fn on_start(&self, session: &SessionInfo) -> Vec<Effect> {
        self.notes.lock().unwrap().push("start".into());
        vec![Effect::Reply(Payload::text(format!("welcome {:?}", session.user)))]
    }

    async fn on_end(&self, ended: &Ended) -> Vec<Effect> {
        self.notes.lock().unwrap().push(format!("end {:?}", ended.rooms));
        let left = Payload::text("left");
        let rooms = ended.rooms.iter().cloned();
        rooms.map(|room| Effect::Broadcast { room, payload: left.clone(), to_self: true, keep: false }).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_client_does_not_come_back_ends_after_its_time_and_not_before() {
    let store: Arc<dyn SessionStore> = memory();
    let notes = Arc::<Mutex<Vec<String>>>::default();
    let diary = Diary { notes: Arc::clone(&notes) };
    let (place, sessions) = serve_pipe(Sessions::builder(store, diary)).await;
    let (mut stays, _) = start(&place).await;
    let (mut goes, welcome) = start(&place).await;
    assert_eq!(goes.message().await, (1, "welcome None".to_owned()));
    for client in [&mut stays, &mut goes] {
        client.say(1, "in").await;
        client.until_acknowledged(1).await;
    }
    drop(goes);
    // It stays, and answers the pings.
    let began = Instant::now();
    let left = loop {
        match stays.frame().await.unwrap() {
            Frame::Ping { id } => stays.send(Frame::Pong { id }).await,
            Frame::Message { payload, .. } if payload.as_text() == Some("left") => break began.elapsed(),
            Frame::Message { .. } | Frame::Ack { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(Duration::from_secs(300) <= left && left <= Duration::from_secs(375), "{left:?}");
    assert_eq!(*notes.lock().unwrap(), ["start", "start", r#"end ["r"]"#]);
    let (_, again) = resume(&place, welcome.id, welcome.secret, 0).await;
    assert_eq!(again.outcome, Outcome::Replaced);
    assert_eq!(sessions.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_session_lives_for_as_long_as_its_client_is_there() {
    let (place, _sessions) = serve_pipe(Sessions::builder(memory(), echo)).await;
    let (mut client, _) = start(&place).await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3600) {
        match client.frame().await.unwrap() {
            Frame::Ping { id } => client.send(Frame::Pong { id }).await,
            other => panic!("{other:?}"),
        }
    }
    client.say(1, "still here").await;
    assert_eq!(client.message().await, (1, "still here".to_owned()));
}

#[tokio::test]
async fn what_came_whole_is_committed_though_its_client_leaves_at_once() {
    let server = serve_echo(memory()).await;
    let (mut client, welcome) = start(server.port).await;
    for number in 1..=100 {
        client.say(number, "x").await;
    }
    client.web.close(None).await.unwrap();
    client.end().await;
    server.sessions.until_connections(0).await;
    let (_, resumed) = resume(server.port, welcome.id, welcome.secret, 0).await;
    assert_eq!((resumed.outcome, resumed.received), (Outcome::Resumed, 100));
}
