//! Sessions on tokio.

#![allow(clippy::unwrap_used, clippy::panic)] // tests may panic

use redial_tokio::Tokio;

#[path = "../../websocket/tests/shared/session.rs"]
mod shared;

#[tokio::test]
async fn nothing_is_lost_with_a_server_in_python() {
    shared::nothing_is_lost_with_a_server_in_python::<Tokio>().await;
}

#[tokio::test]
async fn a_server_without_sessions_is_spoken_to_plainly() {
    shared::a_server_without_sessions_is_spoken_to_plainly::<Tokio>().await;
}
