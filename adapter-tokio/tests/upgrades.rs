//! What goes over the wire before a connection is open: headers, subprotocols, targets, failover.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use common::{Client, Server, accept, answer, client, connect, echo, quick};
use redial_tokio::{Cause, Connect, ConnectionId, Dial, NetworkDetail, Target, WebSocket};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

type Heads = Arc<Mutex<Vec<Request>>>;

/// A server that keeps the requests and chooses this subprotocol.
async fn choosing_server(choice: Option<&'static str>) -> (Server, Heads) {
    let heads = Heads::default();
    let log = Arc::clone(&heads);
    let server = Server::start(move |_, stream| serve(stream, choice, Arc::clone(&log))).await;
    (server, heads)
}

async fn serve(stream: TcpStream, choice: Option<&'static str>, log: Heads) {
    #[allow(clippy::result_large_err)] // tungstenite's signature
    let callback = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        log.lock().unwrap().push(request.clone());
        if let Some(choice) = choice {
            response.headers_mut().insert("sec-websocket-protocol", choice.parse().unwrap());
        }
        Ok(response)
    };
    if let Ok(ws) = accept_hdr_async(stream, callback).await {
        echo(ws).await;
    }
}

#[tokio::test]
async fn headers_query_and_subprotocols_arrive() {
    let (server, heads) = choosing_server(None).await;
    let url = format!("{}?room=7", server.url());
    let builder = client(&url, quick()).header("X-Client", "demo").header("x-city", "Montréal");
    let mut client = Client::new(builder.subprotocol("chat.v2").subprotocol("chat.v1").build().unwrap());
    client.opened().await;
    let heads = heads.lock().unwrap();
    let header = |name: &str| String::from_utf8(heads[0].headers()[name].as_bytes().to_vec()).unwrap();
    assert_eq!(heads[0].uri(), "/ws?room=7");
    assert_eq!(header("host"), server.addr.to_string());
    assert_eq!(header("x-client"), "demo");
    assert_eq!(header("x-city"), "Montréal");
    assert_eq!(header("sec-websocket-protocol"), "chat.v2, chat.v1");
}

fn dial(endpoint: u32) -> Dial {
    Dial { connection: ConnectionId(1), endpoint, attempt: 0, fresh_credentials: false }
}

#[tokio::test]
async fn the_servers_choice_of_subprotocol_can_be_read() {
    for choice in [Some("chat.v1"), None] {
        let (server, _heads) = choosing_server(choice).await;
        let builder = WebSocket::builder(server.url()).subprotocol("chat.v2").subprotocol("chat.v1");
        let mut connector = builder.connector().unwrap();
        let socket = connector.connect(dial(0)).await.unwrap();
        assert_eq!(socket.subprotocol(), choice);
        assert_eq!(connector.subprotocol().as_deref(), choice);
    }
}

#[tokio::test]
async fn the_subprotocol_of_a_running_connection_can_be_read() {
    let (server, _heads) = choosing_server(Some("chat.v1")).await;
    let mut client = Client::new(client(&server.url(), quick()).subprotocol("chat.v1").build().unwrap());
    client.opened().await;
    assert_eq!(client.socket.connector_mut().subprotocol().as_deref(), Some("chat.v1"));
}

#[tokio::test]
async fn a_wrong_accept_key_is_a_broken_protocol() {
    let server = Server::start(|_, stream| async {
        let lines = "HTTP/1.1 101 Hello\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: nonsense";
        drop(answer(stream, lines).await);
    })
    .await;
    let mut client = Client::new(connect(&server.url(), quick()));
    assert_eq!(client.attempt_failed().await, Cause::Protocol);
}

#[tokio::test]
async fn a_second_endpoint_takes_over() {
    let server = Server::start(|_, stream| async { echo(accept(stream).await).await }).await;
    let builder = client(&closed_port(), quick()).endpoint(server.url());
    assert_eq!(
        WebSocket::builder("ws://a").endpoint("ws://b").connector().unwrap().endpoints(),
        NonZeroU32::new(2).unwrap()
    );
    let mut client = Client::new(builder.build().unwrap());
    assert_eq!(client.attempt_failed().await, Cause::network(NetworkDetail::Refused));
    client.opened().await;
    client.send("hello").await;
    assert_eq!(client.text().await, "hello");
}

/// The URL of a port on which nobody listens.
fn closed_port() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("ws://{}/", listener.local_addr().unwrap())
}

#[tokio::test]
async fn each_dial_is_asked_for_anew_and_may_go_elsewhere_or_fail() {
    let (server, heads) = choosing_server(None).await;
    let elsewhere = server.url();
    let builder = client(&closed_port(), quick()).header("x-client", "demo").per_dial(move |dial, target| {
        let elsewhere = elsewhere.clone();
        async move {
            match dial.attempt {
                0 => Err(Cause::http(403)),
                1 => Ok(Target::parse("http://not.allowed")?),
                2 => Ok(target),
                _ => Ok(target.url(&elsewhere)?),
            }
        }
    });
    let mut client = Client::new(builder.build().unwrap());
    assert_eq!(client.attempt_failed().await, Cause::http(403));
    assert_eq!(client.attempt_failed().await, Cause::Protocol);
    assert_eq!(client.attempt_failed().await, Cause::network(NetworkDetail::Refused));
    client.opened().await;
    assert_eq!(heads.lock().unwrap()[0].headers()["x-client"], "demo");
}

#[test]
fn what_is_wrong_with_a_configuration_is_one_line() {
    let line = |builder: redial_tokio::WebSocketBuilder| builder.build().map(drop).unwrap_err().to_string();
    let good = || WebSocket::builder("ws://a.example");
    assert_eq!(line(good().endpoint("htp://x")), "endpoint \"htp://x\": scheme htp is not allowed; allowed: ws, wss");
    let healthiest =
        redial_tokio::Policy::builder().failover(redial_tokio::redial::Failover::Healthiest).build().unwrap();
    let many = (0..8).fold(good().policy(healthiest), |builder, n| builder.endpoint(format!("ws://{n}.example")));
    assert_eq!(line(many), "endpoints: 9 are not allowed with failover healthiest; allowed: up to 8");
    assert!(line(good().header("x y", "z")).starts_with("header \"x y\": the name is not allowed; allowed: "));
    assert!(line(good().subprotocol("a b")).starts_with("subprotocol \"a b\": not allowed; allowed: "));
    assert!(line(good().root_pem("nonsense")).starts_with("tls: no certificate in the PEM; allowed: "));
    assert!(line(good().socket(|socket| socket.max_write_buffer_size(1))).starts_with("socket: max_write_buffer_size"));
}

#[tokio::test]
async fn it_can_be_spawned() {
    let (server, _heads) = choosing_server(None).await;
    let mut client = Client::new(connect(&server.url(), quick()));
    tokio::spawn(async move { client.opened().await }).await.unwrap();
}
