//! The driver's conformance suite, on both of tokio's runtimes.

#![allow(clippy::expect_used)] // the program is a test

use redial_tokio::redial_driver::TraceRecorder;
use redial_tokio::redial_driver::conformance::{self, Tape, Task};
use redial_tokio::{Reconnecting, WebSocket};
use tokio::runtime::Builder;

fn main() {
    conformance::run("tokio, current thread", |task| {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(client(task));
    });
    conformance::run("tokio, multi-thread", |task| {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        // Spawned: on a worker, from which it may move to another.
        runtime.block_on(async { tokio::spawn(client(task)).await.expect("the client does not panic") });
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
