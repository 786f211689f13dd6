//! WebSockets on async-std and smol that come back.
//!
//! async-std is discontinued ([RUSTSEC-2025-0052](https://rustsec.org/advisories/RUSTSEC-2025-0052)): new programs take smol,
//! on which it always stood, and this crate with `default-features = false, features = ["smol"]`. Programs that are still on
//! async-std are served by the default feature until they have moved; nothing else changes for them then.
//!
//! ```no_run
//! use redial_async_std::{Event, Message, Notice, Policy, SinkExt, StreamExt, WebSocket};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! smol::block_on(async {
//!     let mut chat = WebSocket::builder("wss://chat.example/ws").policy(Policy::resilient()).build()?;
//!     while let Some(event) = chat.next().await {
//!         match event {
//!             Event::Notice(Notice::Opened { .. }) => chat.send(Message::text("hello")).await?,
//!             Event::Notice(Notice::Lost { cause, .. }) => eprintln!("lost: {cause}"),
//!             Event::Notice(Notice::RetryScheduled(retry)) => eprintln!("next dial in {}", retry.delay),
//!             Event::Message(message) => println!("{message}"),
//!             _ => {}
//!         }
//!     }
//!     Ok(())
//! })
//! # }
//! ```
//!
//! It has the same shape as `redial-tokio`: a program changes the runtime and the `use`. The loop is `redial-driver`'s, the
//! rules are `redial`'s, the WebSockets `redial-websocket`'s, whose documentation has the table of what is which [`Cause`];
//! this crate adds async-io's TCP, on which both runtimes stand, and a clock. So it works under any executor: async-io has a
//! thread of its own, where nobody else drives it, and so has the clock, because async-io's timers would make every wait for
//! I/O dearer.
//!
//! # What it does not do
//! It follows no redirects, goes through no proxy, and offers no extensions (tungstenite has no compression).
//!
//! # Crate features
//! - `async-std` (the default), `smol`: whose threads resolve names, which blocks. One of them is needed; with both it is
//!   async-std's. Nothing else depends on it.
//! - `tracing`: a span for each connection, an event for each notice.
//! - `serde`: policies, notices and statistics as JSON. `trace`: traces, too.
//! - `recorder`: `TraceRecorder`, which writes what happens as a trace, and `trace`.

#[cfg(not(any(feature = "async-std", feature = "smol")))]
compile_error!("redial-async-std needs one of its features async-std (the default) and smol");

mod clock;
#[cfg(any(feature = "async-std", feature = "smol"))]
mod names;
mod runtime;

pub use clock::AsyncIoClock;
pub use runtime::{AsyncIo, Tcp};

#[cfg(feature = "recorder")]
pub use redial_driver::TraceRecorder;
pub use redial_websocket::prelude::*;
pub use {redial, redial_driver, redial_websocket};

/// The way in: `WebSocket::builder`.
pub type WebSocket = redial_websocket::WebSocket<AsyncIo>;

/// Collects settings; `build` checks them all.
pub type WebSocketBuilder<R = ()> = redial_websocket::WebSocketBuilder<AsyncIo, R>;

/// Dials WebSockets. Made by `WebSocketBuilder::connector`; of a running connection, it is `connector_mut()`.
pub type WebSocketConnector = redial_websocket::WebSocketConnector<AsyncIo>;

/// A dial budget that many connections share.
pub type SharedBudget = redial_driver::SharedBudget<AsyncIoClock>;

/// One open connection.
pub type Socket = redial_websocket::Socket<Tcp>;

/// A WebSocket that comes back: a `Stream` of [`Event`]s and a `Sink` of [`Message`]s. Made by [`WebSocket`]'s builder.
pub type Reconnecting<R = ()> = redial_driver::Reconnecting<AsyncIoClock, WebSocketConnector, R>;

/// A conversation that outlives its connections: a `Stream` of [`SessionEvent`]s and a `Sink` of [`Payload`]s. Made by
/// [`WebSocketBuilder`]'s `session`.
pub type Session<R = ()> = redial_driver::Session<AsyncIoClock, WebSocketConnector, R>;
