//! The diagrams and tables of states, out of what the search has found.

use std::collections::BTreeSet;
use std::fmt::Write;

use redial::Phase;

use super::search::{Edge, Found, INPUTS, place};

const HEAD: &str = "# The states

<!-- Made by core/tests/docs; write it anew with: REDIAL_BLESS=1 cargo test -p redial --test docs -->

A machine is always in one of eight phases. A driver tells it what happened (an *input*) and carries out what it answers.
Besides, every phase that must not last for ever has a deadline, at which the driver sends the input `timeout`.

What stands here was not drawn: a test drives real machines of four small policies, with every input in every situation that
their getters tell apart, nine inputs deep, and writes down what they did. The rules behind it are [the laws](laws.md).

Some words, here and there: an *outage* lasts from the first wish for a connection, or from its loss, until one is *stable*, that
is ready for `stableAfter` and for the delay that preceded it. Its first dial is *attempt 0*, the others are retries. A connection
is *opened* by the transport, and *ready* when the application says so, which is at once without a `readyTimeout`. A *hold* is a
reason not to dial: automatic reconnection off, offline, hidden, idle (the user's, not the phase). A *hint* is the server's advice
when to come back. A peer is *busy* while it computes and may be silent. A delay is *raw* before jitter.

";

const NETWORK: &str = "
## What the network does

The way up, and the way back. What is due at a `timeout` stands in the table above. Whether a failure leads to waiting, to
failed or to closed is a verdict on its cause: most are retried; some, such as close 1008, stop at once; close 1000 is the
peer's goodbye. *Gives up at* names the limits at which no retry is made any more.

";

const WILL: &str = "
## What the user and the environment want

A hold (automatic reconnection off, offline, hidden, idle) stops dials, never a connection. A dial that is wanted and may not
be made is held; when the last hold ends it is made at once, or waits for its time. `start` and `reconnect` find themselves in
waiting where the dial budget has no token left, or is shared with others (`budget`): then it is to be asked first. A hint that
says *stop*, a deadline met so late that the elapsed limit is over, and a shared budget that asks for a wait beyond it end a wait
in failed.

";

const TABLE: &str = "
## Every input in every phase

The phases that may follow; **stays**: the phase does not change, and something else may; a dash: nothing happens but that the
input is counted (`misplacedInputs`, or `staleInputs` where it names a connection that is no more). `opened`, `ready`, `failed`,
`closed`, `received` and `pong` are about the present connection.

";

const NOTES: &str = "
Two things make several steps of one. An input that comes when a deadline is over: what was due and still is fires right after
it. And a dial that is due at once, as when the last hold ends or with a delay of 0: it passes through waiting, and is made in
the same step, or a microsecond later where the dial budget is shared.
";

/// Inputs that come from the connection, or from nobody.
const OF_NETWORK: [&str; 7] = ["opened", "ready", "failed", "closed", "received", "pong", "timeout"];

pub(crate) fn page(found: &Found) -> String {
    let mut page = String::from(HEAD);
    phases(&mut page, found);
    page.push_str(NETWORK);
    let held = place(Phase::Held);
    diagram(&mut page, found, |(from, to), input| {
        from != held
            && to != held
            && (OF_NETWORK.contains(&input) || (input == "start" && to == place(Phase::Connecting)))
    });
    page.push_str(WILL);
    diagram(&mut page, found, |(from, to), input| from == held || to == held || !OF_NETWORK.contains(&input));
    page.push_str(TABLE);
    table(&mut page, found);
    page.push_str(NOTES);
    page
}

const fn meaning(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle => "nothing was asked for yet",
        Phase::Connecting => "a dial is under way",
        Phase::Handshaking => "the transport is open, the application not yet ready; only with a `readyTimeout`",
        Phase::Open => "the connection can be used",
        Phase::Waiting => "a dial is due at a known time",
        Phase::Held => "a dial is wanted, and a hold stands in its way",
        Phase::Closed => "ended on purpose, by `stop` or by the peer's close 1000",
        Phase::Failed => "given up, at a limit or by a verdict",
    }
}

fn deadline(reason: &str) -> &'static str {
    match reason {
        "connectTimeout" => "the dial has failed (`connectTimeout`)",
        "readyTimeout" => "the handshake has failed (`readyTimeout`)",
        "stable" => "the connection is stable (`stableAfter`)",
        "ping" => "a ping is due (`healthCheckInterval`)",
        "pingTimeout" => "the peer is dead (`pingTimeout`)",
        "dial" => "the dial is made",
        _ => panic!("a deadline without a description"),
    }
}

fn phases(page: &mut String, found: &Found) {
    page.push_str("| phase | means | at its deadline |\n|---|---|---|\n");
    for phase in Phase::ALL {
        let reasons = found.deadlines.get(&place(*phase)).into_iter().flatten();
        let deadlines: Vec<_> = reasons.map(|reason| deadline(reason)).collect();
        let deadlines = if deadlines.is_empty() { "none".to_owned() } else { deadlines.join("; ") };
        writeln!(page, "| **{phase}** | {} | {deadlines} |", meaning(*phase)).unwrap();
    }
}

/// The edges that these inputs lead along.
fn diagram(page: &mut String, found: &Found, shows: impl Fn(Edge, &str) -> bool) {
    page.push_str("```mermaid\nstateDiagram-v2\n    direction TB\n    [*] --> idle\n");
    for (edge, inputs) in &found.edges {
        let shown: Vec<_> = inputs.iter().filter(|(input, _)| shows(*edge, INPUTS[**input])).collect();
        if shown.is_empty() {
            continue;
        }
        let mut label = shown.iter().map(|(input, _)| INPUTS[**input]).collect::<Vec<_>>().join(", ");
        let limits: BTreeSet<_> = shown.iter().flat_map(|(_, limits)| limits.iter().copied()).collect();
        if !limits.is_empty() {
            let limits: Vec<_> = limits.into_iter().collect();
            write!(label, " (gives up at {})", limits.join(" or ")).unwrap();
        }
        writeln!(page, "    {} --> {} : {label}", Phase::ALL[edge.0], Phase::ALL[edge.1]).unwrap();
    }
    page.push_str("```\n");
}

fn table(page: &mut String, found: &Found) {
    page.push_str("| |");
    Phase::ALL.iter().for_each(|phase| write!(page, " {phase} |").unwrap());
    page.push_str("\n|---|");
    page.push_str(&"---|".repeat(Phase::ALL.len()));
    for (input, name) in INPUTS.iter().enumerate() {
        write!(page, "\n| `{name}` |").unwrap();
        for from in 0..Phase::ALL.len() {
            let after = &found.after[&(input, from)];
            let word = |to: &usize| if *to == from { "**stays**" } else { Phase::ALL[*to].as_str() };
            let phases: Vec<_> = after.iter().map(word).collect();
            let cell = if found.acts.contains(&(input, from)) { phases.join(", ") } else { "–".to_owned() };
            write!(page, " {cell} |").unwrap();
        }
    }
    page.push('\n');
}
