//! A raw client of `redial.v1`, and servers on loopback.
#![allow(dead_code)] // Each test uses its part.

pub mod client;
pub mod server;
