//! What a client holds and does while nothing is sent, and how soon it is back.

use super::line;
use crate::clocks::{least, median};
use crate::heartbeats::{self, Heartbeats};
use crate::messages::Who;
use crate::reconnects::LOOP;
use crate::results::Results;

pub(super) fn idle(results: &Results, clients: usize) -> String {
    let mut table = format!(
        "### Idle clients ({clients} in one process, each)\n\n\
         | | heap, B | more than bare | blocks | resident, B | tasks |\n|---|---|---|---|---|---|\n"
    );
    let of = |who: Who| results.idle.iter().find(|(other, _)| *other == who).map(|(_, idle)| idle);
    for (who, idle) in &results.idle {
        let (heap, blocks, rss) = (idle.heap, idle.blocks, idle.rss);
        let more = of(who.reference()).map_or(0.0, |bare| heap - bare.heap);
        let tasks = idle.tasks.map_or_else(String::new, |tasks| format!("{tasks:.0}"));
        let name = who.name();
        line(&mut table, format_args!("| {name} | {heap:.0} | {more:.0} | {blocks:.0} | {rss:.0} | {tasks} |"));
    }
    table + "\n"
}

pub(super) fn heartbeats(results: &Results, seconds: u64) -> String {
    let clients = heartbeats::CLIENTS;
    let mut table = format!(
        "### CPU time of {clients} idle clients with a ping every second, over {seconds} s\n\n\
         | | pings per client and second | µs per heartbeat | share of one processor |\n|---|---|---|---|\n"
    );
    for (who, Heartbeats { pings, cpu, share }) in &results.heartbeats {
        line(&mut table, format_args!("| {} | {pings:.2} | {cpu:.1} | {:.0} % |", who.name(), 100.0 * share));
    }
    table + "\n"
}

pub(super) fn reconnects(results: &Results) -> String {
    let mut table = "### From \"the server listens again\" to \"open again\", in ms\n\n\
        | | restarts | least | median | most |\n|---|---|---|---|---|\n"
        .to_owned();
    let middle = |times: &[f64]| median(times.iter().copied());
    for (way, times) in &results.reconnects {
        let (least, middle) = (least(times.iter().copied()), middle(times));
        let most = times.iter().copied().fold(0.0, f64::max);
        let restarts = times.len();
        line(&mut table, format_args!("| {} | {restarts} | {least:.1} | {middle:.1} | {most:.1} |", way.name));
    }
    table.push('\n');
    if let Some((_, reference)) = results.reconnects.iter().find(|(way, _)| way.name == LOOP) {
        for (way, times) in results.reconnects.iter().filter(|(way, _)| way.name.ends_with("no jitter")) {
            let later = middle(times) - middle(reference);
            line(
                &mut table,
                format_args!("{}: {later:+.1} ms against the loop's median (limit: 2 ms more).\n", way.name),
            );
        }
    }
    table
}
