//! The driver's conformance suite, on async-std's runtime and on smol's.

#![allow(clippy::expect_used)] // the program is a test

use redial_async_std::{Reconnecting, WebSocket};
use redial_driver::TraceRecorder;
use redial_driver::conformance::{self, Tape, Task};

fn main() {
    #[cfg(feature = "async-std")]
    conformance::run("async-std", |task| async_std::task::block_on(drive(task)));
    // On a worker, from which it may move to another.
    #[cfg(feature = "async-std")]
    conformance::run("async-std, spawned", |task| async_std::task::block_on(async_std::task::spawn(drive(task))));
    #[cfg(feature = "smol")]
    conformance::run("smol", |task| smol::block_on(drive(task)));
    #[cfg(feature = "smol")]
    conformance::run("smol, spawned", |task| smol::block_on(smol::spawn(drive(task))));
}

async fn drive(task: Task) {
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
