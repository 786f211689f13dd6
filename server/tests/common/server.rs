//! A server on loopback, and HTTP to it.

use std::sync::Arc;

use redial_server::store::{MemoryStore, SessionStore, StoreSettings};
use redial_server::{Builder, Chat, Effect, Payload, SessionInfo, Sessions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub struct Server {
    pub port: u16,
    pub sessions: Sessions,
    pub task: JoinHandle<std::io::Result<()>>,
}

pub fn memory() -> Arc<dyn SessionStore> {
    Arc::new(MemoryStore::new(StoreSettings::default()))
}

/// Answers each message with itself.
pub fn echo(_: &SessionInfo, payload: Payload) -> Vec<Effect> {
    vec![Effect::Reply(payload)]
}

pub async fn serve(builder: Builder) -> Server {
    let sessions = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = sessions.clone();
    let task = tokio::spawn(async move { serving.serve(listener).await });
    Server { port, sessions, task }
}

pub async fn serve_echo(store: Arc<dyn SessionStore>) -> Server {
    serve(Sessions::builder(store, echo)).await
}

pub async fn serve_chat(store: Arc<dyn SessionStore>) -> Server {
    serve(Sessions::builder(Arc::clone(&store), Chat::new(store))).await
}

/// The status, the head and the body.
pub async fn get(port: u16, path: &str, headers: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}
