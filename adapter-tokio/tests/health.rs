//! Pings, both ways.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use common::{Client, Server, accept, connect, in_time, ms, quick};
use futures_util::{SinkExt, StreamExt};
use redial_tokio::{Event, Message, Notice};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

#[tokio::test]
async fn a_servers_ping_is_answered() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = Server::start(move |_, stream| {
        let tell = tell.clone();
        async move {
            let mut ws = accept(stream).await;
            ws.send(Message::Ping("are you there?".into())).await.unwrap();
            while let Some(Ok(message)) = ws.next().await {
                tell.send(message).unwrap();
            }
        }
    })
    .await;
    let mut client = Client::new(connect(&server.url(), quick()));
    client.opened().await;
    tokio::select! {
        answer = in_time("the pong", told.recv()) => assert_eq!(answer, Some(Message::Pong("are you there?".into()))),
        () = client.until("end", |_| None) => {}
    }
    assert!(!client.seen.iter().any(|event| matches!(event, Event::Message(_))), "{:?}", client.seen);
}

#[tokio::test]
async fn latency_is_from_ping_to_pong_and_foreign_pongs_do_not_count() {
    const AWAY: Duration = Duration::from_millis(30);
    let server = Server::start(|_, stream| async {
        let (mut ws, mut id) = (accept(stream).await, 1);
        while let Some(Ok(message)) = ws.next().await {
            if message.is_ping() {
                let tcp = ws.get_mut();
                tcp.set_nodelay(true).unwrap();
                tcp.write_all(&[0x8a, 8, 0, 0, 0, 0, 0, 0, 0, id]).await.unwrap(); // a pong with the ping's id and no mark
                id += 1;
                tokio::time::sleep(AWAY).await; // not a wait for anything: the latency to be measured, bounded below only
            }
        }
    })
    .await;
    let policy = quick().health_check_interval(ms(10)).ping_timeout(ms(5000));
    let mut client = Client::new(connect(&server.url(), policy));
    for _ in 0..3 {
        let latency = client
            .notice("healthCheck", |n| if let Notice::HealthCheck { latency, .. } = n { Some(latency) } else { None })
            .await;
        assert!(latency >= AWAY.into(), "{latency}");
    }
}
