//! Compares a replay with the outputs that its trace holds.

use core::fmt;
use std::boxed::Box;
use std::vec::Vec;

use super::{Event, Trace};
use crate::machine::ReconnectMachine;
use crate::output::Output;
use crate::time::Timestamp;

/// The first place in which a replay and its trace differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The trace's output that the replay does not have there; `None` where the trace has no more.
    pub expected: Option<(Timestamp, Output)>,
    /// The replay's output that the trace does not have there; `None` where the replay has no more.
    pub found: Option<(Timestamp, Output)>,
    /// The line of `expected`, from 1; the last line where there is none.
    pub line: usize,
}

impl Trace {
    /// Replays the trace and compares the outputs with those that it holds. The order of notices within one instant is
    /// free, that of commands is not.
    ///
    /// Deadlines after the last line fire up to `until`, and up to the last line at least.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, machine: ReconnectMachine, until: Option<Timestamp>) -> Result<(), Box<Difference>> {
        let mut found = Vec::new();
        self.replay(machine, until, |at, output| found.push((at, output)));
        let expected: Vec<_> = self
            .lines
            .iter()
            .filter_map(|line| match line.event {
                Event::Output(output) => Some((line.at, output, line.number)),
                Event::Input(_) => None,
            })
            .collect();
        self.compare(&expected, &found)
    }

    fn compare(
        &self,
        expected: &[(Timestamp, Output, usize)],
        found: &[(Timestamp, Output)],
    ) -> Result<(), Box<Difference>> {
        let last_line = self.lines.last().map_or(1, |line| line.number);
        let mut expected = expected;
        let mut rest = found;
        loop {
            let Some((at, _, line)) = expected.first().copied() else {
                return match rest.first() {
                    None => Ok(()),
                    Some(found) => Err(Box::new(Difference { expected: None, found: Some(*found), line: last_line })),
                };
            };
            // One instant of the trace against as many outputs of the replay.
            let instant = expected.iter().take_while(|(other, ..)| *other == at).count();
            let (now, later) = expected.split_at(instant);
            let (ours, later_ours) = rest.split_at(instant.min(rest.len()));
            if let Some((want, have)) = first_difference(now, ours) {
                let expected = want.map(|(at, output, _)| (at, output));
                let line = want.map_or(line, |(.., line)| line);
                return Err(Box::new(Difference { expected, found: have, line }));
            }
            (expected, rest) = (later, later_ours);
        }
    }
}

type Expected = (Timestamp, Output, usize);
type Found = (Timestamp, Output);

/// What one instant's outputs have in common is taken away: commands in order, notices in any.
fn first_difference(expected: &[Expected], found: &[Found]) -> Option<(Option<Expected>, Option<Found>)> {
    let mut left: Vec<Found> = found.to_vec();
    for want in expected {
        let place = left.iter().position(|(at, output)| match want.1 {
            Output::Command(_) => matches!(output, Output::Command(_)),
            Output::Notice(_) => (*at, *output) == (want.0, want.1),
        });
        match place {
            Some(place) => {
                let have = left.remove(place);
                if have != (want.0, want.1) {
                    return Some((Some(*want), Some(have)));
                }
            }
            None => return Some((Some(*want), left.first().copied())),
        }
    }
    left.first().map(|have| (None, Some(*have)))
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |output: &Option<Found>| match output {
            Some((at, output)) => {
                let mut line = Vec::new();
                // Writing to memory does not fail.
                let _ = super::Writer::new(&mut line).output(*at, output);
                std::string::String::from_utf8_lossy(&line).trim_end().into()
            }
            None => std::string::String::from("nothing more"),
        };
        write!(f, "trace line {}: the trace has {}, the replay {}", self.line, show(&self.expected), show(&self.found))
    }
}
