//! How a server goes away.

use std::sync::atomic::Ordering;
use std::time::Duration;

use redial::Micros;
use redial_server::{Effect, Sessions};
use redial_session::{Advice, Frame};
use tokio::time::Instant;

use crate::client::{End, dial, offer, start};
use crate::faulty::FaultyStore;
use crate::server::{echo, get, memory, serve_echo, serve_pipe};

#[tokio::test]
async fn clients_are_advised_their_messages_done_and_their_connections_closed_with_1012() {
    let server = serve_echo(memory()).await;
    let (mut client, _) = start(server.port).await;
    let mut plain = dial(server.port, "/ws/chat/", &[]).await.unwrap();
    let mut waits = offer(server.port).await.unwrap();
    client.say(1, "hello").await;
    assert_eq!(client.message().await.0, 1);

    let sessions = server.sessions.clone();
    let shutdown = tokio::spawn(async move { sessions.shutdown(Duration::from_secs(7)).await });
    let advice = loop {
        match client.frame().await.unwrap() {
            Frame::GoingAway(advice) => break advice,
            Frame::Ack { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(advice, Advice { spread: Some(Micros::from_secs(7)), ..Advice::default() });
    let refused = offer(server.port).await.err().unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    let (status, _, body) = get(server.port, "/health", "").await;
    assert_eq!((status, body.contains(r#""draining":true"#)), (503, true));
    for client in [&mut client, &mut plain, &mut waits] {
        assert_eq!(client.end().await, (None, End::Closed(1012)));
    }
    shutdown.await.unwrap();
    server.task.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_client_had_sent_is_acknowledged_before_its_connection_is_closed() {
    let store = FaultyStore::new(Default::default());
    let (place, sessions) = serve_pipe(Sessions::builder(store.clone(), echo)).await;
    let (mut client, _) = start(&place).await;
    store.set_down(true);
    client.say(1, "under way").await;
    store.asked.notified().await;
    let leaving = sessions.clone();
    let shutdown = tokio::spawn(async move { leaving.shutdown(Duration::ZERO).await });
    assert!(matches!(client.frame().await, Ok(Frame::GoingAway(_))));
    store.set_down(false);
    let mut acknowledged = 0;
    let end = loop {
        match client.frame().await {
            Ok(Frame::Ack { received } | Frame::Message { received, .. }) => acknowledged = received,
            Ok(other) => panic!("{other:?}"),
            Err(end) => break end,
        }
    };
    assert_eq!((acknowledged, end), (1, End::Closed(1012)));
    shutdown.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_though_clients_and_store_do_nothing() {
    let store = FaultyStore::new(Default::default());
    let (place, sessions) = serve_pipe(Sessions::builder(store.clone(), echo)).await;
    let (mut client, _) = start(&place).await;
    store.swallow_commits.store(true, Ordering::SeqCst);
    client.say(1, "for ever").await;
    store.swallowed.notified().await;
    let began = Instant::now();
    sessions.shutdown(Duration::ZERO).await;
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn news_on_the_way_out_are_not_another_advice() {
    let store = FaultyStore::new(Default::default());
    let (place, sessions) = serve_pipe(Sessions::builder(store.clone(), echo)).await;
    let (mut client, welcome) = start(&place).await;
    store.swallow_commits.store(true, Ordering::SeqCst);
    client.say(1, "it keeps the connection").await;
    store.swallowed.notified().await;
    let goes = sessions.clone();
    tokio::spawn(async move { goes.shutdown(Duration::ZERO).await });
    while !matches!(client.frame().await.unwrap(), Frame::GoingAway(_)) {}
    for text in ["one", "two", "three"] {
        sessions.apply(Some(welcome.id), vec![Effect::Reply(text.into())]).await.unwrap();
        loop {
            match client.frame().await.unwrap() {
                Frame::Message { payload, .. } if payload.as_text() == Some(text) => break,
                frame => assert!(!matches!(frame, Frame::GoingAway(_)), "told again"),
            }
        }
    }
    while let Ok(frame) = client.frame().await {
        assert!(!matches!(frame, Frame::GoingAway(_)), "told again");
    }
}
