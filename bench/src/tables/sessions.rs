//! What sessions cost: a message's, and many at once.

use super::line;
use crate::gates::{rate_ratio, row};
use crate::load::{Load, Spread};
use crate::messages::rows::MessageRow;
use crate::messages::wire::{self, Wire};
use crate::messages::{Case, Mode, SIZES, Who};
use crate::results::Results;
use crate::runtimes::Runtime;

/// With the session, and without.
pub(crate) fn pair(results: &Results, mode: Mode, size: usize) -> Option<(&MessageRow, &MessageRow)> {
    let row = |who| row(results, Case { who, mode, size });
    row(Who::Session).zip(row(Who::Ours(Runtime::Tokio)))
}

/// Against plain messages through the same driver.
pub(super) fn messages(results: &Results) -> String {
    let modes: Vec<&str> = Mode::ALL.into_iter().map(Mode::name).collect();
    let mut table = format!(
        "### redial.v1, as a multiple of plain messages through the same driver\n\n| | {} |\n|---|{}\n",
        modes.join(" | "),
        "---|".repeat(modes.len())
    );
    let mut cells = |name: String, cell: &dyn Fn(&MessageRow, &MessageRow) -> String, size| {
        let cells = Mode::ALL
            .into_iter()
            .map(|mode| pair(results, mode, size).map_or_else(String::new, |(session, plain)| cell(session, plain)));
        line(&mut table, format_args!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | ")));
    };
    for size in SIZES {
        cells(
            format!("{size} B, messages a second"),
            &|session, plain| format!("{:.2}", rate_ratio(session, plain)),
            size,
        );
    }
    for size in SIZES {
        let cell = |session: &MessageRow, plain: &MessageRow| {
            let (session, plain) = (session.instructions, plain.instructions);
            format!("{:.2} ({:+.0})", session / plain, session - plain)
        };
        cells(format!("{size} B, instructions"), &cell, size);
    }
    table + "\n"
}

/// What a message is longer by.
pub(super) fn wire(wire: &[Wire]) -> String {
    let mut table = format!(
        "### Bytes on the wire that redial.v1 adds to a message of {} B\n\n\
         | | from the client | from the server | limit |\n|---|---|---|---|\n",
        wire::SIZE
    );
    for Wire { mode, up, down } in wire {
        line(&mut table, format_args!("| {} | {up:.2} | {down:.2} | 16 |", mode.name()));
    }
    table + "\n"
}

/// Many sessions with one server.
pub(super) fn load(load: &Load) -> String {
    let mut table = format!(
        "### {:.0} sessions with one server process\n\n\
         | | | |\n|---|---|---|\n\
         | all sessions have begun | | {:.0} ms |\n",
        load.clients, load.begun
    );
    for (name, held) in [("server", load.server), ("client", load.client)] {
        line(
            &mut table,
            format_args!(
                "| an idle session in the {name} | heap, blocks, resident | {:.0} B, {:.0}, {:.0} B |",
                held.heap, held.blocks, held.rss
            ),
        );
    }
    let traffic = load.traffic;
    line(&mut table, format_args!("| {:.0} messages of 128 B | a second | {:.0} |", traffic.messages, traffic.rate));
    let spread = |Spread { first, median, p99, last }| format!("{first:.1}, {median:.1}, {p99:.1}, {last:.1} ms");
    let mut spread_line = |name: &str, times| {
        line(&mut table, format_args!("| {name} | first, median, 99 %, last | {} |", spread(times)));
    };
    spread_line("from sending to the answer", traffic.latency);
    spread_line("one broadcast to all", load.broadcast);
    spread_line("all connections cut, until sessions go on", load.resumed);
    line(&mut table, format_args!("| of which the cutting itself | | {:.0} ms |", load.cut));
    line(
        &mut table,
        format_args!(
            "| CPU time of a message and its answer | server, clients | {:.0}, {:.0} µs |",
            traffic.server_cpu, traffic.client_cpu
        ),
    );
    line(&mut table, format_args!("| messages sent around the cut | | {:.0} |", load.meanwhile));
    let faults = load.faults;
    line(
        &mut table,
        format_args!(
            "| of all messages and broadcasts | lost, twice or out of order, without receipt | {:.0}, {:.0}, {:.0} |\n\
             | sessions lost | | {:.0} |",
            faults.lost, faults.wrong, faults.unconfirmed, faults.sessions
        ),
    );
    table + "\n"
}
