//! Every fault over real sockets on loopback. Nothing here waits for a while and hopes: it waits for what it can see.
//! `LIMIT` is only there so that a broken proxy fails a test instead of stopping it.

use std::future::Future;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Control, Proxy, Reply};

mod bytes;
mod connections;
mod console;

const LIMIT: Duration = Duration::from_secs(20);

/// A proxy at work, and what it dials.
struct Net {
    address: SocketAddr,
    control: Control,
    upstream: TcpListener,
    proxy: JoinSet<()>,
}

impl Net {
    async fn new() -> Self {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::bind("127.0.0.1:0".parse().unwrap(), upstream.local_addr().unwrap()).unwrap();
        let (address, control) = (proxy.local_addr(), proxy.control());
        let mut tasks = JoinSet::new();
        tasks.spawn(async {
            proxy.run().await;
        });
        Self { address, control, upstream, proxy: tasks }
    }

    async fn order(&self, line: &str) -> Reply {
        soon(self.control.apply(line.parse().unwrap())).await.unwrap()
    }

    async fn dial(&self) -> Result<TcpStream, Error> {
        soon(TcpStream::connect(self.address)).await
    }

    /// The client's and the server's end of a connection through the proxy.
    async fn connected(&self) -> (TcpStream, TcpStream) {
        let client = self.dial().await.unwrap();
        let (server, _) = soon(self.upstream.accept()).await.unwrap();
        (client, server)
    }

    fn passed(&self) -> (u64, u64) {
        let counters = *self.control.counters().borrow();
        (counters.bytes_up, counters.bytes_down)
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(LIMIT, what).await.unwrap()
}

async fn send(stream: &mut TcpStream, bytes: &[u8]) {
    soon(stream.write_all(bytes)).await.unwrap();
}

async fn arrives(stream: &mut TcpStream, bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    soon(stream.read_exact(&mut read)).await.unwrap();
    assert_eq!(read, bytes);
}

async fn eof(stream: &mut TcpStream) {
    assert_eq!(soon(stream.read(&mut [0])).await.unwrap(), 0);
}

async fn reset(stream: &mut TcpStream) {
    assert_eq!(soon(stream.read(&mut [0])).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

/// Many round trips past the proxy: what a proxy that doesn't hold bytes would have passed by then.
async fn many_turns() {
    turns(200).await;
}

async fn turns(count: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut a = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut b, _) = listener.accept().await.unwrap();
    for _ in 0..count {
        send(&mut a, b"tick").await;
        arrives(&mut b, b"tick").await;
        send(&mut b, b"tock").await;
        arrives(&mut a, b"tock").await;
    }
}
