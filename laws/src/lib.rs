//! The laws of the contract's section 4 as code that watches a machine from outside, and scenarios that drive one into
//! every corner. The property tests, the fuzzer and the exhaustive search share them.
//!
//! The watchers are written from the contract: they see only what a driver sees (inputs, outputs and getters), never the
//! machine's own way of getting there.

// A law looks at one kind of input or notice and lets the others go.
#![allow(clippy::wildcard_enum_match_arm)]

/// A law's condition, or the law is broken for this reason.
macro_rules! ensure {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err(format!($($why)+));
        }
    };
}

mod accounts;
mod causes;
mod delay;
mod dialling;
mod exact;
mod health;
mod history;
mod laws;
mod scenario;
mod shown;
mod step;
mod time;
mod watched;

pub use laws::{Chapter, LAWS, LawText, Laws};
#[cfg(feature = "proptest")]
pub use scenario::scenarios;
pub use scenario::{Focus, Move, Pace, Scenario, Situation, Which};
pub use step::{Step, View};
pub use watched::{Broken, Watched};
