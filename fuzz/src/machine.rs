//! The machine itself, under all laws.

use redial_laws::{Focus, Scenario};

const FOCI: [Focus; 10] = [
    Focus::Close,
    Focus::Anything,
    Focus::Schedule,
    Focus::Failures,
    Focus::Budget,
    Focus::Elapsed,
    Focus::Health,
    Focus::Steady,
    Focus::Shared,
    Focus::Endpoints,
];

/// Plays a scenario with a machine that every law watches; the panic names the law that was broken, and all that led to
/// it.
///
/// The first byte says what the scenario is rich in, the others are its policy, its seed and its moves.
pub fn machine(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let focus = FOCI[usize::from(*first) % FOCI.len()];
    if let Err(broken) = Scenario::from_bytes(focus, rest).check(None) {
        panic!("{broken}");
    }
}
