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
