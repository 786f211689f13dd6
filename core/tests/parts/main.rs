//! The parts around the laws, one module each: what their documentation says, to the letter.

#![allow(clippy::unwrap_used)]

mod backoff;
mod budget;
mod dialling;
mod machine;
mod outputs;
mod policy;
mod quality;
mod shared_budget;
mod stats;
mod support;
mod time;
mod words;
