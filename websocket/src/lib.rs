//! WebSockets for redial, on any runtime.
//!
//! This is what the adapters for tokio, async-std and smol have in common: [targets](Target), the opening handshake, TLS
//! (rustls), parallel tries of a name's addresses (RFC 8305), the socket over tungstenite, and the classification of what
//! goes wrong. What differs is a [`Runtime`]: a clock, TCP, and a way of resolving names. Users of those runtimes take
//! `redial-tokio` or `redial-async-std`.
//!
//! | what happens | [`Cause`](redial::Cause) |
//! |---|---|
//! | the name does not resolve | network, dns |
//! | nobody listens; no route | network, refused; network, unreachable |
//! | the connection is reset, or ends before the upgrade's answer | network, reset |
//! | the TLS handshake fails, or later its records are broken | network, tls |
//! | an answer other than 101 | http, with its status and `Retry-After` (RFC 9110, section 10.2.3) |
//! | a close frame | close, with its code; 1005 without one (RFC 6455, section 7.1.5) |
//! | an end without a close frame | close 1006 |
//! | bad frames, bad UTF-8, a message over the limit, a wrong handshake | protocol |
//!
//! # Crate features
//! - `conformance`: the suite by which a runtime of one's own shows that it does what the others do. For tests.
//!
//! # What it does not do
//! It follows no redirects, goes through no proxy, and offers no extensions (tungstenite has no compression).

mod addresses;
mod builder;
mod classify;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connector;
mod error;
pub mod prelude;
mod retry_after;
mod runtime;
mod session;
mod socket;
mod target;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
mod tls;
mod upgrade;

pub use builder::{WebSocket, WebSocketBuilder};
pub use connector::WebSocketConnector;
pub use error::ConfigError;
pub use runtime::Runtime;
pub use socket::Socket;
pub use target::Target;

pub use futures_rustls::rustls;
pub use redial;
pub use redial_driver;
pub use redial_session;
pub use tungstenite;
