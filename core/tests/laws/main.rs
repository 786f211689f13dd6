//! The contract's laws, one test each, with literal timestamps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod delay;
mod dialling;
mod health;
mod support;
mod time;
