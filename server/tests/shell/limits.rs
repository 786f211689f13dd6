//! Limits that hold after the upgrade, each with its close code.

use redial_server::store::{MemoryStore, StoreSettings};
use redial_server::{Builder, Effect, Limits, Payload, SessionInfo, Sessions, TokenRefused};
use redial_session::{EndReason, Frame, Outcome};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

use crate::client::{End, dial, resume, start};
use crate::server::{echo, memory, serve, serve_echo, serve_pipe};

#[tokio::test]
async fn a_message_that_is_too_long_is_1009_and_the_longest_is_not() {
    let limits = Limits { message_bytes: 1000, ..Limits::default() };
    let port = serve(Sessions::builder(memory(), echo).limits(limits)).await.port;
    let (mut client, welcome) = start(port).await;
    assert_eq!(welcome.most_payload, 1000);
    client.say(1, &"x".repeat(1000)).await;
    assert_eq!(client.message().await.0, 1);
    client.say(2, &"x".repeat(1001)).await;
    assert_eq!(client.end().await, (None, End::Closed(1009)));

    let (mut client, _) = resume(port, welcome.id, welcome.secret, 1).await;
    client.say(2, &"x".repeat(100_000)).await;
    assert_eq!(client.end().await, (None, End::Closed(1009)));

    let mut plain = dial(port, "/ws/chat/", &[]).await.unwrap();
    plain.text(&"x".repeat(100_000)).await;
    assert_eq!(plain.end().await, (None, End::Closed(1009)));
}

#[tokio::test]
async fn messages_that_come_too_fast_are_1008() {
    let limits = Limits { messages_per_second: Some(1), message_burst: 3, ..Limits::default() };
    let port = serve(Sessions::builder(memory(), echo).limits(limits)).await.port;
    let (mut client, _) = start(port).await;
    for number in 1..=3 {
        client.say(number, "x").await;
        client.message().await;
    }
    for number in 4..=6 {
        client.say(number, "x").await;
    }
    assert_eq!(client.end().await, (None, End::Closed(1008)));

    let mut plain = dial(port, "/ws/chat/", &[]).await.unwrap();
    for _ in 0..8 {
        plain.text("x").await;
    }
    assert_eq!(plain.end().await, (None, End::Closed(1008)));
}

#[tokio::test]
async fn a_user_has_so_many_sessions() {
    let store = Arc::new(MemoryStore::new(StoreSettings { sessions_per_user: 1, ..StoreSettings::default() }));
    let everybody = |_| async { Ok::<_, TokenRefused>(Some("ann".to_owned())) };
    let port = serve(Sessions::builder(store, echo).bearer(everybody)).await.port;
    let door = [("sec-websocket-protocol", "redial.v1, bearer.x")];
    let mut first = dial(port, "/ws/chat/", &door).await.unwrap();
    first.send(Frame::Start).await;
    assert_eq!(first.welcome().await.outcome, Outcome::New);
    let mut second = dial(port, "/ws/chat/", &door).await.unwrap();
    second.send(Frame::Start).await;
    assert_eq!(second.end().await, (None, End::Closed(1013)));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_acknowledges_is_told_that_its_outbox_has_passed_its_limits() {
    let settings = StoreSettings { outbox_messages: 20, ..StoreSettings::default() };
    let store = Arc::new(MemoryStore::new(settings));
    let (place, _sessions) = serve_pipe(Sessions::builder(store, echo)).await;
    let (mut client, welcome) = start(&place).await;
    for number in 1..=20 {
        client.say(number, "x").await;
        assert_eq!(client.message().await.0, number);
    }
    client.say(21, "one too many").await;
    assert_eq!(client.end().await, (Some(EndReason::Overflow), End::Closed(1013)));
    let (_, again) = resume(&place, welcome.id, welcome.secret, 20).await;
    assert_eq!(again.outcome, Outcome::Replaced);
}

#[tokio::test]
async fn a_client_that_acknowledges_may_send_more_at_once_than_its_outbox_holds() {
    let settings = StoreSettings { outbox_messages: 20, outbox_bytes: 10_000, ..StoreSettings::default() };
    let port = serve_echo(Arc::new(MemoryStore::new(settings))).await.port;
    let (mut client, _) = start(port).await;
    let text = "x".repeat(1000);
    for number in 1..=300 {
        client.say(number, &text).await;
    }
    for number in 1..=300 {
        assert_eq!(client.message().await.0, number);
        client.send(Frame::Ack { received: number }).await;
    }
}

#[tokio::test]
async fn answers_may_be_many_times_as_long_as_what_they_answer() {
    let settings = StoreSettings { outbox_bytes: 100_000, ..StoreSettings::default() };
    let long = |_: &SessionInfo, _: Payload| vec![Effect::Reply(Payload::text("x".repeat(5_000)))];
    let port = serve(Sessions::builder(Arc::new(MemoryStore::new(settings)), long)).await.port;
    let (mut client, _) = start(port).await;
    for number in 1..=200 {
        client.say(number, "x").await;
    }
    for number in 1..=200 {
        assert_eq!(client.message().await.0, number);
        client.send(Frame::Ack { received: number }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn messages_that_nothing_answers_wait_for_nothing() {
    takes_9000_at_once(Sessions::builder(memory(), |_: &SessionInfo, _: Payload| Vec::new())).await;
    // A room in which nobody is, not even who speaks.
    let to_nobody = |_: &SessionInfo, payload: Payload| {
        vec![Effect::Broadcast { room: "empty".into(), payload, to_self: true, keep: false }]
    };
    takes_9000_at_once(Sessions::builder(memory(), to_nobody)).await;
}

async fn takes_9000_at_once(builder: Builder) {
    let (place, _sessions) = serve_pipe(builder).await;
    let (mut client, _) = start(&place).await;
    let began = Instant::now();
    for number in 1..=9_000 {
        client.say(number, "x").await;
    }
    client.until_acknowledged(9_000).await;
    assert!(began.elapsed() < Duration::from_millis(200), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_is_no_frame_is_1002() {
    let port = serve_echo(memory()).await.port;
    let (mut client, _) = start(port).await;
    client.raw(&[0x00]).await;
    assert_eq!(client.end().await, (None, End::Closed(1002)));
    let (mut client, _) = start(port).await;
    client.text("hello").await;
    assert_eq!(client.end().await, (None, End::Closed(1002)));
    let (mut client, _) = start(port).await;
    client.send(Frame::Start).await;
    assert_eq!(client.end().await, (None, End::Closed(1002)));
}
