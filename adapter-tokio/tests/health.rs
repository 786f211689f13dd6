//! Pings, both ways.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use common::{Client, Server, accept, connect, ms, quick};
use futures_util::StreamExt;
use redial_tokio::Notice;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

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
