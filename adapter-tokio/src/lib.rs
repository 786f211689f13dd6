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
//! The loop is `redial-driver`'s, the rules are `redial`'s, the WebSockets `redial-websocket`'s, whose documentation has the
//! table of what is which [`Cause`]; this crate adds tokio's clock, its TCP and its way of resolving names.
//!
//! # Panics
//! It is to be polled in a tokio runtime with its time and its I/O enabled: outside one, tokio panics at the first poll.
//!
//! # What it does not do
//! It follows no redirects, goes through no proxy, and offers no extensions (tungstenite has no compression).
//!
//! # Crate features
//! - `tracing`: a span for each connection, an event for each notice.
//! - `serde`: policies, notices and statistics as JSON. `trace`: traces, too.
//! - `recorder`: `TraceRecorder`, which writes what happens as a trace, and `trace`.

/// The README's example, which the documentation's tests compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

mod clock;
mod runtime;

pub use clock::TokioClock;
pub use runtime::{Tcp, Tokio};

#[cfg(feature = "recorder")]
pub use redial_driver::TraceRecorder;
pub use redial_websocket::prelude::*;
pub use {redial, redial_driver, redial_websocket};

/// The way in: `WebSocket::builder`.
pub type WebSocket = redial_websocket::WebSocket<Tokio>;

/// Collects settings; `build` checks them all.
pub type WebSocketBuilder<R = ()> = redial_websocket::WebSocketBuilder<Tokio, R>;

/// Dials WebSockets. Made by `WebSocketBuilder::connector`; of a running connection, it is `connector_mut()`.
pub type WebSocketConnector = redial_websocket::WebSocketConnector<Tokio>;

/// A dial budget that many connections share.
pub type SharedBudget = redial_driver::SharedBudget<TokioClock>;

/// One open connection.
pub type Socket = redial_websocket::Socket<Tcp>;

/// A WebSocket that comes back: a `Stream` of [`Event`]s and a `Sink` of [`Message`]s. Made by [`WebSocket`]'s builder.
pub type Reconnecting<R = ()> = redial_driver::Reconnecting<TokioClock, WebSocketConnector, R>;

/// A conversation that outlives its connections: a `Stream` of [`SessionEvent`]s and a `Sink` of [`Payload`]s. Made by
/// [`WebSocketBuilder`]'s `session`.
pub type Session<R = ()> = redial_driver::Session<TokioClock, WebSocketConnector, R>;
