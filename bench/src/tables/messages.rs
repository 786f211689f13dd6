//! What a message costs.

use super::line;
use crate::clocks::{least, median};
use crate::gates::{rate_ratio, row};
use crate::messages::rows::MessageRow;
use crate::messages::{Case, Mode, SIZES, Who};
use crate::results::Results;
use crate::runtimes::Runtime;

pub(super) fn instructions(results: &Results) -> String {
    const TITLE: &str =
        "Instructions per message, and as a multiple of bare with the same settings on the same runtime";
    grid(results, TITLE, |row, bare| format!("{:.0} ({:.3})", row.instructions, row.instructions / bare.instructions))
}

pub(super) fn allocations(results: &Results) -> String {
    grid(results, "Allocations per message", |row, _| format!("{:.2}", row.allocations.abs()))
}

pub(super) fn rates(results: &Results) -> String {
    let rates =
        grid(results, "1000 messages a second, and × bare with the same settings on the same runtime", |row, bare| {
            let rate = median(row.rounds.iter().map(|round| round.rate)) / 1000.0;
            let decimals = usize::from(rate < 20.0);
            format!("{rate:.decimals$} ({:.2})", rate_ratio(row, bare))
        });
    let cpu = grid(results, "CPU time per message in ns, median and least", |row, _| {
        let cpu = || row.rounds.iter().map(|round| round.cpu);
        format!("{:.0} / {:.0}", median(cpu()), least(cpu()))
    });
    let of_sends = |who: Who, mode, size| {
        let reference = row(results, Case { who: who.reference(), mode: Mode::OneWay, size })?;
        Some(rate_ratio(row(results, Case { who, mode, size })?, reference))
    };
    let mut batching = String::new();
    let (ours, bare) = (Who::Ours(Runtime::Tokio), Who::Bare(Runtime::Tokio));
    for size in [64, 1024] {
        if let (Some(ours), Some(bare)) = (of_sends(ours, Mode::OneWayFed, size), of_sends(bare, Mode::OneWayFed, size))
        {
            line(
                &mut batching,
                format_args!(
                    "{size} B, fed and flushed once a window, × bare's rate with one `send` per message: redial-tokio {ours:.1}, \
                     bare {bare:.1}.\n"
                ),
            );
        }
    }
    rates + &cpu + &batching
}

/// How long one message there and back takes.
pub(super) fn round_trips(results: &Results) -> String {
    let mut table = "### Ping-pong in µs, 50th / 99th percentile\n\n|".to_owned();
    for size in SIZES {
        table += &format!(" | {size} B");
    }
    line(&mut table, format_args!(" |\n|---|{}", "---|".repeat(SIZES.len())));
    for who in Who::ALL {
        let cells = SIZES.into_iter().map(|size| {
            let row = row(results, Case { who, mode: Mode::PingPong, size });
            row.map_or_else(String::new, |row| {
                let middle = |of: fn(&crate::messages::round::MessageRound) -> f64| median(row.rounds.iter().map(of));
                format!("{:.1} / {:.1}", middle(|round| round.p50), middle(|round| round.p99))
            })
        });
        line(&mut table, format_args!("| {} | {} |", who.name(), cells.collect::<Vec<_>>().join(" | ")));
    }
    table + "\n"
}

/// A table of clients and modes, for each size.
fn grid(results: &Results, title: &str, cell: impl Fn(&MessageRow, &MessageRow) -> String) -> String {
    let mut table = format!("### {title}\n\n");
    for size in SIZES {
        let modes: Vec<&str> = Mode::ALL.into_iter().map(Mode::name).collect();
        line(&mut table, format_args!("| {size} B | {} |", modes.join(" | ")));
        line(&mut table, format_args!("|---|{}", "---|".repeat(modes.len())));
        for who in Who::ALL {
            let cells = Mode::ALL.into_iter().map(|mode| {
                let bare = row(results, Case { who: who.reference(), mode, size });
                row(results, Case { who, mode, size }).zip(bare).map_or_else(String::new, |(row, bare)| cell(row, bare))
            });
            line(&mut table, format_args!("| {} | {} |", who.name(), cells.collect::<Vec<_>>().join(" | ")));
        }
        table.push('\n');
    }
    table
}
