//! Addresses of a target's own, and a list of endpoints that changes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

use redial_async_std::tungstenite::accept;
use redial_async_std::{
    Cause, Event, Failover, Message, Micros, NetworkDetail, Notice, Policy, Reconnecting, StreamExt, Target, WebSocket,
};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

/// A server on loopback, a thread, that greets each client with its name.
fn server(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let mut ws = accept(stream.unwrap()).unwrap();
                ws.send(Message::text(name)).unwrap();
                while ws.read().is_ok() {}
            });
        }
    });
    addr
}

/// An address at which nobody listens, and nobody can while this lives.
struct Refusing {
    addr: SocketAddr,
    _socket: socket2::Socket,
}

impl Refusing {
    fn new() -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        Self { addr: socket.local_addr().unwrap().as_socket().unwrap(), _socket: socket }
    }
}

fn policy() -> Policy {
    let policy = Policy::builder().base_delay(Micros::from_millis(10)).min_delay(Micros::from_millis(1));
    policy.max_attempts(4).failover(Failover::RoundRobin).health_check_interval(None).dial_budget(None).build().unwrap()
}

/// Reads on until the next text, and is told on the way what dials failed of.
async fn text(socket: &mut Reconnecting, failures: &mut Vec<Cause>) -> String {
    loop {
        match socket.next().await {
            Some(Event::Message(Message::Text(text))) => return text.to_string(),
            Some(Event::Notice(Notice::AttemptFailed { cause, .. })) => failures.push(cause),
            Some(_) => {}
            None => panic!("it ends without a text"),
        }
    }
}

#[test]
fn an_address_that_refuses_is_no_failure_where_another_answers() {
    let refusing = Refusing::new();
    let addresses = [refusing.addr, server("second")];
    let builder = WebSocket::builder("ws://chat.example/").policy(policy());
    let mut socket = builder.per_dial(move |_, target| async move { Ok(target.addresses(addresses)) }).build().unwrap();
    let mut failures = Vec::new();
    assert_eq!(smol::block_on(text(&mut socket, &mut failures)), "second");
    assert_eq!(failures, []);
}

#[test]
fn a_list_of_endpoints_that_changes_and_shrinks_is_followed() {
    let refusing = Refusing::new();
    let url = |addr| format!("ws://{addr}/");
    let [first, second, unused, third] = ["first", "second", "unused", "third"].map(|name| url(server(name)));
    let list = Arc::new(Mutex::new(vec![first]));
    let current = Arc::clone(&list);
    let builder = WebSocket::builder("ws://nobody.invalid/").policy(policy()).resolver(move |_, known| {
        let urls = current.lock().unwrap().clone();
        async move {
            let target = |url: &String| known[0].clone().url(url);
            Ok(urls.iter().map(target).collect::<Result<Vec<Target>, _>>()?)
        }
    });
    let mut socket = builder.build().unwrap();
    let mut failures = Vec::new();
    smol::block_on(async {
        assert_eq!(text(&mut socket, &mut failures).await, "first");
        assert_eq!(failures, []);

        // It grows: the first refuses now, the next one takes over.
        *list.lock().unwrap() = vec![url(refusing.addr), second, unused];
        socket.reconnect();
        assert_eq!(text(&mut socket, &mut failures).await, "second");
        let refused = std::mem::take(&mut failures);
        assert!(refused.first().is_some_and(|cause| *cause == Cause::network(NetworkDetail::Refused)), "{refused:?}");

        // It shrinks: the next endpoint would be the third, and there is one.
        *list.lock().unwrap() = vec![third];
        socket.reconnect();
        assert_eq!(text(&mut socket, &mut failures).await, "third");
        assert_eq!(failures, []);
        assert_eq!(socket.connector_mut().targets().len(), 1);
    });
}
