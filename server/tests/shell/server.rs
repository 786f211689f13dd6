//! A server on loopback, and HTTP to it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::ConnectInfo;
use axum::serve::Listener;

use redial_server::store::{MemoryStore, SessionStore, StoreSettings};
use redial_server::{Builder, Chat, Effect, Payload, SessionInfo, Sessions};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::client::Place;

pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) sessions: Sessions,
    pub(crate) task: JoinHandle<std::io::Result<()>>,
}

pub(crate) fn memory() -> Arc<dyn SessionStore> {
    Arc::new(MemoryStore::new(StoreSettings::default()))
}

/// Answers each message with itself.
pub(crate) fn echo(_: &SessionInfo, payload: Payload) -> Vec<Effect> {
    vec![Effect::Reply(payload)]
}

pub(crate) async fn serve(builder: Builder) -> Server {
    let sessions = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = sessions.clone();
    let task = tokio::spawn(async move { serving.serve(listener).await });
    Server { port, sessions, task }
}

pub(crate) async fn serve_echo(store: Arc<dyn SessionStore>) -> Server {
    serve(Sessions::builder(store, echo)).await
}

pub(crate) async fn serve_chat(store: Arc<dyn SessionStore>) -> Server {
    serve(Sessions::builder(Arc::clone(&store), Chat::new(store))).await
}

/// The status, the head and the body.
pub(crate) async fn get(port: u16, path: &str, headers: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

/// A server at the end of a pipe; all clients have one address.
pub(crate) async fn serve_pipe(builder: Builder) -> (Place, Sessions) {
    let sessions = builder.build();
    let (door, guests) = mpsc::channel(1);
    let address = ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 1)));
    let router = sessions.router().layer(Extension(address));
    tokio::spawn(async move { axum::serve(Pipes(guests), router).await });
    (Place::Pipe(door), sessions)
}

struct Pipes(mpsc::Receiver<DuplexStream>);

impl Listener for Pipes {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(stream) => (stream, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<()> {
        Ok(())
    }
}
