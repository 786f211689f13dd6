//! What async-io brings, on which async-std and smol both stand.

use crate::AsyncIoClock;
use crate::names::resolve;
use async_io::Async;
use redial_websocket::Runtime;
use std::io;
use std::net::{SocketAddr, TcpStream};

/// async-io's TCP, a clock, and the names of async-std or smol.
#[derive(Clone, Copy, Debug)]
pub struct AsyncIo;

/// async-io's TCP stream; `get_ref` gives std's.
pub type Tcp = Async<TcpStream>;

impl Runtime for AsyncIo {
    type Clock = AsyncIoClock;
    type Tcp = Tcp;

    fn clock() -> AsyncIoClock {
        AsyncIoClock::new()
    }

    async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        resolve(host, port).await
    }

    async fn connect(address: SocketAddr, nodelay: bool) -> io::Result<Tcp> {
        let stream = Async::<TcpStream>::connect(address).await?;
        stream.get_ref().set_nodelay(nodelay)?;
        Ok(stream)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Connect, ConnectionId, Dial, WebSocket, tungstenite};

    #[test]
    fn a_socket_has_nodelay_unless_told_otherwise() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let dial = Dial { connection: ConnectionId(1), endpoint: 0, attempt: 0, fresh_credentials: false };
        for (builder, expected) in [(WebSocket::builder(&url), true), (WebSocket::builder(&url).nodelay(false), false)]
        {
            let mut connector = builder.connector().unwrap();
            std::thread::scope(|scope| {
                let server = scope.spawn(|| tungstenite::accept(listener.accept().unwrap().0).is_ok());
                let socket = smol::block_on(connector.connect(dial)).unwrap();
                assert_eq!(socket.tcp().get_ref().nodelay().unwrap(), expected);
                assert!(server.join().unwrap());
            });
        }
    }
}
