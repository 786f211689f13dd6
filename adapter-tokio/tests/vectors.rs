//! The golden vectors, replayed by the machine as this adapter builds it.

#![cfg(feature = "trace")]
#![allow(clippy::panic)] // helpers of tests are tests

#[path = "../../core/vectors/mod.rs"]
mod vectors;

#[test]
fn every_vector_replays_to_its_outputs() {
    for (name, text) in vectors::VECTORS {
        vectors::check(text).unwrap_or_else(|difference| panic!("{name}: {difference}"));
    }
}
