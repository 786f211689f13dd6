//! The suite that a client runs to show that it does what the others do, over real sockets.
//!
//! A client may be an adapter for some runtime, or a loop of one's own on [`ReconnectMachine`](redial::ReconnectMachine).
//! [`run`] plays one scenario after the other: each starts its servers on loopback (threads of their own, some of them in a
//! process of their own, to be killed and stopped) and hands the client a [`Task`]: URLs, policy, seed. The client reports
//! every notice and text and stands still until the scenario answers, so a server dies, or comes back, at a moment that is
//! the same in every run. What the machine was told and answered is recorded; the recording must replay bit for bit, and
//! its decisions (dials, hang-ups, causes, delays, phases) must be the ones that stand beside the scenario: the same for
//! every client.
//!
//! For a client over [`Reconnecting`](crate::Reconnecting) this is the whole of it, in a test with `harness = false`:
//!
//! ```no_run
//! use redial_driver::conformance;
//! # use redial_driver::{Clock, Connect, conformance::Task};
//! use redial_driver::Reconnecting;
//! # use std::pin::Pin;
//! # fn call<K: Clock + Copy, C: Connect>(clock: K, dials: fn(&Task) -> C, block_on: fn(Pin<&mut dyn Future<Output = ()>>))
//! # where C::Message: From<String> + ToString {
//!
//! conformance::run("my runtime", |task| {
//!     let connection = Reconnecting::builder(clock, dials(&task), task.policy(), task.seed())
//!         .close_timeout(task.close_timeout())
//!         .recorder(task.recorder())
//!         .build();
//!     block_on(std::pin::pin!(task.drive(connection)));
//! });
//! # }
//! ```
//!
//! A client without the driver answers by itself: it calls [`Task::notice`] and [`Task::text`] and follows the [`Order`]s
//! that come back.
//!
//! # What it asks of the program
//! - `run` comes first in `main`: the program runs itself again as a server, and it is `run` that notices.
//! - A client that reads what has arrived before it looks at the clock, as the driver does: then pings and timeouts keep
//!   their meaning while it stands still.
//! - With the environment variable `REDIAL_CONFORMANCE` set, only scenarios whose names contain its value are played.

// A story that goes otherwise than it is told panics, and the suite says which.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
mod decisions;
mod peer;
mod play;
#[cfg(unix)]
mod process;
mod server;
mod stories;
mod task;
mod tls;
/// A link to `core/vectors`: packages hold a copy.
mod vectors;

use std::time::Duration;

pub use task::{Order, Tape, Task};

/// No wait in the suite is meant to be long: this bounds those that never end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Plays every scenario and every golden vector, with a line for each on stdout. `name` is the client's.
///
/// `candidate` runs one client until the task says that it is over, on the calling thread.
///
/// # Panics
/// If a scenario went otherwise than it should, once all were played. A client that does not come back when its scenario is
/// over ends the process, with status 1.
pub fn run(name: &str, mut candidate: impl FnMut(Task)) {
    #[cfg(unix)]
    process::serve_if_asked();
    let only = std::env::var("REDIAL_CONFORMANCE").unwrap_or_default();
    let (mut played, mut failed) = (0_u32, 0_u32);
    let mut say = |scenario: &str, outcome: Result<String, String>| {
        played += 1;
        match outcome {
            Ok(how) => println!("ok      {name}: {scenario} ({how})"),
            Err(why) => {
                failed += 1;
                println!("FAILED  {name}: {scenario}\n{why}");
            }
        }
    };
    if "vectors".contains(&only) {
        say("vectors", replay_vectors());
    }
    for scenario in stories::all().filter(|scenario| scenario.name.contains(&only)) {
        say(scenario.name, play::play(scenario, &mut candidate));
    }
    assert!(played > 0, "no scenario's name contains {only:?}");
    assert!(failed == 0, "{name}: {failed} of {played} failed");
}

/// Replayed by the machine as it was built for this client, with its features and its target.
fn replay_vectors() -> Result<String, String> {
    for (vector, text) in vectors::VECTORS {
        vectors::check(text).map_err(|difference| format!("{vector}: {difference}"))?;
    }
    Ok(format!("{} traces", vectors::VECTORS.len()))
}

/// What takes real time is bounded by real time; nothing else in the suite looks at it.
#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}
