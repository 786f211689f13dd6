//! The driver's conformance suite, on async-std and on smol.
//!
//! Both run on async-io; the feature decides whose threads resolve names.

#![allow(clippy::expect_used)] // the program is a test

use redial_async_std::redial_driver::TraceRecorder;
use redial_async_std::redial_driver::conformance::{self, Tape, Task};
use redial_async_std::{Reconnecting, WebSocket};

fn main() {
    #[cfg(feature = "async-std")]
    conformance::run("async-std", |task| {
        // Spawned: on one of async-std's own threads.
        async_std::task::block_on(async_std::task::spawn(client(task)));
    });
    conformance::run("smol", |task| {
        let executor = smol::Executor::new();
        smol::block_on(executor.run(executor.spawn(client(task))));
    });
}

async fn client(task: Task) {
    let connection = connection(&task);
    task.drive(connection).await;
}

fn connection(task: &Task) -> Reconnecting<TraceRecorder<Tape>> {
    let mut urls = task.urls().iter();
    let mut builder = WebSocket::builder(urls.next().expect("a URL"));
    for url in urls {
        builder = builder.endpoint(url);
    }
    for (name, value) in task.headers() {
        builder = builder.header(name, value);
    }
    for name in task.subprotocols() {
        builder = builder.subprotocol(name);
    }
    if let Some(pem) = task.root_pem() {
        builder = builder.root_pem(pem);
    }
    let builder = builder.policy(task.policy()).seed(task.seed()).close_timeout(task.close_timeout());
    builder.recorder(task.recorder()).build().expect("the task is valid")
}
