//! A runtime of one's own: a thread, std's sockets and a loop on the machine. No async, no driver.
//!
//! `cargo run -p redial-examples --bin blocking` runs to its end by itself: its server closes after every third message.
//! That the client does what redial's own do is shown by `conformance.rs`, which puts it through the driver's suite.

#![allow(unreachable_pub)] // a program of few files needs no finer word
#![allow(clippy::wildcard_enum_match_arm)] // notices and errors are many and may become more: a reader takes what it needs

mod client;
mod socket;

use client::{Client, News};
use redial::{Input, Micros, Notice, Policy};
use socket::Settings;
use std::error::Error;
use std::net::{TcpListener, TcpStream};
use tungstenite::Message;
use tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("ws://{}/", listener.local_addr()?);
    std::thread::spawn(move || listener.incoming().flatten().for_each(|tcp| drop(serve(tcp))));

    let policy = Policy::builder().base_delay(Micros::from_millis(50)).build()?;
    let settings = Settings { urls: vec![url], headers: Vec::new(), tls: None, close_timeout: Micros::from_secs(1) };
    let mut client = Client::start(settings, policy, 7, Box::new(std::io::sink()));
    let mut unanswered = 1..=10;
    while let Some(news) = client.next() {
        match news {
            News::Notice(Notice::Opened { downtime, .. }) => println!("-- open after {downtime}"),
            News::Notice(Notice::Lost { cause, uptime, .. }) => {
                println!("-- lost after {uptime}: {cause}");
                continue;
            }
            News::Text(text) => {
                println!("{text}");
                unanswered.next();
            }
            News::Notice(_) => continue,
        }
        // What was not answered is said again: a message may be lost with its connection.
        match unanswered.clone().next() {
            Some(n) => client.send(format!("message {n}")),
            None => client.tell(Input::Stop),
        }
    }
    client.join();
    if unanswered.is_empty() { Ok(()) } else { Err("not every message was answered".into()) }
}

/// Answers three messages and closes with 1012, "service restart".
fn serve(tcp: TcpStream) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut ws = tungstenite::accept(tcp).map_err(|error| error.to_string())?;
    for _ in 0..3 {
        match ws.read()? {
            Message::Text(text) => ws.send(Message::text(text.to_uppercase()))?,
            _ => break,
        }
    }
    ws.close(Some(CloseFrame { code: CloseCode::Restart, reason: "".into() }))?;
    while ws.read().is_ok() {}
    Ok(())
}
