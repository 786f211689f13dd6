//! Traces: what a machine was told and what it answered, as JSON Lines.
//!
//! A trace is a header, then inputs in time order; outputs may stand between them, and in a recording do:
//! ```json
//! {"redial":1,"policy":{"jitter":false},"seed":7,"endpoints":1}
//! {"at":0,"input":"start"}
//! {"at":0,"output":"dial","connection":1,"endpoint":0,"attempt":0,"freshCredentials":false}
//! ```
//!
//! ```
//! use redial::trace::Trace;
//! use redial::Timestamp;
//!
//! let text = r#"{"redial":1,"policy":{"jitter":false},"seed":7,"endpoints":1}
//! {"at":0,"input":"start"}
//! {"at":20,"input":"failed","connection":1,"cause":{"kind":"network"}}
//! "#;
//! let trace = Trace::parse(text)?;
//! let mut outputs = Vec::new();
//! trace.replay(trace.machine(), Some(Timestamp::from_millis(2000)), |at, output| outputs.push((at, output)));
//! assert_eq!(outputs.last().unwrap().0, Timestamp::from_millis(1020));
//! # Ok::<(), redial::trace::TraceError>(())
//! ```

mod check;
mod read;
mod write;

use core::convert::Infallible;
use core::num::NonZeroU32;
use core::ops::ControlFlow;
use std::vec::Vec;

pub use check::Difference;
pub use read::TraceError;
pub use write::Writer;

use crate::input::Input;
use crate::machine::ReconnectMachine;
use crate::output::Output;
use crate::policy::Policy;
use crate::time::Timestamp;

/// The first line of a trace: what the machine was made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The policy.
    pub policy: Policy,
    /// The seed of the machine's draws.
    pub seed: u64,
    /// How many endpoints there are.
    pub endpoints: NonZeroU32,
}

impl Header {
    /// The machine that this header describes, before its first input.
    #[must_use]
    pub fn machine(&self) -> ReconnectMachine {
        ReconnectMachine::new(self.policy.clone(), self.seed).with_endpoints(self.endpoints)
    }
}

/// One line after the header.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// Where it stands in the trace, from 1.
    pub number: usize,
}

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// What the machine was told.
    Input(Input),
    /// What it answered.
    Output(Output),
}

/// A whole trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// What the machine was made of.
    pub header: Header,
    /// The lines after the header.
    pub lines: Vec<Line>,
}

impl Trace {
    /// The machine that the header describes, before its first input.
    #[must_use]
    pub fn machine(&self) -> ReconnectMachine {
        self.header.machine()
    }

    /// The inputs, in order.
    pub fn inputs(&self) -> impl Iterator<Item = (Timestamp, Input)> + '_ {
        self.lines.iter().filter_map(|line| match line.event {
            Event::Input(input) => Some((line.at, input)),
            Event::Output(_) => None,
        })
    }

    /// The outputs, in order.
    pub fn outputs(&self) -> impl Iterator<Item = (Timestamp, Output)> + '_ {
        self.lines.iter().filter_map(|line| match line.event {
            Event::Output(output) => Some((line.at, output)),
            Event::Input(_) => None,
        })
    }

    /// Runs `machine` over the inputs on a virtual clock and shows each output with its time.
    ///
    /// A trace with `timeout` lines, as every recording has, is replayed as it was. In one without them every deadline
    /// at or before a line's time fires before it, in order. After the last line deadlines fire up to `until`.
    pub fn replay(&self, machine: ReconnectMachine, until: Option<Timestamp>, mut show: impl FnMut(Timestamp, Output)) {
        let ControlFlow::<Infallible>::Continue(()) = self.replay_while(machine, until, |at, output| {
            show(at, output);
            ControlFlow::Continue(())
        });
    }

    /// The same, until `show` breaks it off: a few lines can have more outputs than anyone waits for.
    fn replay_while<B>(
        &self,
        mut machine: ReconnectMachine,
        until: Option<Timestamp>,
        mut show: impl FnMut(Timestamp, Output) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let as_it_was = self.inputs().any(|(_, input)| input == Input::Timeout);
        let mut latest = Timestamp::ZERO;
        for line in &self.lines {
            if !as_it_was {
                fire_deadlines(&mut machine, line.at, &mut show)?;
            }
            if let Event::Input(input) = line.event {
                // An earlier time acts as the latest one seen, and so do the outputs' times.
                latest = latest.max(line.at);
                for output in machine.handle(line.at, input) {
                    show(latest, output)?;
                }
            }
        }
        match until {
            Some(until) => fire_deadlines(&mut machine, until, &mut show),
            None => ControlFlow::Continue(()),
        }
    }
}

fn fire_deadlines<B>(
    machine: &mut ReconnectMachine,
    until: Timestamp,
    show: &mut impl FnMut(Timestamp, Output) -> ControlFlow<B>,
) -> ControlFlow<B> {
    loop {
        // They say nothing, and a policy may ask for one each microsecond: a few lines could take for ever.
        machine.leave_out_pings(until);
        let Some(deadline) = machine.deadline().filter(|deadline| *deadline <= until) else {
            return ControlFlow::Continue(());
        };
        for output in machine.handle(deadline, Input::Timeout) {
            show(deadline, output)?;
        }
    }
}
