//! The other end of redial: resumable sessions for axum.
//!
//! An application says what a message brings about ([`Application`]); this crate sees to it that it happens once, and that
//! nothing is lost on the way back, however often the connection breaks, and whatever process the client comes back to. On the wire
//! it is `redial.v1`, a WebSocket subprotocol; where sessions live is a [`store`].
//!
//! ```
//! use std::sync::Arc;
//!
//! use redial_server::store::{MemoryStore, StoreSettings};
//! use redial_server::{Effect, Payload, SessionInfo, Sessions};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Arc::new(MemoryStore::new(StoreSettings::default()));
//! let echo = |_: &SessionInfo, payload: Payload| vec![Effect::Reply(payload)];
//! let sessions = Sessions::builder(store, echo).build();
//!
//! let app = axum::Router::new()
//!     .route("/", axum::routing::get(|| async { "hello" }))
//!     .route("/live", sessions.handler());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let serving = sessions.clone();
//! let server = tokio::spawn(async move { serving.serve_router(listener, app).await });
//! // … and when it has to go:
//! sessions.shutdown(std::time::Duration::from_secs(5)).await;
//! server.await??;
//! # Ok(())
//! # }
//! ```
//!
//! [`Chat`] is an application that is ready: rooms, history, presence. [`Limits`] bound what clients may ask for, [`Refusal`]
//! has the table of who is turned away and how, and [`Sessions::router`] the routes.
#![forbid(unsafe_code)]

mod access;
mod admission;
mod application;
mod background;
mod builder;
mod chance;
mod chat;
mod clock;
mod connection;
mod http;
mod hub;
mod limits;
mod metrics;
mod plain;
mod refusal;
mod registry;
mod sessions;
pub mod store;
mod views;

pub use admission::bearer::TokenRefused;
pub use admission::origin::Origins;
pub use application::{Application, SessionInfo};
pub use builder::Builder;
pub use chat::Chat;
pub use limits::Limits;
pub use redial_session::{Advice, Payload, SessionId};
pub use refusal::Refusal;
pub use sessions::Sessions;
pub use store::Effect;
