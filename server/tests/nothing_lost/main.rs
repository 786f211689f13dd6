//! Nothing is lost, nothing comes twice, all comes in order: on real sockets, with real processes, whatever is cut and killed.
//!
//! Every message has a number, there and back, and in the room. The whole history is checked. Each test writes its account
//! to its output; `NUMBERS_SEED` repeats or varies what is random in it.
#![cfg(all(feature = "redis", feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests
#![allow(clippy::wildcard_enum_match_arm)] // what is not expected fails, whatever it is

mod account;
mod application;
mod beginnings;
mod bounds;
mod client;
mod cuts;
mod kills;
mod loss;
mod process;
mod proxy;
mod random;
mod torn;
mod words;

use std::future::Future;
use std::time::Duration;

use client::{Board, Diary};
use tokio::task::JoinHandle;

/// How long a run may take before it is stuck.
const STUCK: Duration = Duration::from_secs(300);

/// Does what the test does to the clients, and waits for them. A client that ends too early ends it all.
async fn finish(clients: Vec<JoinHandle<Diary>>, run: impl Future<Output = ()>, board: &Board) -> Vec<Diary> {
    let clients = async {
        let mut diaries = Vec::new();
        for client in clients {
            diaries.push(client.await.unwrap());
        }
        diaries
    };
    let all = async {
        tokio::pin!(clients);
        tokio::select! {
            diaries = &mut clients => diaries,
            () = run => clients.await,
        }
    };
    match tokio::time::timeout(STUCK, all).await {
        Ok(diaries) => {
            let odd: Vec<_> = diaries.iter().flat_map(|diary| &diary.oddities).collect();
            assert!(odd.is_empty(), "{odd:#?}");
            diaries
        }
        Err(_) => panic!("it is stuck: {:?}", board.now()),
    }
}

/// Writes a line where the tests' harness does not hide it.
fn print(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
