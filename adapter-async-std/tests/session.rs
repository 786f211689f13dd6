//! Sessions on smol, and on async-std.

#![allow(clippy::unwrap_used, clippy::panic)] // tests may panic

use redial_async_std::AsyncIo;

#[path = "../../websocket/tests/shared/session.rs"]
mod shared;

#[test]
fn nothing_is_lost_on_smol_with_a_server_in_python() {
    smol::block_on(shared::nothing_is_lost_with_a_server_in_python::<AsyncIo>());
}

#[cfg(feature = "async-std")]
#[test]
fn nothing_is_lost_on_async_std_with_a_server_in_python() {
    async_std::task::block_on(shared::nothing_is_lost_with_a_server_in_python::<AsyncIo>());
}

#[test]
fn a_server_without_sessions_is_spoken_to_plainly() {
    smol::block_on(shared::a_server_without_sessions_is_spoken_to_plainly::<AsyncIo>());
}
