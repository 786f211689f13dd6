//! Memory stays within its bounds, and who passes them is told.

use std::process::Stdio;
use std::time::Duration;

use futures_util::{Sink, SinkExt, StreamExt};
use redial_server::store::StoreSettings;
use redial_session::{EndReason, Frame, Outcome, Payload, SUBPROTOCOL, Secret, SessionId, Welcome};
use redial_tokio::redial::{Micros, Notice};
use redial_tokio::{OutboxLimits, SendError, SessionConfig, SessionEvent, WebSocket};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

use crate::application::Setup;
use crate::client;
use crate::process::{ServerProcess, free_port, peak_memory};

/// How long each of them may take.
const DEADLINE: Duration = Duration::from_secs(60);

const KIB: usize = 1 << 10;
const MIB: u64 = 1 << 20;

/// Eight clients at a time that say a lot, are answered, hear each other, and acknowledge nothing: 64 sessions, each with
/// the outbox's default limit of 1 MiB, never take more than eight outboxes' memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_acknowledges() {
    const AT_A_TIME: usize = 8;
    const SESSIONS: usize = 64;
    /// The process itself, eight outboxes, a thousand messages of history, and what the allocator keeps.
    const MOST_MEMORY: u64 = 64 * MIB;
    let setup = Setup { store: "memory".into(), port: free_port(), settings: StoreSettings::default(), tick: None };
    let server = ServerProcess::start(setup.clone()).await;
    let clients: Vec<_> = (0..AT_A_TIME)
        .map(|number| {
            tokio::spawn(async move {
                let mut messages = 0;
                for _ in 0..SESSIONS / AT_A_TIME {
                    // One in four does not even read.
                    messages +=
                        if number % 4 == 0 { say_and_never_read(setup.port).await } else { overflow(setup.port).await };
                }
                messages
            })
        })
        .collect();
    let all = async {
        let mut messages = 0;
        for client in clients {
            messages += client.await.unwrap();
        }
        messages
    };
    let messages = tokio::time::timeout(DEADLINE, all).await.expect("an overflow was not told");
    let memory = server.peak_memory();
    crate::print(&format!(
        "clients that never acknowledge: {SESSIONS} sessions ended with overflow, after {messages} messages of 1 KiB; the server \
         process never had more than {} KiB",
        memory >> 10
    ));
    assert!(memory <= MOST_MEMORY, "{memory} bytes");
}

/// Says something until it is told that it is too much. How often that was.
async fn overflow(port: u16) -> u64 {
    let (mut to_server, mut from_server) = start(port).await.split();
    let mut said = 0;
    let saying = async {
        while say(&mut to_server, said + 1).await {
            said += 1;
        }
        std::future::pending().await
    };
    let hearing = async {
        let mut end = None;
        loop {
            match from_server.next().await.unwrap().unwrap() {
                Message::Binary(frame) => {
                    assert_eq!(end, None, "nothing but the close follows the end");
                    if let Frame::End { reason } = Frame::decode(frame).unwrap() {
                        end = Some(reason);
                    }
                }
                Message::Close(frame) => return (end, frame.map(|frame| u16::from(frame.code))),
                other => panic!("{other:?}"),
            }
        }
    };
    let end = tokio::select! {
        end = hearing => end,
        () = saying => unreachable!(),
    };
    assert_eq!(end, (Some(EndReason::Overflow), Some(1013)));
    said
}

/// Says something until the connection is gone.
async fn say_and_never_read(port: u16) -> u64 {
    let mut web = start(port).await;
    let mut said = 0;
    while say(&mut web, said + 1).await {
        said += 1;
        // The others have their turn: else it says megabytes into a socket whose other end is about to close.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    said
}

async fn start(port: u16) -> WebSocketStream<TcpStream> {
    let mut request = format!("ws://127.0.0.1:{port}/ws/chat/").into_client_request().unwrap();
    request.headers_mut().append("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut web, _) = client_async(request, stream).await.unwrap();
    web.send(Message::Binary(Frame::Start.encode())).await.unwrap();
    // Nothing is said before the welcome.
    web.next().await.unwrap().unwrap();
    web
}

/// Whether it could be said.
async fn say(web: &mut (impl Sink<Message> + Unpin), number: u64) -> bool {
    let frame = Frame::Message { number, received: 0, payload: Payload::binary(vec![b'x'; KIB]) };
    web.send(Message::Binary(frame.encode())).await.is_ok()
}

/// A client with the outbox's default limits of 1024 messages and 1 MiB goes on saying things to a server that reads nothing
/// after the greeting, over several connections: what is too much is handed back, and nothing piles up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_never_reads() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let mut deaf = Vec::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            deaf.push(greet(stream, deaf.is_empty()).await);
        }
    });
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "bounds::client_process"])
        .env("NUMBERS_DEAF_PORT", port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let account = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some(account) = line.strip_prefix("account: ") {
                return Some(account.to_owned());
            }
        }
        None
    };
    let account = tokio::time::timeout(DEADLINE, account).await.expect("the client takes too long");
    crate::print(&format!("a server that never reads: {}", account.expect("the client has failed")));
    assert!(child.wait().await.unwrap().success());
    server.abort();
}

/// A server's part up to the welcome.
async fn greet(stream: TcpStream, first: bool) -> WebSocketStream<TcpStream> {
    #[allow(clippy::result_large_err)] // as the library has it
    let choose = |_: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        response.headers_mut().append("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        Ok(response)
    };
    let mut web = accept_hdr_async(stream, choose).await.unwrap();
    web.next().await.unwrap().unwrap();
    let welcome = Welcome {
        outcome: if first { Outcome::New } else { Outcome::Resumed },
        id: SessionId::from_bytes([1; 16]),
        secret: Secret::from_bytes([2; 16]),
        received: 0,
        ttl: Micros::from_secs(300),
        most_payload: 0,
    };
    web.send(Message::Binary(Frame::Welcome(welcome).encode())).await.unwrap();
    web
}

/// The client of the test above: this program again, so that its memory is its own.
#[test]
#[ignore = "a process that another test starts"]
fn client_process() {
    const CONNECTIONS: u64 = 3;
    const TRIES: u64 = 200_000;
    const MOST_MEMORY: u64 = 32 * MIB;
    let Ok(port) = std::env::var("NUMBERS_DEAF_PORT") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (limits, refused, connections) = runtime.block_on(async {
        let limits = OutboxLimits::default();
        let policy = client::policy()
            .to_builder()
            .health_check_interval(Some(Duration::from_millis(300).into()))
            .ping_timeout(Duration::from_millis(300))
            .build()
            .unwrap();
        let mut session = WebSocket::builder(format!("ws://127.0.0.1:{port}/"))
            .policy(policy)
            .outbox(limits)
            .session(SessionConfig::default())
            .unwrap();
        let (mut refused, mut connections) = (0_u64, 0);
        while connections < CONNECTIONS || refused < TRIES {
            match session.post(Payload::binary(vec![b'x'; KIB]), None) {
                Ok(_) => {}
                Err(SendError::Full { message, .. }) => {
                    assert_eq!(message.len(), KIB);
                    refused += 1;
                }
                Err(other) => panic!("{other}"),
            }
            assert!(session.status().pending <= limits.messages && session.status().pending_bytes <= limits.bytes);
            if refused % 100 == 99 {
                // Whatever happens meanwhile.
                let event = tokio::time::timeout(Duration::from_millis(1), session.next()).await;
                if let Ok(Some(SessionEvent::Notice(Notice::Opened { .. }))) = event {
                    connections += 1;
                }
            }
        }
        assert_eq!(session.status().pending, limits.messages);
        (limits, refused, connections)
    });
    let memory = peak_memory(std::process::id());
    println!(
        "\naccount: {} messages of 1 KiB kept, {refused} handed back, over {connections} connections; the client process never \
         had more than {} KiB",
        limits.messages,
        memory >> 10
    );
    assert!(memory <= MOST_MEMORY, "{memory} bytes");
}
