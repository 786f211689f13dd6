//! What the messages of every case cost.

use super::round::{self, MessageRound};
use super::{Case, Mode, SIZES, Who};
use crate::callgrind::instructions;
use crate::results::{Scope, difference};
use std::net::SocketAddr;
use std::time::Duration;

/// What one message costs.
pub(crate) struct MessageRow {
    pub(crate) case: Case,
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
    pub(crate) rounds: Vec<MessageRound>,
}

/// Measures those of all cases that are wanted.
pub(crate) fn rows(scope: Scope, server: SocketAddr, wanted: impl Fn(Case) -> bool) -> Vec<MessageRow> {
    let mut rows = Vec::new();
    for size in SIZES {
        for mode in Mode::ALL {
            for who in Who::ALL {
                let case = Case { who, mode, size };
                if wanted(case) {
                    rows.push(message_row(case, server, scope.counts));
                }
            }
        }
    }
    if scope.everything {
        let lengths: Vec<u64> = rows.iter().map(|row| round_length(row.case, server)).collect();
        for _ in 0..scope.rounds {
            for (row, n) in rows.iter_mut().zip(&lengths) {
                row.rounds.push(round::measure(row.case, server, *n));
            }
        }
    }
    rows
}

fn message_row(case: Case, server: SocketAddr, counts: usize) -> MessageRow {
    // A message of 64 KiB costs what dozens of small ones cost.
    let (few, many) = if case.size > 1024 { (128, 384) } else { (1024, 3072) };
    let (argument, address) = (case.argument(), server.to_string());
    let count = |n: u64| instructions(&["message", &argument, &address, &n.to_string()]);
    let runs = if case.is_gated() { counts } else { 1 };
    let allocations = |n| least_of(runs, || round::measure(case, server, n).allocations as u64) as f64;
    MessageRow {
        case,
        instructions: difference(|n| least_of(runs, || count(n)), few, many),
        allocations: (allocations(many) - allocations(few)) / (many - few) as f64,
        rounds: Vec::new(),
    }
}

/// So many messages that a round takes about 50 ms.
fn round_length(case: Case, server: SocketAddr) -> u64 {
    const ROUND: Duration = Duration::from_millis(50);
    let trial = if case.size > 1024 { 64 } else { 512 };
    let rate = round::measure(case, server, trial).rate;
    let times = ROUND.as_secs_f64() * rate / trial as f64;
    trial * times.clamp(1.0, 200.0) as u64
}

/// The least of so many runs. On a busy machine the answers of a window come sooner or later, and the client then may look
/// once more than it must.
fn least_of(runs: usize, run: impl Fn() -> u64) -> u64 {
    (0..runs).map(|_| run()).min().unwrap_or(0)
}
