//! What holds in every state and of every step.

use redial::{
    Cause, Command, ConnectionId, Dial, HoldReason, Input, Limit, Notice, Output, Phase, PingId, ReconnectMachine,
    Timestamp,
};

use redial_laws::Step;

use crate::fields::{NEVER, fields};
use crate::key::key;
use crate::moves::Ids;
use crate::search::Node;

type Kept<T = ()> = Result<T, String>;

/// Fails with these words unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err(format!($($words)+));
        }
    };
}

pub(crate) fn of_state(node: &Node) -> Kept<usize> {
    lives_on_from_a_snapshot(node)?;
    stop_ends_it(node)?;
    reconnect_dials(node)?;
    comes_back(node)
}

/// Every law, with what it has seen on the way; and a latency comes of the answer to the present ping only.
pub(crate) fn of_step(before: &Node, at: u64, input: Input, outputs: &[Output], after: &mut Node) -> Kept {
    let Ids { connection, ping } = before.ids;
    let answer = Input::Pong { connection: ConnectionId(connection), ping: PingId(ping) };
    let measured = outputs.iter().any(|output| matches!(output, Output::Notice(Notice::HealthCheck { .. })));
    ensure!(
        measured == (input == answer && before.machine.awaits_pong()),
        "traffic-is-life: {input:?} gives {outputs:?} while ping {ping} is the last"
    );
    let step = Step {
        before: &before.machine,
        after: &after.machine,
        at: Timestamp::from_micros(at),
        now: Timestamp::from_micros(after.now),
        input,
        outputs,
    };
    after.laws.watch(&step).map_err(|broken| broken.to_string())
}

/// The machine is its snapshot, on this clock and on another.
fn lives_on_from_a_snapshot(node: &Node) -> Kept {
    let machine = &node.machine;
    let due = machine.deadline().map_or(node.now, Timestamp::as_micros);
    for at in [node.now, due + 1].map(Timestamp::from_micros) {
        let snapshot = machine.snapshot(at);
        let restored = |at| ReconnectMachine::restore(machine.policy().clone(), &snapshot, at);
        ensure!(restored(at).as_ref() == Ok(machine), "snapshot: the restored machine is not the original");
        let other = restored(at.saturating_add(machine.policy().wake_gap())).unwrap();
        ensure!(key(&other) == key(machine), "snapshot: another clock makes another machine");
    }
    Ok(())
}

/// `stop` leads to closed, or leaves what has ended, and nothing follows from it.
fn stop_ends_it(node: &Node) -> Kept {
    let mut stopped = node.clone();
    let outputs = stopped.step(node.now, Input::Stop);
    let before = node.machine.phase();
    let wanted = if before.is_terminal() { before } else { Phase::Closed };
    ensure!(stopped.machine.phase() == wanted, "stop-wins: {before} became {}", stopped.machine.phase());
    ensure!(!before.is_terminal() || outputs.is_empty(), "stop-wins: {outputs:?} in {before}");
    let mut hung_up = outputs.iter().filter_map(|output| match output {
        Output::Command(Command::HangUp { connection, cause }) => Some((*connection, *cause)),
        Output::Command(Command::Dial(_) | Command::Ping { .. }) | Output::Notice(_) => None,
    });
    let wanted = node.machine.connection().map(|connection| (connection, Cause::User));
    ensure!(hung_up.next() == wanted, "stop-wins: {wanted:?} was not hung up");
    ensure!(hung_up.next().is_none() && dials(&outputs).is_empty(), "stop-wins: {outputs:?}");
    ensure!(stopped.machine.deadline().is_none(), "terminal-is-quiet: a deadline after stop");
    let connection = ConnectionId(node.ids.connection);
    let ping = PingId(node.ids.ping);
    let after = [
        Input::Timeout,
        Input::Opened { connection },
        Input::Ready { connection },
        Input::Pong { connection, ping },
        Input::Closed { connection, cause: Cause::NETWORK },
    ];
    let releases = HoldReason::ALL.iter().map(|&reason| Input::Release { reason });
    for input in after.into_iter().chain(releases) {
        let outputs = stopped.step(stopped.now + 100, input);
        ensure!(outputs.is_empty(), "terminal-is-quiet: {outputs:?} from {input:?}");
    }
    Ok(())
}

/// `reconnect` dials in the same step, or as soon as there is a token; a dial or handshake under way goes on.
fn reconnect_dials(node: &Node) -> Kept {
    let mut again = node.clone();
    let mut outputs = again.step(node.now, Input::Reconnect);
    if node.machine.phase().is_connecting() {
        ensure!(outputs.is_empty(), "manual-is-immediate: {outputs:?} while {}", node.machine.phase());
        return Ok(());
    }
    let refill = node.machine.policy().dial_budget().map(|budget| budget.refill.as_micros());
    let shared = node.machine.shares_budget().then_some(1);
    if let (Some(longest), Phase::Waiting) = (refill.max(shared), again.machine.phase()) {
        let at = again.machine.deadline().map_or(u64::MAX, Timestamp::as_micros);
        ensure!(at - node.now <= longest, "manual-is-immediate: no token until {at}");
        outputs = again.step(at, Input::Timeout);
    }
    let dials = dials(&outputs);
    ensure!(matches!(&dials[..], [Dial { attempt: 0, .. }]), "manual-is-immediate: reconnect gives {outputs:?}");
    Ok(())
}

/// However it got here: once the network is back and every hold has gone, the machine comes to open, becomes stable and
/// stays open. The number of steps to open.
fn comes_back(node: &Node) -> Kept<usize> {
    /// A start that is due, its token, the dial, the handshake: more than enough.
    const STEPS: usize = 6;

    let mut node = node.clone();
    if node.machine.phase() == Phase::Held {
        for &reason in HoldReason::ALL {
            let outputs = node.step(node.now, Input::Release { reason });
            // The limit is not judged while held, but it is then.
            if gave_up(&outputs, Limit::Elapsed) && node.machine.policy().max_elapsed().is_some() {
                return Ok(0);
            }
        }
    }
    let mut steps = 0;
    while node.machine.phase() != Phase::Open {
        let connection = ConnectionId(node.ids.connection);
        let (at, input) = match node.machine.phase() {
            Phase::Idle | Phase::Closed | Phase::Failed if steps == 0 => return Ok(0),
            Phase::Connecting => (node.now, Input::Opened { connection }),
            Phase::Handshaking => (node.now, Input::Ready { connection }),
            Phase::Waiting => (node.machine.deadline().map_or(u64::MAX, Timestamp::as_micros), Input::Timeout),
            Phase::Idle | Phase::Held | Phase::Closed | Phase::Failed | Phase::Open => {
                return Err(format!("liveness: {} after {steps} steps", node.machine.phase()));
            }
        };
        ensure!(steps < STEPS, "liveness: not open after {STEPS} steps, but {}", node.machine.phase());
        node.step(at, input);
        steps += 1;
    }
    stays_open(node)?;
    Ok(steps)
}

/// With every ping answered at once, an open connection lasts.
fn stays_open(mut node: Node) -> Kept {
    /// Stability and four pings, whichever comes when.
    const DEADLINES: usize = 6;

    let connection = ConnectionId(node.ids.connection);
    for _ in 0..DEADLINES {
        if node.machine.awaits_pong() {
            node.step(node.now, Input::Pong { connection, ping: PingId(node.ids.ping) });
            ensure!(!node.machine.awaits_pong(), "liveness: the pong does not answer the ping");
        }
        let Some(due) = node.machine.deadline() else { break };
        node.step(due.as_micros(), Input::Timeout);
        ensure!(node.machine.phase() == Phase::Open, "liveness: an answering peer is lost: {}", node.machine.phase());
    }
    let fields = fields(&node.machine.snapshot(Timestamp::ZERO));
    ensure!(fields.contains(&("stableAt", NEVER)), "liveness: an answering peer does not become stable");
    Ok(())
}

fn dials(outputs: &[Output]) -> Vec<Dial> {
    let dial = |output: &Output| match output {
        Output::Command(Command::Dial(dial)) => Some(*dial),
        Output::Command(Command::HangUp { .. } | Command::Ping { .. }) | Output::Notice(_) => None,
    };
    outputs.iter().filter_map(dial).collect()
}

fn gave_up(outputs: &[Output], at: Limit) -> bool {
    outputs.iter().any(|output| matches!(output, Output::Notice(Notice::GaveUp { limit, .. }) if *limit == at))
}
