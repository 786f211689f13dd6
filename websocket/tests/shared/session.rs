//! What every adapter does with a server of `redial.v1` that has nothing of ours in it, and with one that has no sessions.

#![allow(clippy::wildcard_enum_match_arm)] // what a test doesn't ask for doesn't matter to it

use std::net::TcpListener;
use std::thread;

use futures_util::{SinkExt as _, StreamExt as _};
use redial_websocket::redial::{Jitter, Micros, Policy};
use redial_websocket::redial_driver::{Protocol, Session, SessionConfig, SessionEvent};
use redial_websocket::redial_session::{ClientEvent, MessageId, Payload};
use redial_websocket::{Runtime, WebSocket, WebSocketConnector, tungstenite};
use server::PythonServer;

#[path = "../../../session/tests/python/server.rs"]
mod server;

type Chat<N> = Session<<N as Runtime>::Clock, WebSocketConnector<N>>;

fn chat<N: Runtime>(port: u16) -> Chat<N> {
    let short = Micros::from_millis(1);
    let policy = Policy::builder().base_delay(short).min_delay(short).jitter(Jitter::None).dial_budget(None);
    let builder = WebSocket::<N>::builder(format!("ws://127.0.0.1:{port}/")).policy(policy.build().unwrap());
    builder.session(SessionConfig::default()).unwrap()
}

/// Messages go on over thirty connections that were hung up while both sides were writing.
pub(crate) async fn nothing_is_lost_with_a_server_in_python<N: Runtime>() {
    const CUTS: u64 = 30;
    const EACH: u64 = 40;
    const ALL: u64 = CUTS * EACH;
    let server = PythonServer::start();
    let mut chat = chat::<N>(server.port);
    let (mut said, mut heard, mut resumed, mut delivered) = (0, 0, 0, None);
    while heard < ALL || delivered != Some(MessageId(ALL)) {
        // Ten are always under way.
        while said < ALL && said < heard + 10 {
            said += 1;
            chat.send(Payload::text(said.to_string())).await.unwrap();
        }
        match chat.next().await.unwrap() {
            SessionEvent::Message(answer) => {
                heard += 1;
                assert_eq!(answer.as_text(), Some(heard.to_string().as_str()));
                if heard % EACH == 0 && heard < ALL {
                    chat.connection().reconnect();
                }
            }
            SessionEvent::Session(ClientEvent::Resumed { .. }) => resumed += 1,
            SessionEvent::Session(ClientEvent::Delivered { up_to }) => delivered = Some(up_to),
            SessionEvent::Session(ClientEvent::Lost(lost)) => panic!("{lost:?}"),
            _ => {}
        }
    }
    assert_eq!(resumed, CUTS - 1);
    assert_eq!(chat.status().protocol, Some(Protocol::Session));
    chat.end().await;
}

/// The server chooses no subprotocol: messages are sent as they are, and the user sees it.
pub(crate) async fn a_server_without_sessions_is_spoken_to_plainly<N: Runtime>() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
        while let Ok(message) = socket.read() {
            if message.is_text() || message.is_binary() {
                socket.send(message).unwrap();
            }
        }
    });
    let mut chat = chat::<N>(port);
    let messages = [Payload::text("a text"), Payload::binary(vec![0, 255])];
    let (mut plain, mut heard) = (false, Vec::new());
    for message in &messages {
        chat.send(message.clone()).await.unwrap();
    }
    while heard.len() < messages.len() {
        match chat.next().await.unwrap() {
            SessionEvent::Message(message) => heard.push(message),
            SessionEvent::Session(ClientEvent::Plain) => plain = true,
            _ => {}
        }
    }
    assert_eq!(heard, messages);
    assert!(plain);
    assert_eq!(chat.status().protocol, Some(Protocol::Plain));
    chat.close().await;
    server.join().unwrap();
}
