//! The one async loop that carries out the commands of `redial`'s machine over a transport and a clock.
//!
//! [`Reconnecting`] is a connection that comes back: a [`Stream`](futures_core::Stream) of [`Event`]s (messages and
//! notices, in order) and a [`Sink`](futures_sink::Sink) of messages. It is polled in the caller's task, with no task and
//! no channel of its own, so a message costs what the bare transport costs. [`Handle`] controls it from elsewhere.
//!
//! It knows futures and no runtime: an adapter such as `redial-tokio` brings a [`Clock`] and a [`Connect`].
//!
//! ```
//! use futures_util::{SinkExt, StreamExt};
//! use redial::Policy;
//! use redial_driver::testing::{Message, Sim};
//! use redial_driver::{Event, Reconnecting};
//!
//! let sim = Sim::new(); // a virtual clock and a transport in memory
//! sim.net().echo();
//! sim.block_on(async {
//!     let mut connection = Reconnecting::builder(sim.clock(), sim.connector(), Policy::chat(), 7).build();
//!     connection.send(Message::Data(1)).await?;
//!     while let Some(event) = connection.next().await {
//!         match event {
//!             Event::Message(message) => {
//!                 assert_eq!(message, Message::Data(1));
//!                 connection.stop();
//!             }
//!             Event::Notice(notice) => println!("{notice:?}"),
//!             other => println!("{other:?}"),
//!         }
//!     }
//!     Ok::<(), redial_driver::SendError<Message>>(())
//! })
//! # .unwrap();
//! ```
//!
//! # The rules it keeps
//! - It looks at the clock before it polls its timer, and asks the machine for its deadline after every input.
//! - What the transport has finished beats the timer that would have ended it, and what the peer said last beats our write
//!   that failed: its close frame decides, if one can be read.
//! - After [`IO_PER_POLL`] messages without a pause it looks at the clock, serves timers and handles, and yields to the
//!   executor, however much there still is to read.
//! - It must be polled to live: pings, timeouts and handles' commands wait for the next poll. Whoever takes long over a
//!   message delays them.
//!
//! # What it does not do
//! It keeps no message that a connection has taken. One that was in a socket's buffer when the connection died is gone,
//! unless a session layer above resends it; messages that still wait in the outbox are not.
//!
//! # Crate features
//! - `session`: [`Session`], a conversation that outlives its connections.
//! - `recorder`: [`TraceRecorder`](Record), which writes what happens as a trace for `redial replay`.
//! - `tracing`: a span for each connection, an event for each notice.
//! - `testing`: the virtual clock and the scripted transport of this crate's own tests.
//! - `conformance`: the suite that an adapter runs with one call, over real sockets.

mod budget;
mod builder;
mod clock;
mod closing;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connect;
mod error;
mod event;
mod handle;
mod outbox;
mod reconnecting;
mod recorder;
#[cfg(feature = "session")]
mod session;
mod shared;
mod signal;
mod sink;
mod spans;
mod status;
mod step;
mod stream;
mod suspend;
#[cfg(feature = "testing")]
pub mod testing;
mod timer;
#[cfg(feature = "recorder")]
mod trace_recorder;
mod turn;
mod urgent;
mod watch;
mod write;

pub use budget::SharedBudget;
pub use builder::Builder;
pub use clock::Clock;
pub use connect::{Connect, Kind};
pub use error::SendError;
pub use event::{DropReason, Event};
pub use handle::Handle;
pub use outbox::{OutboxLimit, OutboxLimits, Overflow};
pub use reconnecting::{IO_PER_POLL, Reconnecting};
pub use recorder::Record;
#[cfg(feature = "session")]
pub use session::{Protocol, Session, SessionConfig, SessionEvent, SessionHandle, SessionStatus, SessionTransport};
pub use status::Status;
pub use suspend::Suspended;
#[cfg(feature = "recorder")]
pub use trace_recorder::TraceRecorder;
pub use watch::Watch;
