//! WebSockets on tokio that come back.
//!
//! ```no_run
//! use redial_tokio::{Event, Message, Notice, Policy, SinkExt, StreamExt, WebSocket};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut chat = WebSocket::builder("wss://chat.example/ws").policy(Policy::resilient()).build()?;
//! while let Some(event) = chat.next().await {
//!     match event {
//!         Event::Notice(Notice::Opened { .. }) => chat.send(Message::text("hello")).await?,
//!         Event::Notice(Notice::Lost { cause, .. }) => eprintln!("lost: {cause}"),
//!         Event::Notice(Notice::RetryScheduled(retry)) => eprintln!("next dial in {}", retry.delay),
//!         Event::Message(message) => println!("{message}"),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The loop is `redial-driver`'s, the rules are `redial`'s; this crate adds tokio's clock, a connector over tungstenite and
//! rustls, and the classification of what goes wrong:
//!
//! | what happens | [`Cause`] |
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
//! # What it does not do
//! It follows no redirects, goes through no proxy, offers no extensions (tungstenite has no compression), and tries a name's
//! addresses one after the other: one that never answers takes the whole `connectTimeout`, and the next dial begins with the
//! next address.
//!
//! # Crate features
//! - `tracing`: a span for each connection, an event for each notice.
//! - `serde`: policies, notices and statistics as JSON. `trace`: traces, too.
//! - `recorder`: `TraceRecorder`, which writes what happens as a trace, and `trace`.

/// The README's example, which the documentation's tests compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

mod builder;
mod classify;
mod clock;
mod connector;
mod error;
mod retry_after;
mod socket;
mod target;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
mod tls;
mod upgrade;

pub use builder::{WebSocket, WebSocketBuilder};
pub use clock::TokioClock;
pub use connector::WebSocketConnector;
pub use error::ConfigError;
pub use socket::Socket;
pub use target::Target;

pub use futures_util::{SinkExt, StreamExt};
pub use redial::{
    self, Cause, ConnectionId, Dial, Hint, HoldReason, Jitter, Limit, Micros, NetworkDetail, Notice, Phase, PingId,
    Policy, Quality, Timestamp,
};
#[cfg(feature = "recorder")]
pub use redial_driver::TraceRecorder;
pub use redial_driver::{
    self, Clock, Connect, DropReason, Event, Handle, Kind, OutboxLimit, OutboxLimits, Overflow, Record, SendError,
    Status, Watch,
};
pub use tokio_rustls::rustls;
pub use tungstenite::protocol::WebSocketConfig;
pub use tungstenite::{self, Message};

/// A WebSocket that comes back: a `Stream` of [`Event`]s and a `Sink` of [`Message`]s. Made by [`WebSocket::builder`].
pub type Reconnecting<R = ()> = redial_driver::Reconnecting<TokioClock, WebSocketConnector, R>;
