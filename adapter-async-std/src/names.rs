//! Resolving names, which blocks: on the threads that the runtime has for that.

use std::io;
use std::net::SocketAddr;

#[cfg(feature = "async-std")]
pub(crate) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    use async_std::net::ToSocketAddrs;
    (host, port).to_socket_addrs().await.map(Iterator::collect)
}

#[cfg(all(feature = "smol", not(feature = "async-std")))]
pub(crate) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    use std::net::ToSocketAddrs;
    let host = host.to_owned();
    blocking::unblock(move || (host.as_str(), port).to_socket_addrs().map(Iterator::collect)).await
}
