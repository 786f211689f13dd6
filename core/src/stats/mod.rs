//! The accounts: what has happened so far, in fixed memory.

mod accounts;
mod endpoints;
mod histogram;

pub(crate) use accounts::Accounts;
pub use accounts::Stats;
pub(crate) use endpoints::Record;
pub use endpoints::{EndpointHealth, Endpoints};
pub use histogram::Latencies;
