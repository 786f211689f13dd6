//! What differs from runtime to runtime.

use futures_util::io::{AsyncRead, AsyncWrite};
use redial_driver::Clock;
use std::future::Future;
use std::io;
use std::net::SocketAddr;

/// What a runtime brings: its clock, its TCP, and its way of resolving names. A type of this trait is all that an adapter for
/// another runtime has to write; the feature `conformance` has a suite that shows whether it does what it should.
///
/// ```
/// use futures_util::io::Cursor; // in place of a TCP stream
/// use redial_driver::testing::TestClock;
/// use redial_websocket::{Runtime, WebSocket};
/// use std::{io, net::SocketAddr};
///
/// /// It has never heard of any name.
/// struct Hermit;
///
/// impl Runtime for Hermit {
///     type Clock = TestClock;
///     type Tcp = Cursor<Vec<u8>>;
///
///     fn clock() -> TestClock {
///         TestClock::new()
///     }
///     async fn resolve(_host: &str, _port: u16) -> io::Result<Vec<SocketAddr>> {
///         Err(io::ErrorKind::NotFound.into())
///     }
///     async fn connect(_address: SocketAddr, _nodelay: bool) -> io::Result<Cursor<Vec<u8>>> {
///         Err(io::ErrorKind::ConnectionRefused.into())
///     }
/// }
///
/// let _connection = WebSocket::<Hermit>::builder("ws://chat.example/").build()?;
/// # Ok::<(), redial_websocket::ConfigError>(())
/// ```
pub trait Runtime: 'static {
    /// The clock.
    type Clock: Clock<Sleep: Send> + Clone + Send;
    /// A TCP stream. Dropping it must close it.
    type Tcp: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// A clock. Each connection has one, and each dial of several addresses.
    fn clock() -> Self::Clock;

    /// The addresses of a name, or the address that the text is; in the order in which they are to be tried (RFC 6724).
    ///
    /// # Errors
    /// Any is "the name does not resolve".
    fn resolve(host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;

    /// Connects, and sets TCP_NODELAY as told. Dropping the future must give the try up.
    ///
    /// # Errors
    /// Those of the operating system: their kind says which cause a failed dial has.
    fn connect(address: SocketAddr, nodelay: bool) -> impl Future<Output = io::Result<Self::Tcp>> + Send;
}
