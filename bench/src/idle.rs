//! What an idle client holds: many connections of one process, each waited on by a task of its own.

use crate::HEAP;
use crate::messages::{Client, Who, bare, ezsockets, fastwebsockets, ours, runtime};
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;
use tokio::task::LocalSet;

/// Clients of one process.
pub(crate) const CLIENTS: usize = 1000;

/// For one client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Idle {
    /// Bytes allocated and not freed.
    pub(crate) heap: f64,
    /// Blocks allocated and not freed.
    pub(crate) blocks: f64,
    /// Resident memory of the process.
    pub(crate) rss: f64,
}

/// Measures in a process of its own: `bench idle WHO SERVER`.
pub(crate) fn measure(who: Who, server: SocketAddr) -> Idle {
    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new(program).args(["idle", who.name(), &server.to_string()]).output().expect("a child");
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers.as_slice() {
        [heap, blocks, rss] => Idle { heap: *heap, blocks: *blocks, rss: *rss },
        _ => panic!("bench idle said {text:?}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// `bench idle`: prints what the clients hold.
pub(crate) fn print(who: Who, server: SocketAddr) {
    let url = format!("ws://{server}/sink");
    LocalSet::new().block_on(&runtime(), async {
        // The first one pays for what a process has once.
        connect(who, server, &url).await;
        settle().await;
        let (heap, blocks, rss) = holdings();
        for _ in 0..CLIENTS {
            connect(who, server, &url).await;
        }
        settle().await;
        let (heap_after, blocks_after, rss_after) = holdings();
        let each = |before: usize, after: usize| (after as f64 - before as f64) / CLIENTS as f64;
        println!("{} {} {}", each(heap, heap_after), each(blocks, blocks_after), each(rss, rss_after));
    });
}

async fn connect(who: Who, server: SocketAddr, url: &str) {
    match who {
        Who::Ours => wait(ours::connect(url).await),
        Who::BareDefault => wait(bare::connect(url, None).await),
        Who::Bare => wait(bare::connect(url, Some(bare::READ_BUFFER)).await),
        Who::BarePlain => wait(bare::connect_plain(url, server).await),
        Who::Fastwebsockets => wait(fastwebsockets::connect(server, "sink").await),
        Who::Ezsockets => wait(ezsockets::connect(url).await),
    }
}

fn wait(mut client: impl Client + 'static) {
    tokio::task::spawn_local(async move { client.receive().await });
}

/// Until every task waits.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

fn holdings() -> (usize, usize, usize) {
    let stats = HEAP.stats();
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = pages.split(' ').nth(1).and_then(|resident| resident.parse().ok()).unwrap_or(0);
    (stats.bytes_allocated - stats.bytes_deallocated, stats.allocations - stats.deallocations, pages * 4096)
}
