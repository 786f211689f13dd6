//! The driver's conformance suite for a [`Runtime`] of one's own.
//!
//! It shows that WebSockets over this runtime's clock, TCP and names do what they do over every other: the same scenarios over
//! real sockets, and the same decisions in each. In a test with `harness = false`, and with this crate's feature `conformance`
//! among the dev-dependencies, this is the whole of it:
//!
//! ```no_run
//! use redial_websocket::conformance;
//! # use futures_util::future::BoxFuture;
//! # fn suite<MyRuntime: redial_websocket::Runtime>(block_on: fn(BoxFuture<'static, ()>)) {
//!
//! conformance::run::<MyRuntime>("my runtime", |client| block_on(client));
//! # }
//! ```
//!
//! What the suite asks of the program stands with [the driver's](redial_driver::conformance): above all that `run` comes first
//! in `main`.

use crate::WebSocket;
use crate::connector::WebSocketConnector;
use crate::runtime::Runtime;
use futures_util::future::BoxFuture;
use redial_driver::conformance::{self, Tape, Task};
use redial_driver::{Reconnecting, TraceRecorder};

/// Plays every scenario, with a line for each on stdout. `name` is the runtime's.
///
/// `block_on` runs one client to its end, before it returns; on whatever thread: the client may block it.
///
/// # Panics
/// If a scenario went otherwise than it should, once all were played.
pub fn run<N>(name: &str, mut block_on: impl FnMut(BoxFuture<'static, ()>))
where
    N: Runtime,
{
    // Built inside: a clock may need its runtime.
    conformance::run(name, |task| block_on(Box::pin(client::<N>(task))));
}

async fn client<N: Runtime>(task: Task) {
    let connection = connection::<N>(&task);
    task.drive(connection).await;
}

#[allow(clippy::expect_used)] // what the suite asks for is valid
fn connection<N: Runtime>(task: &Task) -> Reconnecting<N::Clock, WebSocketConnector<N>, TraceRecorder<Tape>> {
    let mut urls = task.urls().iter();
    let mut builder = WebSocket::<N>::builder(urls.next().expect("a URL"));
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
