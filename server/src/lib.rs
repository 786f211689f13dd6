//! The other end of redial: resumable sessions for axum.
#![forbid(unsafe_code)]

pub mod store;
