//! One round of one case, in a process of its own: what a runtime leaves behind, threads above all, is nobody else's.

use super::{Case, Mode};
use crate::HEAP;
use crate::children::ask;
use crate::clocks;
use std::net::SocketAddr;

/// What it cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageRound {
    /// Messages a second.
    pub(crate) rate: f64,
    /// CPU time of all threads of the process for one message, in nanoseconds.
    pub(crate) cpu: f64,
    /// Allocations of all messages together.
    pub(crate) allocations: f64,
    /// What half of the round trips took at most, in microseconds; 0 but for ping-pong.
    pub(crate) p50: f64,
    /// The same for 99 of 100.
    pub(crate) p99: f64,
}

/// Measures `n` messages: `bench round CASE SERVER N`.
pub(crate) fn measure(case: Case, server: SocketAddr, n: u64) -> MessageRound {
    let [wall, cpu, allocations, p50, p99] = ask(&["round", &case.argument(), &server.to_string(), &n.to_string()]);
    MessageRound { rate: n as f64 / wall, cpu: 1e9 * cpu / n as f64, allocations, p50, p99 }
}

/// `bench round`: prints what `n` messages cost.
pub(crate) fn print(case: Case, server: SocketAddr, n: u64) {
    let mut times = Vec::with_capacity(n as usize);
    let allocations = || HEAP.stats().allocations + HEAP.stats().reallocations;
    let before = allocations();
    let round = clocks::round(|| case.run(server, n, (case.mode == Mode::PingPong).then_some(&mut times)));
    let allocated = allocations() - before;
    times.sort();
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    let (wall, cpu) = (round.wall.as_secs_f64(), round.cpu.as_secs_f64());
    println!("{wall} {cpu} {allocated} {} {}", at(0.5), at(0.99));
}
