//! WebSockets in the browser that come back, for front ends in Rust.
//!
//! ```no_run
//! use redial_wasm::{Event, Message, Notice, Policy, SinkExt, StreamExt, WebSocket};
//!
//! # async fn chat() -> Result<(), Box<dyn std::error::Error>> {
//! let mut chat = WebSocket::builder("/ws/chat/").policy(Policy::resilient()).build()?;
//! while let Some(event) = chat.next().await {
//!     match event {
//!         Event::Notice(Notice::Opened { .. }) => chat.send(Message::text("hello")).await?,
//!         Event::Notice(Notice::Lost { cause, .. }) => log(format!("lost: {cause}")),
//!         Event::Notice(Notice::RetryScheduled(retry)) => log(format!("next dial in {}", retry.delay)),
//!         Event::Message(message) => log(message.to_string()),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! # fn log(_: String) {}
//! ```
//!
//! It has the shape of `redial-tokio`, and runs in whatever polls it: `wasm_bindgen_futures::spawn_local`, Yew's or Leptos's own. The
//! loop is `redial-driver`'s, the rules are `redial`'s; this crate adds the browser's clock, its `WebSocket`, and what it says of the
//! network and of the page. It compiles everywhere, and works in pages and workers only.
//!
//! | what happens | [`Cause`] |
//! |---|---|
//! | whatever fails before the connection is open: a browser does not say what | network |
//! | a close frame | close, with its code; 1005 without one (RFC 6455, section 7.1.5) |
//! | an end without a close frame | close 1006 |
//! | a URL or a subprotocol that the browser takes for none; a server whose subprotocol has no heartbeat | protocol |
//! | the page goes into the cache for the way back | network |
//!
//! A browser shows no HTTP status: a server that means to refuse a client for good takes the upgrade, and closes with a code, such
//! as 1008. With `verdicts` a policy stops at codes of one's own: `close:4401`.
//!
//! | what the browser says | what follows |
//! |---|---|
//! | `offline`, `online` | the hold `offline` stands, stands no more: an open connection is asked whether it is alive |
//! | `visibilitychange` | with [`hold_when_hidden`](WebSocketBuilder::hold_when_hidden), the hold `hidden`; what is due is done, in any case |
//! | `freeze`, `resume` | the hold `hidden`; what is due is done |
//! | `pagehide`, `pageshow`, for the way back | the hold `hidden`, and the connection is closed, because a browser that keeps the page would cut it; back again, it is dialled at once |
//!
//! # Health checks
//! Browsers have no ping frames. A server that speaks `redial.v1` ([`session`](WebSocketBuilder::session)) has pings of its own; any other is
//! asked by a message that it answers, a [`Heartbeat`]. With neither there are none, and a peer that went silent is not noticed.
//!
//! # What it does not do
//! It sends no headers: a browser has none to give. `flush` waits for nothing, and what comes is not slowed down: browsers have no
//! such thing. Of what is sent, a sink waits while the browser holds more than 256 KiB.
//!
//! # Crate features
//! - `tracing`: a span for each connection, an event for each notice.
//! - `serde`: policies, notices and statistics as JSON. `trace`: traces, too.
//! - `recorder`: `TraceRecorder`, which writes what happens as a trace, and `trace`.

mod builder;
mod clock;
mod connector;
mod error;
mod global;
mod heartbeat;
mod hints;
mod message;
mod session;
mod socket;
mod target;

pub use builder::{WebSocket, WebSocketBuilder};
pub use clock::{Sleep, WasmClock};
pub use connector::WebSocketConnector;
pub use error::{ConfigError, SocketError};
pub use heartbeat::Heartbeat;
pub use message::Message;
pub use socket::Socket;
pub use target::Target;

pub use bytes::Bytes;
pub use futures_util::{SinkExt, StreamExt};
pub use redial::{
    Cause, ConnectionId, Dial, DialBudget, EndpointHealth, Endpoints, Failover, Hint, HoldReason, Jitter, Limit,
    Micros, NetworkDetail, Notice, Phase, PingId, Policy, PolicyBuilder, PolicyError, Quality, Timestamp, Verdict,
    VerdictKey,
};
#[cfg(feature = "recorder")]
pub use redial_driver::TraceRecorder;
pub use redial_driver::{
    Clock, Connect, DropReason, Event, Handle, Kind, OutboxLimit, OutboxLimits, Overflow, Protocol, Record, SendError,
    SessionConfig, SessionEvent, SessionHandle, SessionStatus, SessionTransport, Status, Watch,
};
pub use redial_session::{
    AckPolicy, Advice, ClientEvent, EndReason, GivenUp, LossReason, MessageId, Payload, SavedSession, SessionLost,
    Unacknowledged,
};
pub use {redial, redial_driver, redial_session};

/// A dial budget that many connections share.
pub type SharedBudget = redial_driver::SharedBudget<WasmClock>;

/// A WebSocket that comes back: a `Stream` of [`Event`]s and a `Sink` of [`Message`]s. Made by [`WebSocket`]'s builder.
pub type Reconnecting<R = ()> = redial_driver::Reconnecting<WasmClock, WebSocketConnector, R>;

/// A conversation that outlives its connections: a `Stream` of [`SessionEvent`]s and a `Sink` of [`Payload`]s. Made by
/// [`WebSocketBuilder`]'s `session`.
pub type Session<R = ()> = redial_driver::Session<WasmClock, WebSocketConnector, R>;
