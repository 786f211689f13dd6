//! What an idle client holds: many connections of one process, each waited on by a task of its own.

use crate::HEAP;
use crate::children::numbers;
use crate::messages::server::Server;
use crate::messages::{Client, Visitor, Who};
use crate::runtimes::Runtime;
use std::net::SocketAddr;
use std::time::Duration;

/// For one client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Idle {
    /// Bytes allocated and not freed.
    pub(crate) heap: f64,
    /// Blocks allocated and not freed.
    pub(crate) blocks: f64,
    /// Resident memory of the process.
    pub(crate) rss: f64,
    /// Tasks alive, where the runtime tells.
    pub(crate) tasks: Option<f64>,
}

/// Measures so many in a process of its own, with a server of its own: `bench idle WHO SERVER CLIENTS`.
pub(crate) fn measure(who: Who, clients: usize) -> Idle {
    let server = Server::start();
    let numbers = numbers(&["idle", who.name(), &server.address().to_string(), &clients.to_string()]);
    match numbers.as_slice() {
        [heap, blocks, rss, tasks @ ..] => {
            Idle { heap: *heap, blocks: *blocks, rss: *rss, tasks: tasks.first().copied() }
        }
        _ => panic!("bench idle said {numbers:?}"),
    }
}

/// `bench idle`: prints what each client holds.
pub(crate) fn print(who: Who, server: SocketAddr, clients: usize) {
    raise_limit();
    let runtime = who.runtime();
    runtime.block_on(async {
        // The first one pays for what a process has once.
        who.meet(server, "sink", Wait(runtime)).await;
        settle(runtime).await;
        let before = holdings(runtime);
        for _ in 0..clients {
            who.meet(server, "sink", Wait(runtime)).await;
        }
        settle(runtime).await;
        let each = before.iter().zip(holdings(runtime)).map(|(before, after)| (after - before) / clients as f64);
        println!("{}", each.map(|each| each.to_string()).collect::<Vec<_>>().join(" "));
    });
}

/// As many open files as the system allows.
pub(crate) fn raise_limit() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
}

/// A task that waits for a message that never comes.
struct Wait(Runtime);

impl Visitor for Wait {
    type Output = ();

    async fn visit(self, mut client: impl Client + 'static) {
        self.0.spawn(async move { client.receive().await });
    }
}

/// Until every task waits.
async fn settle(runtime: Runtime) {
    runtime.sleep(Duration::from_millis(300)).await;
}

fn holdings(runtime: Runtime) -> Vec<f64> {
    memory().into_iter().chain(runtime.tasks()).map(|number| number as f64).collect()
}

/// Bytes and blocks on the heap, and resident bytes.
pub(crate) fn memory() -> [usize; 3] {
    let stats = HEAP.stats();
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = pages.split(' ').nth(1).and_then(|resident| resident.parse().ok()).unwrap_or(0);
    let heap = stats.bytes_allocated - stats.bytes_deallocated;
    let blocks = stats.allocations - stats.deallocations;
    [heap, blocks, pages * 4096]
}
