//! The driver's conformance suite, on async-std and on smol.
//!
//! Both run on async-io; the feature decides whose threads resolve names.

use redial_async_std::AsyncIo;
use redial_async_std::redial_websocket::conformance;

fn main() {
    #[cfg(feature = "async-std")]
    conformance::run::<AsyncIo>("async-std", |client| {
        // Spawned: on one of async-std's own threads.
        async_std::task::block_on(async_std::task::spawn(client));
    });
    conformance::run::<AsyncIo>("smol", |client| {
        let executor = smol::Executor::new();
        smol::block_on(executor.run(executor.spawn(client)));
    });
}
