//! The accounts: what has happened so far, in fixed memory.

mod accounts;
mod histogram;

pub(crate) use accounts::Accounts;
pub use accounts::Stats;
pub use histogram::Latencies;
