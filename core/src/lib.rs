//! The reconnection engine: a pure state machine that decides when to dial, how long to wait, when to give up and how
//! good a connection is.
//!
//! [`ReconnectMachine`] is told what happens and when, and answers with [commands](Command) to carry out and
//! [notices](Notice) to read. It opens no socket, reads no clock, starts no task, allocates nothing and needs no `std`;
//! so the same machine drives tokio, smol, a browser, a blocking loop or a test, and every timing rule can be proven with
//! literal timestamps.
//!
//! ```
//! use redial::{Command, Input, Policy, ReconnectMachine, Timestamp};
//!
//! let mut machine = ReconnectMachine::new(Policy::resilient(), 0x5eed);
//! for command in machine.handle(Timestamp::ZERO, Input::Start).commands() {
//!     match command {
//!         Command::Dial(dial) => println!("dial endpoint {}", dial.endpoint),
//!         Command::HangUp { connection, cause } => println!("hang up {connection}: {cause}"),
//!         Command::Ping { connection, ping } => println!("ping {ping} on {connection}"),
//!     }
//! }
//! // Then: report what happens, and `Input::Timeout` at `machine.deadline()`.
//! ```
//!
//! # What it is not
//! It moves no bytes and queues no messages: a driver does (`redial-driver`, `redial-tokio`).
//!
//! # Crate features
//! - `serde`: policies, inputs, outputs, snapshots and statistics as JSON (or any other format of serde's). Needs an
//!   allocator.
//! - `trace`: reads, writes and replays traces, JSON Lines of inputs and outputs. Needs `std`.

#![no_std]
#![warn(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::std_instead_of_core)]

#[cfg(any(feature = "serde", test))]
extern crate alloc;
#[cfg(any(feature = "trace", test))]
extern crate std;

mod backoff;
mod budget;
mod cause;
mod grades;
mod health;
mod holds;
mod input;
mod machine;
#[cfg(feature = "serde")]
mod millis;
mod moment;
mod output;
mod policy;
mod rng;
mod shared_budget;
mod snapshot;
mod stats;
mod time;
#[cfg(feature = "trace")]
pub mod trace;
mod words;

pub use backoff::{Backoff, Delay};
pub use cause::{Cause, NetworkDetail};
pub use holds::Holds;
pub use input::{Hint, Input};
pub use machine::{ReconnectMachine, WakeReason};
pub use output::{Command, Dial, Notice, Output, Outputs, RetryScheduled};
pub use policy::{
    DialBudget, Failover, Jitter, KEYS, Policy, PolicyBuilder, PolicyError, Preset, QualityBounds, Value, Verdict,
    VerdictKey, Verdicts,
};
pub use shared_budget::{SharedBudget, Turn};
pub use snapshot::{Snapshot, SnapshotError};
pub use stats::{EndpointHealth, Endpoints, Latencies, Stats};
pub use time::{Micros, Timestamp};
pub use words::{ConnectionId, HoldReason, Limit, Phase, PingId, Quality};
