//! A chat with an echo: `cargo run --example echo -- ws://127.0.0.1:9001/ws` for a server of your own, or without a URL for
//! one in the same process, which fails once.

#![allow(clippy::wildcard_enum_match_arm)] // events are many and may become more: a reader takes what it needs

use redial_tokio::{Event, Message, Notice, Policy, SinkExt, StreamExt, WebSocket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = match std::env::args().nth(1) {
        Some(url) => url,
        None => server().await?,
    };
    let mut chat = WebSocket::builder(url).header("x-client", "demo").policy(Policy::resilient()).build()?;
    while let Some(event) = chat.next().await {
        match event {
            Event::Notice(Notice::Opened { .. }) => chat.send(Message::text("hello")).await?,
            Event::Notice(Notice::Lost { cause, .. }) => println!("lost: {cause}"),
            Event::Notice(Notice::RetryScheduled(retry)) => println!("next dial in {}", retry.delay),
            Event::Message(message) => {
                println!("{message}");
                chat.stop();
            }
            _ => {}
        }
    }
    Ok(())
}

/// Echoes; the first connection ends in place of an answer.
async fn server() -> std::io::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/ws", listener.local_addr()?);
    tokio::spawn(async move {
        let mut willing = false;
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut ws) = tokio_tungstenite::accept_async(stream).await else { continue };
            while let Some(Ok(message)) = ws.next().await {
                if !willing || ws.send(message).await.is_err() {
                    break;
                }
            }
            willing = true;
        }
    });
    Ok(url)
}
