//! Servers that answer, but not with an open connection: HTTP refusals, and those that drop.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use common::{Client, Server, accept, answer, client, connect, echo, ms, quick};
use redial_tokio::redial::DialBudget;
use redial_tokio::{Cause, Limit, Micros, NetworkDetail, Notice, Phase};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test]
async fn a_503_with_retry_after_is_honoured() {
    let server = Server::start(|n, stream| async move {
        match n {
            0 => drop(answer(stream, "HTTP/1.1 503 Busy\nRetry-After: 1").await),
            _ => echo(accept(stream).await).await,
        }
    })
    .await;
    let mut client = Client::new(connect(&server.url(), quick()));

    let second = Micros::from_secs(1);
    assert_eq!(client.attempt_failed().await, Cause::Http { status: 503, retry_after: Some(second) });
    client.opened().await;
    let hints = client.told(|notice| if let Notice::RetryScheduled(retry) = notice { retry.hint } else { None });
    assert!(hints.iter().all(|hint| *hint >= second) && hints.len() == 1, "{hints:?}");
    let accepted = server.accepted();
    assert!(accepted[1] - accepted[0] >= Duration::from_millis(990), "{accepted:?}");
}

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
async fn a_404_stops() {
    let server = Server::start(|_, stream| async { drop(answer(stream, "HTTP/1.1 404 Not Found").await) }).await;
    let mut client = Client::new(connect(&server.url(), quick()));
    assert_eq!(client.gave_up().await, (Limit::Verdict, 0, Cause::http(404)));
    client.phase(Phase::Failed).await;
    assert_eq!(server.accepted().len(), 1);
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

#[tokio::test]
async fn a_server_that_accepts_and_drops_gets_no_more_than_budget_and_schedule_allow() {
    let server = Server::start(|_, stream| async move { drop(stream) }).await;
    let policy = quick().max_attempts(7).dial_budget(DialBudget { burst: 3, refill: ms(60) });
    let mut client = Client::new(connect(&server.url(), policy));
    let (limit, attempts, cause) = client.gave_up().await;
    assert_eq!((limit, attempts, cause), (Limit::Attempts, 7, Cause::network(NetworkDetail::Reset)));
    assert_spaced(&server, 8);
}

#[tokio::test]
async fn a_server_that_opens_and_drops_gets_no_more_than_budget_and_schedule_allow() {
    let server = Server::start(|_, stream| async move { drop(accept(stream).await) }).await;
    let policy = quick().stable_after(ms(5000)).max_attempts(7).dial_budget(DialBudget { burst: 3, refill: ms(60) });
    let mut client = Client::new(connect(&server.url(), policy));
    let (limit, attempts, cause) = client.gave_up().await;
    assert_eq!((limit, attempts), (Limit::Attempts, 7));
    assert!(matches!(cause, Cause::Close { code: 1006, .. } | Cause::Network { .. }), "{cause}");
    assert_spaced(&server, 8);
}

/// Laws schedule and budget-limit, as the server sees them.
fn assert_spaced(server: &Server, dials: usize) {
    let accepted = server.accepted();
    assert_eq!(accepted.len(), dials);
    // A delay counts from the failure, which comes after the server has accepted; the clock counts whole microseconds.
    let rounding = Duration::from_micros(1);
    let schedule = [10, 20, 40, 40, 40, 40, 40].map(Duration::from_millis);
    for (pair, delay) in accepted.windows(2).zip(schedule) {
        assert!(pair[1] - pair[0] + rounding >= delay, "{:?} < {delay:?}", pair[1] - pair[0]);
    }
    // A token is taken when the dial is made, and a busy machine may accept late. Without the budget the eight dials would
    // span 230 ms; with it, 300 ms.
    let lateness = Duration::from_millis(30);
    for (i, first) in accepted.iter().enumerate() {
        for (count, later) in (1_u32..).zip(&accepted[i..]) {
            let span = *later - *first + lateness;
            assert!(f64::from(count) <= 3.0 + span.as_secs_f64() / 0.060, "{count} dials within {span:?}");
        }
    }
}
