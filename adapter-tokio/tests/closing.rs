//! How connections end, as far as it is not in the conformance suite.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use common::{Client, Server, accept, connect, echo, in_time, quick};
use futures_util::{FutureExt, SinkExt, StreamExt};
use redial_tokio::{Cause, Connect, ConnectionId, Dial, Message, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

/// tungstenite knows no 1014, "bad gateway", and makes it a 1002, which would stop.
#[tokio::test]
async fn close_1014_is_retried() {
    let server = raw_server(&[0x88, 2, 0x03, 0xf6]).await;
    let mut client = Client::new(connect(&server.url(), quick()));
    assert_eq!(client.lost().await, Cause::Protocol);
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
