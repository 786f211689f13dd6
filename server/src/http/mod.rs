//! What is asked by HTTP.

pub(crate) mod health;
pub(crate) mod listen;
pub(crate) mod rooms;
pub(crate) mod socket;
mod upgrade;
