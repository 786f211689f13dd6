//! Servers that answer, but not with an open connection: HTTP refusals, and those that drop.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use common::{Client, Server, accept, answer, client, connect, echo, quick};
use redial_tokio::{Cause, Limit, Micros, Phase};
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn a_retry_after_may_be_a_date() {
    let dates = "Date: Sun, 06 Nov 1994 08:49:37 GMT\nRetry-After: Sun, 06 Nov 1994 08:51:37 GMT";
    let server =
        Server::start(
            move |_, stream| async move { drop(answer(stream, &format!("HTTP/1.1 429 Slow\n{dates}")).await) },
        )
        .await;
    let mut client = Client::new(connect(&server.url(), quick()));
    let two_minutes = Some(Micros::from_secs(120));
    assert_eq!(client.attempt_failed().await, Cause::Http { status: 429, retry_after: two_minutes });
    client.phase(Phase::Waiting).await;
}

#[tokio::test]
async fn a_401_asks_for_fresh_credentials_and_a_second_one_stops() {
    let server = Server::start(|_, stream| async { drop(answer(stream, "HTTP/1.1 401 Unauthorized").await) }).await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let builder = client(&server.url(), quick()).per_dial(move |dial, target| {
        log.lock().unwrap().push(dial.fresh_credentials);
        async move { Ok(target.header("authorization", "Bearer old")?) }
    });
    let mut client = Client::new(builder.build().unwrap());
    assert_eq!(client.gave_up().await, (Limit::Verdict, 1, Cause::http(401)));
    assert_eq!(*asked.lock().unwrap(), [false, true]);
    assert_eq!(server.accepted().len(), 2);
}

#[tokio::test]
async fn fresh_credentials_open_the_connection() {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heads);
    let server = Server::start(move |n, stream| {
        let log = Arc::clone(&log);
        async move {
            match n {
                0 => {
                    let head = answer(stream, "HTTP/1.1 401 Unauthorized").await;
                    log.lock().unwrap().push(head);
                }
                _ => echo(accept(stream).await).await,
            }
        }
    })
    .await;
    let builder = client(&server.url(), quick()).per_dial(|dial, target| async move {
        Ok(target.header("authorization", if dial.fresh_credentials { "Bearer new" } else { "Bearer old" })?)
    });
    let mut client = Client::new(builder.build().unwrap());
    assert_eq!(client.attempt_failed().await, Cause::http(401));
    client.opened().await;
    assert!(heads.lock().unwrap()[0].contains("authorization: Bearer old\r\n"));
}
