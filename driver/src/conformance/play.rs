//! Plays one scenario with one client.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Sender};
use std::thread;

use super::client::Client;
use super::decisions;
use super::task::{Settings, Tape, Task};
use super::{PATIENCE, now};

/// One situation: what happens in it, and what the machine must decide.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// Plays the servers, and the user.
    pub(super) story: fn(&mut Stage),
    /// One line each.
    pub(super) decisions: &'static str,
    /// What the world may make of it instead, where that is nobody's choice; else empty.
    pub(super) or: &'static str,
}

/// Where a story meets its client.
#[derive(Debug)]
pub(super) struct Stage {
    tasks: Sender<Task>,
    tape: Tape,
}

impl Stage {
    /// Lets the client begin. Once for each story.
    pub(super) fn client(&mut self, settings: Settings) -> Client {
        let (client, task) = Client::new(settings, self.tape.clone());
        self.tasks.send(task).expect("the client is asked for once");
        client
    }
}

pub(super) fn play(scenario: &'static Scenario, candidate: &mut impl FnMut(Task)) -> Result<String, String> {
    let began = now();
    let tape = Tape::default();
    let (tasks, given) = mpsc::channel();
    let (back, returned) = mpsc::channel::<()>();
    let mut stage = Stage { tasks, tape: tape.clone() };
    let story = thread::Builder::new().name(scenario.name.to_owned()).spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| (scenario.story)(&mut stage)));
        let outcome = outcome.map_err(|panic| said(panic.as_ref()));
        drop(stage);
        // The story is over and the client has been told. Nothing but the end of the process stops one that stays.
        if returned.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            let why = outcome.err().unwrap_or_default();
            println!("FAILED  {}: the client does not come back\n{why}", scenario.name);
            std::process::exit(1);
        }
        outcome
    });
    let story = story.map_err(|error| error.to_string())?;
    if let Ok(task) = given.recv() {
        candidate(task);
    }
    drop(back);
    let outcome = story.join().map_err(|panic| said(panic.as_ref()))?;
    let recording = tape.text();
    let wrong = match outcome {
        Err(wrong) => Err(wrong),
        Ok(()) => decisions::compare(&recording, scenario.decisions, scenario.or),
    };
    wrong.map_err(|wrong| format!("{wrong}\n{}", tail(&recording)))?;
    Ok(format!("{} ms", began.elapsed().as_millis()))
}

/// A client that goes on and on records very much.
fn tail(recording: &str) -> String {
    const ENOUGH: usize = 200;
    let lines: Vec<_> = recording.lines().collect();
    let first = lines.len().saturating_sub(ENOUGH);
    format!("the recording, from line {}:\n{}\n", first + 1, lines[first..].join("\n"))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}
