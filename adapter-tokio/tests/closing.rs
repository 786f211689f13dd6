//! How connections end: close codes, cuts, nonsense, and our own stop.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use common::{Client, Server, accept, client, connect, echo, in_time, ms, quick};
use futures_util::{FutureExt, SinkExt, StreamExt};
use redial_tokio::redial::{Verdict, VerdictKey};
use redial_tokio::tungstenite::Utf8Bytes;
use redial_tokio::tungstenite::protocol::CloseFrame;
use redial_tokio::{Cause, Connect, ConnectionId, Dial, Limit, Message, NetworkDetail, Notice, Phase, WebSocket};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A server that closes the first connection with this code and echoes on the others.
async fn closing_server(code: u16) -> Server {
    Server::start(move |n, stream| async move {
        let mut ws = accept(stream).await;
        if n == 0 {
            let frame = CloseFrame { code: code.into(), reason: Utf8Bytes::from_static("") };
            ws.close(Some(frame)).await.unwrap();
            // The client's answer ends the close handshake.
            while let Some(Ok(_)) = ws.next().await {}
        } else {
            echo(ws).await;
        }
    })
    .await
}

#[tokio::test]
async fn close_1000_ends_in_closed_without_giving_up() {
    let server = closing_server(1000).await;
    let mut client = Client::new(connect(&server.url(), quick()));
    assert_eq!(client.lost().await, Cause::close(1000));
    client.phase(Phase::Closed).await;
    assert!(client.told(|notice| matches!(notice, Notice::GaveUp { .. }).then_some(())).is_empty());
    assert_eq!(server.accepted().len(), 1);
}

#[tokio::test]
async fn close_1012_is_retried() {
    let server = closing_server(1012).await;
    let mut client = Client::new(connect(&server.url(), quick()));
    assert_eq!(client.lost().await, Cause::close(1012));
    client.opened().await;
}

#[tokio::test]
async fn close_4401_is_retried_and_stops_where_the_policy_says_so() {
    let server = closing_server(4401).await;
    let mut client = Client::new(connect(&server.url(), quick()));
    assert_eq!(client.lost().await, Cause::close(4401));
    client.opened().await;

    let server = closing_server(4401).await;
    let policy = quick().verdict(VerdictKey::Close(4401), Verdict::Stop).unwrap();
    let mut client = Client::new(connect(&server.url(), policy));
    assert_eq!(client.gave_up().await, (Limit::Verdict, 0, Cause::close(4401)));
    assert_eq!(server.accepted().len(), 1);
}

#[tokio::test]
async fn close_1008_stops() {
    let server = closing_server(1008).await;
    let mut client = Client::new(connect(&server.url(), quick()));
    assert_eq!(client.gave_up().await, (Limit::Verdict, 0, Cause::close(1008)));
}

/// tungstenite knows no 1014, "bad gateway", and makes it a 1002, which would stop.
#[tokio::test]
async fn close_1014_is_retried() {
    let server = raw_server(&[0x88, 2, 0x03, 0xf6]).await;
    let mut client = Client::new(connect(&server.url(), quick()));
    assert_eq!(client.lost().await, Cause::Protocol);
    client.opened().await;
}

#[tokio::test]
async fn a_close_frame_without_a_code_is_1005() {
    let server = raw_server(&[0x88, 0]).await;
    let mut client = Client::new(connect(&server.url(), quick()));
    assert_eq!(client.lost().await, Cause::close(1005));
    client.opened().await;
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_1006() {
    let server = raw_server(&[]).await;
    let mut client = Client::new(connect(&server.url(), quick()));
    assert_eq!(client.lost().await, Cause::close(1006));
    client.opened().await;
}

#[tokio::test]
async fn a_reset_is_a_network_failure() {
    let server = Server::start(|n, stream| async move {
        if n == 0 {
            let ws = accept(stream).await;
            // Lingering for no time makes the kernel send a reset.
            ws.get_ref().set_zero_linger().unwrap();
        } else {
            echo(accept(stream).await).await;
        }
    })
    .await;
    let mut client = Client::new(connect(&server.url(), quick()));
    assert_eq!(client.lost().await, Cause::network(NetworkDetail::Reset));
    client.opened().await;
}

/// A server whose first connection gets these bytes after the handshake, and then its end.
async fn raw_server(bytes: &'static [u8]) -> Server {
    Server::start(move |n, stream| async move {
        let mut ws = accept(stream).await;
        match n {
            0 => ws.get_mut().write_all(bytes).await.unwrap(),
            _ => echo(ws).await,
        }
    })
    .await
}

/// At once: whoever reads the connection may not do so again for long, or let it go.
#[tokio::test]
async fn pings_and_close_frames_are_answered_at_once() {
    let ping: &[u8] = &[0x89, 2, 0x03, 0xe8];
    let close: &[u8] = &[0x88, 2, 0x03, 0xe8];
    for (frame, answered) in [(ping, 0x8a), (close, 0x88)] {
        let (tell, mut told) = mpsc::unbounded_channel();
        let server = Server::start(move |_, stream| {
            let tell = tell.clone();
            async move {
                let mut tcp = accept(stream).await.into_inner();
                tcp.write_all(frame).await.unwrap();
                let mut answer = [0; 8];
                tcp.read_exact(&mut answer).await.unwrap();
                tell.send(answer).unwrap();
            }
        })
        .await;
        let dial = Dial { connection: ConnectionId(1), endpoint: 0, attempt: 0, fresh_credentials: false };
        let mut connector = WebSocket::builder(server.url()).connector().unwrap();
        let mut socket = connector.connect(dial).await.unwrap();
        in_time("the frame", socket.next()).await.unwrap().unwrap();
        let answer = in_time("the answer", told.recv()).await.unwrap();
        assert!(answer.starts_with(&[answered, 0x82]), "{answer:x?}"); // masked, two bytes
    }
}

#[tokio::test]
async fn bad_frames_are_a_broken_protocol_and_the_server_is_told_why() {
    let bad_opcode: &[u8] = &[0x83, 0];
    let bad_utf8: &[u8] = &[0x81, 2, 0xc3, 0x28];
    for (bytes, code) in [(bad_opcode, 1002_u16), (bad_utf8, 1007)] {
        let (tell, mut told) = mpsc::unbounded_channel();
        let server = Server::start(move |n, stream| {
            let tell = tell.clone();
            async move {
                let mut ws = accept(stream).await;
                if n == 0 {
                    ws.get_mut().write_all(bytes).await.unwrap();
                    tell.send(ws.next().await).unwrap();
                } else {
                    echo(ws).await;
                }
            }
        })
        .await;
        let mut client = Client::new(connect(&server.url(), quick()));
        assert_eq!(client.lost().await, Cause::Protocol);
        client.opened().await;
        let Some(Some(Ok(Message::Close(Some(frame))))) = in_time("the close frame", told.recv()).await else {
            panic!("no close frame");
        };
        assert_eq!(u16::from(frame.code), code);
    }
}

#[tokio::test]
async fn stop_is_a_whole_close_handshake() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = Server::start(move |_, stream| {
        let tell = tell.clone();
        async move {
            let mut ws = accept(stream).await;
            let mut seen = Vec::new();
            while let Some(message) = ws.next().await {
                seen.push(message.map_err(|error| error.to_string()));
            }
            tell.send(seen).unwrap();
        }
    })
    .await;
    let mut client = Client::new(connect(&server.url(), quick()));
    client.opened().await;
    client.send("last words").await;
    in_time("closing", client.socket.close()).await;
    let seen = in_time("the server's end", told.recv()).await.unwrap();
    let normal = CloseFrame { code: 1000.into(), reason: Utf8Bytes::from_static("") };
    assert_eq!(seen, [Ok(Message::text("last words")), Ok(Message::Close(Some(normal)))]);
}

#[tokio::test]
async fn a_close_handshake_without_an_answer_is_bounded() {
    let (keep, mut kept) = mpsc::unbounded_channel();
    let server = Server::start(move |_, stream| {
        let keep = keep.clone();
        async move { keep.send(accept(stream).await).unwrap() }
    })
    .await;
    let mut client = Client::new(client(&server.url(), quick()).close_timeout(ms(50)).build().unwrap());
    client.opened().await;
    let begun = Instant::now();
    in_time("closing", client.socket.close()).await;
    assert!(begun.elapsed() >= Duration::from_millis(50), "{:?}", begun.elapsed());
    // The server did not let go; it finds the close frame, and that the client has gone.
    let mut ws = kept.recv().await.unwrap();
    assert!(matches!(in_time("the frame", ws.next()).await, Some(Ok(Message::Close(Some(_))))));
}

/// tungstenite takes a close frame once, and not when its buffer is full.
#[tokio::test]
async fn a_close_frame_waits_until_there_is_room_for_it() {
    let (keep, mut kept) = mpsc::unbounded_channel();
    let server = Server::start(move |_, stream| {
        let keep = keep.clone();
        async move { keep.send(accept(stream).await).unwrap() }
    })
    .await;
    let dial = Dial { connection: ConnectionId(1), endpoint: 0, attempt: 0, fresh_credentials: false };
    let small =
        WebSocket::builder(server.url()).socket(|socket| socket.write_buffer_size(0).max_write_buffer_size(64 * 1024));
    let mut socket = small.connector().unwrap().connect(dial).await.unwrap();
    // The server does not read: first the kernel's buffers are full, then tungstenite's.
    let mut sent = 0;
    for size in [32 * 1024, 1] {
        while socket.start_send_unpin(Message::binary(vec![0; size])).is_ok() {
            sent += 1;
        }
    }
    assert!(socket.close().now_or_never().is_none());

    let mut ws = kept.recv().await.unwrap();
    let reading = async {
        let mut received = 0;
        loop {
            match ws.next().await {
                Some(Ok(Message::Binary(_))) => received += 1,
                other => return (received, other),
            }
        }
    };
    let (closed, (received, last)) = in_time("closing", async { tokio::join!(socket.close(), reading) }).await;
    closed.unwrap();
    assert_eq!(received, sent);
    assert!(matches!(last, Some(Ok(Message::Close(Some(_))))), "{last:?}");
}
