//! Scenarios for proptest: out of bytes as well, so that there is one generator; it shrinks to fewer moves and to
//! plainer ones.

use proptest::array::uniform24;
use proptest::collection::vec;
use proptest::prelude::*;

use super::bytes::HEAD;
use super::{Focus, Scenario};

/// Scenarios of up to so many moves.
pub fn scenarios(focus: Focus, most: usize) -> impl Strategy<Value = Scenario> {
    (vec(any::<u8>(), HEAD), vec(uniform24(any::<u8>()), 1..=most)).prop_map(move |(head, moves)| {
        let bytes: Vec<u8> = head.into_iter().chain(moves.into_iter().flatten()).collect();
        Scenario::from_bytes(focus, &bytes)
    })
}
