//! What both halves promise: the laws over a hostile link, the bytes, the overhead, and a server in another language.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking
#![allow(clippy::wildcard_enum_match_arm)] // what is not exhaustive needs one here

mod conversations;
mod frames;
mod laws;
mod overhead;
mod python;
mod regressions;
mod saved;
mod support;
mod world;
