//! The server as its clients see it: a raw client of `redial.v1` on real sockets, and on pipes where time is virtual.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests
#![allow(clippy::wildcard_enum_match_arm)] // what is not expected fails, whatever it is

mod chat;
mod client;
mod ends;
mod faulty;
mod limits;
mod outage;
mod plain;
mod refusals;
mod resume;
mod server;
mod shutdown;
mod watching;
