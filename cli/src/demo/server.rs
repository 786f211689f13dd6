//! The server: acknowledges every number and remembers what has arrived, which is the truth that the account rests on.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use redial_tokio::Message;
use redial_tokio::tungstenite::protocol::CloseFrame;
use redial_tokio::tungstenite::protocol::frame::coding::CloseCode;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// A server that works in the background until it is [finished](Self::finish) or dropped.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    restart: Bell,
    end: Bell,
    arrivals: UnboundedReceiver<u32>,
    work: JoinSet<()>,
}

impl Server {
    /// Listens on a free port of the loopback interface.
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (arrived, arrivals) = unbounded_channel();
        let (restart, end) = (Bell::new(), Bell::new());
        let mut work = JoinSet::new();
        work.spawn(accept(listener, restart.clone(), end.heard(), arrived));
        Ok(Self { address, restart, end, arrivals, work })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Rung, it closes all connections as a server does that restarts.
    pub(super) fn restart(&self) -> Bell {
        self.restart.clone()
    }

    /// Takes no more connections, waits for the end of those there are, and gives the numbers that arrived, in order.
    pub(super) async fn finish(mut self) -> Vec<u32> {
        // The other side is gone by now; this is for a connection that has not heard of it.
        const PATIENCE: Duration = Duration::from_secs(2);
        self.end.ring();
        if timeout(PATIENCE, self.work.join_next()).await.is_err() {
            self.work.shutdown().await;
        }
        std::iter::from_fn(|| self.arrivals.try_recv().ok()).collect()
    }
}

/// Tells many at once.
#[derive(Clone, Debug)]
pub(super) struct Bell(watch::Sender<()>);

impl Bell {
    fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    pub(super) fn ring(&self) {
        self.0.send_replace(());
    }

    /// For one who hears it from now on.
    fn heard(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

/// How long to wait after accept failed, mostly for want of file descriptors: trying again at once would take all of a
/// CPU and free none.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

async fn accept(listener: TcpListener, restart: Bell, mut end: watch::Receiver<()>, arrived: UnboundedSender<u32>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, restart.heard(), arrived.clone()));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            _ = end.changed() => break,
        }
    }
    while connections.join_next().await.is_some() {}
}

async fn serve(stream: TcpStream, mut restart: watch::Receiver<()>, arrived: UnboundedSender<u32>) {
    // An acknowledgement is a few bytes and shall not wait for more; it is no fault if it must.
    let _ = stream.set_nodelay(true);
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
        return;
    };
    loop {
        tokio::select! {
            _ = restart.changed() => {
                // Then it reads on: what was under way has arrived all the same, although nobody says so any more.
                let frame = CloseFrame { code: CloseCode::Restart, reason: "".into() };
                let _ = socket.close(Some(frame)).await;
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    if let Ok(number) = text.parse() {
                        let _ = arrived.send(number);
                    }
                    // Fails only where the connection is ending, which the next look at it tells.
                    let _ = socket.send(Message::Text(text)).await;
                }
                Some(Ok(
                    Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_),
                )) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}
