//! The contract's laws by example, one test each, with literal timestamps; `laws` has them for any policy and any input.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod delay;
mod dialling;
mod health;
mod support;
mod time;
