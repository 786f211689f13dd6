//! A virtual clock and a scripted transport in memory, on which the driver and what is built on it can be tested without
//! waiting and without chance.
//!
//! Time stands still while anything can progress, and then jumps to the next alarm.
//!
//! ```
//! use futures_util::StreamExt;
//! use redial::{Cause, Notice, Policy};
//! use redial_driver::testing::{Script, Sim};
//! use redial_driver::{Event, Reconnecting};
//!
//! let sim = Sim::new();
//! sim.net().script([Script::Fail(Cause::NETWORK), Script::Accept]);
//! let mut connection = Reconnecting::builder(sim.clock(), sim.connector(), Policy::chat(), 7).build();
//! let attempt = sim.block_on(async {
//!     loop {
//!         if let Some(Event::Notice(Notice::Opened { attempt, .. })) = connection.next().await {
//!             break attempt;
//!         }
//!     }
//! });
//! assert_eq!(attempt, 1);
//! ```

mod clock;
mod net;
mod peer;
mod sim;

pub use clock::{TestClock, TestSleep};
pub use net::{Message, Net, Script, TestConnector, TestError};
pub use peer::{Peer, TestConnection};
pub use sim::Sim;
