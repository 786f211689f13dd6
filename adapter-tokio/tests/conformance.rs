//! The driver's conformance suite, on both of tokio's runtimes.

#![allow(clippy::expect_used)] // the program is a test

use redial_tokio::Tokio;
use redial_tokio::redial_websocket::conformance;
use tokio::runtime::Builder;

fn main() {
    conformance::run::<Tokio>("tokio, current thread", |client| {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(client);
    });
    conformance::run::<Tokio>("tokio, multi-thread", |client| {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        // Spawned: on a worker, from which it may move to another.
        runtime.block_on(async { tokio::spawn(client).await.expect("the client does not panic") });
    });
}
