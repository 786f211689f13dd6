//! The listening socket, which can be shut in such a way that dials are truly refused.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::sleep;

/// The door that clients come through.
#[derive(Debug)]
pub(super) struct Door {
    address: SocketAddr,
    state: State,
}

#[derive(Debug)]
enum State {
    Open(TcpListener),
    /// Bound, not listening: dials are refused by the kernel, yet the port stays ours. Were it free, another process
    /// could take it, or the kernel could give it to a redialling client as its own port, and a client that dials its
    /// own port is connected to itself. `None` where the port could not be had again.
    Shut(Option<TcpSocket>),
}

/// Connections that may wait to be accepted; std's and mio's number.
const BACKLOG: u32 = 128;

/// How long to wait after accept failed, mostly for want of file descriptors: trying again at once would take all of
/// a CPU and free none.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Door {
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        let listener = bound(address)?.listen(BACKLOG)?;
        Ok(Self { address: listener.local_addr()?, state: State::Open(listener) })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next client; never while the door is shut. Cancel-safe.
    pub(super) async fn accept(&self) -> TcpStream {
        match &self.state {
            State::Shut(_) => pending().await,
            State::Open(listener) => loop {
                match listener.accept().await {
                    Ok((client, _)) => return client,
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            },
        }
    }

    /// A client that stands at the door already, if there is one. It asks the kernel: tokio's listener knows of a
    /// client only once the reactor has had its turn.
    pub(super) fn accept_waiting(&self) -> Option<TcpStream> {
        match &self.state {
            State::Shut(_) => None,
            State::Open(listener) => {
                let (client, _) = SockRef::from(listener).accept().ok()?;
                client.set_nonblocking(true).ok()?;
                TcpStream::from_std(client.into()).ok()
            }
        }
    }

    /// From now on dials are refused.
    pub(super) fn shut(&mut self) {
        if let State::Open(_) = self.state {
            // The listener must be gone before the port can be bound again.
            self.state = State::Shut(None);
            self.state = State::Shut(bound(self.address).ok());
        }
    }

    /// From now on dials are answered again.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        if let State::Shut(kept) = &mut self.state {
            let socket = match kept.take() {
                Some(socket) => socket,
                None => bound(self.address)?,
            };
            self.state = State::Open(socket.listen(BACKLOG)?);
        }
        Ok(())
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Without it the port can't be bound again while connections made through it live on. On Windows they are no
    // obstacle, and the option would let other processes take the port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
