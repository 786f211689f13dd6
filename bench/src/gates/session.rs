//! What is promised of sessions.

use super::{Gate, most, rate_ratio};
use crate::messages::{Mode, wire};
use crate::results::Results;
use crate::tables::sessions::pair;

/// All that were measured.
pub(crate) fn gates(results: &Results) -> Vec<Gate> {
    let mut gates = messages(results);
    for wire::Wire { mode, up, down } in &results.wire {
        for (way, bytes) in [("client", *up), ("server", *down)] {
            let name = format!("redial.v1: {}, {} B, from the {way}", mode.name(), wire::SIZE);
            gates.push(most(name, "bytes more than plain's", 16.0, bytes));
        }
    }
    gates.extend(load(results));
    gates
}

fn messages(results: &Results) -> Vec<Gate> {
    let mut gates = Vec::new();
    for mode in Mode::ALL {
        let Some((session, plain)) = pair(results, mode, wire::SIZE) else { continue };
        let name = format!("redial.v1: {}, {} B", mode.name(), wire::SIZE);
        // Not promised: what it was, and a little more, so that it doesn't get worse. A message that comes costs something, too.
        let limit = match mode {
            Mode::OneWay | Mode::OneWayFed => 850.0,
            Mode::Echo | Mode::EchoFed => 1450.0,
            Mode::PingPong => 2950.0,
        };
        let more = session.instructions - plain.instructions;
        gates.push(most(&*name, "instructions more than plain's", limit, more));
        let more = (100.0 * (session.allocations - plain.allocations)).round() / 100.0;
        gates.push(most(&*name, "allocations more than plain's", 1.1, more));
        // What is only fed is as fast as memory is copied, and a session copies it once more.
        if !session.rounds.is_empty() && mode != Mode::OneWayFed {
            let gate = most(name, "of plain's messages a second", 0.9, rate_ratio(session, plain));
            gates.push(Gate { at_least: true, ..gate });
        }
    }
    gates
}

fn load(results: &Results) -> Vec<Gate> {
    let load = &results.load;
    let name = |what: &str| format!("{:.0} sessions, {what}", load.clients);
    let none = |what, unit, measured| most(name(what), unit, 0.0, measured);
    vec![
        none("answers and broadcasts", "lost", load.faults.lost),
        none("answers and broadcasts", "twice or out of order", load.faults.wrong),
        none("messages", "without a receipt", load.faults.unconfirmed),
        none("sessions", "lost", load.faults.sessions),
        most(name("each in the server"), "bytes of heap", 21.0 * 1024.0, load.server.heap),
        most(name("each in the client"), "bytes of heap", 19.0 * 1024.0, load.client.heap),
    ]
}
