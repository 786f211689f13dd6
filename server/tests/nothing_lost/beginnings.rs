//! Sessions that begin while their store is killed.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use redial_session::{Frame, Payload, SUBPROTOCOL};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::application::{Setup, settings};
use crate::process::{Redis, ServerProcess, free_port};
use crate::random::{Random, seed};
use crate::words::Said;

/// What a session begins with is there once, though nobody knows whether Redis did it before it was killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_begins_while_redis_is_killed_begins_once() {
    const KILLS: u64 = 10;
    let mut random = Random::new(seed());
    let mut redis = Redis::start().await;
    let setup =
        Setup { store: redis.url(), port: free_port(), settings: settings(Duration::from_secs(300)), tick: None };
    let server = ServerProcess::start(setup.clone()).await;
    let (begun, mut count) = tokio::sync::watch::channel((0_u64, 0_u64));
    let starters: Vec<_> = (0..16)
        .map(|_| {
            let begun = begun.clone();
            tokio::spawn(async move {
                loop {
                    match greetings(setup.port).await {
                        Some(greetings) => begun.send_modify(|(begun, wrong)| {
                            *begun += 1;
                            *wrong += u64::from(greetings != 1);
                        }),
                        None => tokio::time::sleep(Duration::from_millis(20)).await,
                    }
                }
            })
        })
        .collect();
    let kills = async {
        for _ in 0..KILLS {
            let target = count.borrow().0 + random.between(5, 40);
            count.wait_for(|(begun, _)| *begun >= target).await.unwrap();
            redis.kill().await;
            redis.start_again().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), kills).await.expect("no session begins any more");
    starters.iter().for_each(tokio::task::JoinHandle::abort);
    drop(server);
    let (begun, wrong) = *count.borrow();
    crate::print(&format!("beginnings while Redis is killed: {KILLS} kills, {begun} sessions, {wrong} not begun once"));
    assert_eq!(wrong, 0);
}

/// How often a new session is greeted by the application; `None` if there is none to be had now.
async fn greetings(port: u16) -> Option<u64> {
    let mut request = format!("ws://127.0.0.1:{port}/ws/chat/").into_client_request().unwrap();
    request.headers_mut().append("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut web, _) = client_async(request, stream).await.ok()?;
    web.send(Message::Binary(Frame::Start.encode())).await.ok()?;
    let mut count = 0;
    let mut said = false;
    loop {
        let Message::Binary(frame) = web.next().await?.ok()? else { continue };
        match Frame::decode(frame).unwrap() {
            Frame::Welcome(_) if !said => {
                let hello = Frame::Message { number: 1, received: 0, payload: Payload::text("hello") };
                web.send(Message::Binary(hello.encode())).await.ok()?;
                said = true;
            }
            Frame::Message { payload, .. } => match Said::of(&payload).unwrap() {
                Said::You(_) => count += 1,
                Said::Echo(_) => {
                    let _ = web
                        .send(Message::Binary(Frame::End { reason: redial_session::EndReason::Done }.encode()))
                        .await;
                    return Some(count);
                }
                Said::Room(..) | Said::Tick(..) | Said::Ended(_) => {}
            },
            _ => {}
        }
    }
}
