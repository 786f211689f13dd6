//! Compares a replay with the outputs that its trace holds.

use core::fmt;
use core::ops::ControlFlow;
use std::boxed::Box;
use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;
use std::{format, vec};

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
    /// Deadlines after the last line fire up to `until`, and up to the last line at least. The replay ends at the first
    /// difference, and no more of it is kept than of the trace.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, machine: ReconnectMachine, until: Option<Timestamp>) -> Result<(), Box<Difference>> {
        let expected: Vec<Expected> = self
            .lines
            .iter()
            .filter_map(|line| match line.event {
                Event::Output(output) => Some((line.at, output, line.number)),
                Event::Input(_) => None,
            })
            .collect();
        let last_line = self.lines.last().map_or(1, |line| line.number);
        let mut comparison = Comparison { expected: &expected, instant: first_instant(&expected), found: Vec::new() };
        let different = self.replay_while(machine, until, |at, output| comparison.on_found((at, output)));
        let (expected, found) = match different {
            ControlFlow::Break(difference) => difference,
            ControlFlow::Continue(()) => match comparison.at_end() {
                ControlFlow::Break(difference) => difference,
                ControlFlow::Continue(()) => return Ok(()),
            },
        };
        let line = expected.map_or(last_line, |(.., line)| line);
        Err(Box::new(Difference { expected: expected.map(|(at, output, _)| (at, output)), found, line }))
    }
}

/// One instant of the trace against as many outputs of the replay.
struct Comparison<'a> {
    /// What the trace still has.
    expected: &'a [Expected],
    /// How much of it is of one instant.
    instant: usize,
    /// What the replay has for that instant so far.
    found: Vec<Found>,
}

impl Comparison<'_> {
    fn on_found(&mut self, found: Found) -> ControlFlow<Different> {
        if self.expected.is_empty() {
            return ControlFlow::Break((None, Some(found)));
        }
        self.found.push(found);
        if self.found.len() < self.instant { ControlFlow::Continue(()) } else { self.compare() }
    }

    /// The replay has no more.
    fn at_end(&mut self) -> ControlFlow<Different> {
        if self.expected.is_empty() { ControlFlow::Continue(()) } else { self.compare() }
    }

    fn compare(&mut self) -> ControlFlow<Different> {
        let (now, later) = self.expected.split_at(self.instant);
        match first_difference(now, &core::mem::take(&mut self.found)) {
            Some(different) => ControlFlow::Break(different),
            None => {
                (self.expected, self.instant) = (later, first_instant(later));
                ControlFlow::Continue(())
            }
        }
    }
}

fn first_instant(expected: &[Expected]) -> usize {
    let Some((at, ..)) = expected.first() else {
        return 0;
    };
    expected.iter().take_while(|(other, ..)| other == at).count()
}

type Expected = (Timestamp, Output, usize);
type Found = (Timestamp, Output);
type Different = (Option<Expected>, Option<Found>);

/// What one instant's outputs have in common is taken away: commands in order, notices in any.
fn first_difference(expected: &[Expected], found: &[Found]) -> Option<Different> {
    let same = |want: &Expected, have: &Found| (want.0, want.1) == *have;
    let as_they_came = expected.iter().zip(found).take_while(|(want, have)| same(want, have)).count();
    let (expected, found) = (expected.get(as_they_came..)?, found.get(as_they_came..)?);

    let mut commands = Vec::new();
    // By their text, which says all there is in them: one instant may have very many.
    let mut notices: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, have) in found.iter().enumerate().rev() {
        match have.1 {
            Output::Command(_) => commands.push(place),
            Output::Notice(_) => notices.entry(format!("{have:?}")).or_default().push(place),
        }
    }
    let mut left = vec![true; found.len()];
    let first_left = |left: &[bool]| found.iter().zip(left).find_map(|(have, left)| left.then_some(*have));
    for want in expected {
        let place = match want.1 {
            Output::Command(_) => commands.pop(),
            Output::Notice(_) => notices.get_mut(&format!("{:?}", (want.0, want.1))).and_then(Vec::pop),
        };
        match place.and_then(|place| Some((found.get(place)?, left.get_mut(place)?))) {
            Some((have, left)) if same(want, have) => *left = false,
            Some((have, _)) => return Some((Some(*want), Some(*have))),
            None => return Some((Some(*want), first_left(&left))),
        }
    }
    first_left(&left).map(|have| (None, Some(have)))
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |output: &Option<Found>| match output {
            Some((at, output)) => {
                let mut line = Vec::new();
                // Writing to memory does not fail.
                let _ = super::Writer::new(&mut line).output(*at, output);
                String::from_utf8_lossy(&line).trim_end().into()
            }
            None => String::from("nothing more"),
        };
        write!(f, "trace line {}: the trace has {}, the replay {}", self.line, show(&self.expected), show(&self.found))
    }
}
