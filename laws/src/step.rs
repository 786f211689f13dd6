//! One step of a machine, as seen from outside.

use redial::{
    Cause, Command, ConnectionId, Dial, Holds, Input, Micros, Notice, Output, Phase, Quality, ReconnectMachine,
    RetryScheduled, Stats, Timestamp, WakeReason,
};

/// A time in microseconds, or a span of them: signed and wide, so that no law needs to think of overflow.
pub(crate) type Us = i128;

pub(crate) fn us(span: Micros) -> Us {
    Us::from(span.as_micros())
}

pub(crate) fn at_us(at: Timestamp) -> Us {
    Us::from(at.as_micros())
}

/// Saturating, for times that a law made up.
pub(crate) fn timestamp(at: Us) -> Timestamp {
    Timestamp::from_micros(u64::try_from(at.max(0)).unwrap_or(u64::MAX))
}

/// One step: what the machine was, was told, said, and is.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The machine before.
    pub before: &'a ReconnectMachine,
    /// The machine after.
    pub after: &'a ReconnectMachine,
    /// The time as given.
    pub at: Timestamp,
    /// The latest time seen, this one included.
    pub now: Timestamp,
    /// What the machine was told.
    pub input: Input,
    /// What it said.
    pub outputs: &'a [Output],
}

impl Step<'_> {
    pub(crate) fn now(&self) -> Us {
        at_us(self.now)
    }

    pub(crate) fn notices(&self) -> impl Iterator<Item = Notice> + '_ {
        self.outputs.iter().filter_map(|output| match output {
            Output::Notice(notice) => Some(*notice),
            Output::Command(_) => None,
        })
    }

    pub(crate) fn commands(&self) -> impl Iterator<Item = Command> + '_ {
        self.outputs.iter().filter_map(|output| match output {
            Output::Command(command) => Some(*command),
            Output::Notice(_) => None,
        })
    }

    pub(crate) fn dials(&self) -> impl Iterator<Item = Dial> + '_ {
        self.commands().filter_map(|command| match command {
            Command::Dial(dial) => Some(dial),
            Command::HangUp { .. } | Command::Ping { .. } => None,
        })
    }

    pub(crate) fn hang_ups(&self) -> impl Iterator<Item = (ConnectionId, Cause)> + '_ {
        self.commands().filter_map(|command| match command {
            Command::HangUp { connection, cause } => Some((connection, cause)),
            Command::Dial(_) | Command::Ping { .. } => None,
        })
    }

    pub(crate) fn pings(&self) -> impl Iterator<Item = (ConnectionId, u64)> + '_ {
        self.commands().filter_map(|command| match command {
            Command::Ping { connection, ping } => Some((connection, ping.0)),
            Command::Dial(_) | Command::HangUp { .. } => None,
        })
    }

    pub(crate) fn scheduled(&self) -> impl Iterator<Item = RetryScheduled> + '_ {
        self.notices().filter_map(|notice| match notice {
            Notice::RetryScheduled(scheduled) => Some(scheduled),
            _ => None,
        })
    }

    /// The connection that the input is about.
    pub(crate) fn names(&self) -> Option<ConnectionId> {
        match self.input {
            Input::Opened { connection }
            | Input::Ready { connection }
            | Input::Failed { connection, .. }
            | Input::Closed { connection, .. }
            | Input::Received { connection }
            | Input::Pong { connection, .. } => Some(connection),
            Input::Start
            | Input::Stop
            | Input::Reconnect
            | Input::Hold { .. }
            | Input::Release { .. }
            | Input::Busy { .. }
            | Input::Hint(_)
            | Input::Endpoints { .. }
            | Input::Budget { .. }
            | Input::Timeout => None,
        }
    }

    /// How much later than the deadline that stood it comes; 0 or less: not late.
    pub(crate) fn lateness(&self) -> Option<Us> {
        self.before.deadline().map(|due| self.now() - at_us(due))
    }

    /// "a timeout handled later than its deadline by more than this means the computer slept"
    pub(crate) fn slept(&self) -> Us {
        let gap = us(self.before.policy().wake_gap());
        self.lateness().map_or(0, |lateness| (lateness - gap).max(0))
    }

    /// What a timeout in this input's place would have done.
    pub(crate) fn if_timeout(&self) -> (ReconnectMachine, Vec<Output>) {
        let mut machine = self.before.clone();
        let outputs = machine.handle(self.at, Input::Timeout).into_iter().collect();
        (machine, outputs)
    }
}

/// All that can be seen of a machine at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// `phase()`
    pub phase: Phase,
    /// `deadline()`
    pub deadline: Option<Timestamp>,
    /// `wake_reason()`
    pub wake_reason: Option<WakeReason>,
    /// `connection()`
    pub connection: Option<ConnectionId>,
    /// `attempt()`
    pub attempt: u32,
    /// `next_dial_at()`
    pub next_dial_at: Option<Timestamp>,
    /// `quality()`
    pub quality: Option<Quality>,
    /// `latency()`
    pub latency: Option<Micros>,
    /// `open_since()`
    pub open_since: Option<Timestamp>,
    /// `holds()`
    pub holds: Holds,
    /// `awaits_pong()`
    pub awaits_pong: bool,
    /// `is_busy()`
    pub busy: bool,
    /// `shares_budget()`
    pub shares_budget: bool,
    /// `endpoints()`
    pub endpoints: u32,
    /// `last_failure()`
    pub last_failure: Option<Cause>,
    /// `stats(now)`
    pub stats: Stats,
}

impl View {
    /// What can be seen at `now`.
    #[must_use]
    pub fn of(machine: &ReconnectMachine, now: Timestamp) -> Self {
        Self {
            phase: machine.phase(),
            deadline: machine.deadline(),
            wake_reason: machine.wake_reason(),
            connection: machine.connection(),
            attempt: machine.attempt(),
            next_dial_at: machine.next_dial_at(),
            quality: machine.quality(),
            latency: machine.latency(),
            open_since: machine.open_since(),
            holds: machine.holds(),
            awaits_pong: machine.awaits_pong(),
            busy: machine.is_busy(),
            shares_budget: machine.shares_budget(),
            endpoints: machine.endpoints().get(),
            last_failure: machine.last_failure(),
            stats: machine.stats(now),
        }
    }

    /// The same seen on a clock that stands so many microseconds higher; a time before its origin is at its origin.
    #[must_use]
    pub fn shifted(self, by: i128) -> Self {
        let later = |at: Option<Timestamp>| at.map(|at| timestamp(at_us(at) + by));
        Self {
            deadline: later(self.deadline),
            next_dial_at: later(self.next_dial_at),
            open_since: later(self.open_since),
            ..self
        }
    }

    /// The same without what is only counted: inputs that came stale, misplaced or with an earlier time.
    #[must_use]
    pub fn without_counts(self) -> Self {
        let stats = Stats { stale_inputs: 0, misplaced_inputs: 0, rewound_inputs: 0, ..self.stats };
        Self { stats, ..self }
    }
}
