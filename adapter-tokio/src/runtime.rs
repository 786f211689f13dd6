//! What tokio brings.

use crate::TokioClock;
use redial_websocket::Runtime;
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpStream, lookup_host};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// tokio's clock, TCP and names. It needs a runtime with its timer and its I/O enabled.
#[derive(Clone, Copy, Debug)]
pub struct Tokio;

/// tokio's TCP stream with the traits of `futures`; `get_ref` gives the stream itself.
pub type Tcp = Compat<TcpStream>;

impl Runtime for Tokio {
    type Clock = TokioClock;
    type Tcp = Tcp;

    fn clock() -> TokioClock {
        TokioClock::new()
    }

    async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        lookup_host((host, port)).await.map(Iterator::collect)
    }

    async fn connect(address: SocketAddr, nodelay: bool) -> io::Result<Tcp> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(nodelay)?;
        Ok(stream.compat())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Connect, Dial, WebSocket};

    #[tokio::test]
    async fn a_socket_has_nodelay_unless_told_otherwise() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let dial = Dial { connection: crate::ConnectionId(1), endpoint: 0, attempt: 0, fresh_credentials: false };
        for (builder, expected) in [(WebSocket::builder(&url), true), (WebSocket::builder(&url).nodelay(false), false)]
        {
            let mut connector = builder.connector().unwrap();
            let (socket, server) = tokio::join!(connector.connect(dial), async {
                tokio_tungstenite::accept_async(listener.accept().await.unwrap().0).await
            });
            assert!(server.is_ok());
            assert_eq!(socket.unwrap().tcp().get_ref().nodelay().unwrap(), expected);
        }
    }
}
