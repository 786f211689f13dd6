//! What a machine is put through: a policy, a seed, and moves that are relative to where the machine stands, so that
//! they lead deep.

#[cfg(feature = "arbitrary")]
mod bytes;
#[cfg(feature = "arbitrary")]
mod policies;
#[cfg(feature = "proptest")]
mod strategy;

use std::fmt;
use std::num::NonZeroU32;

use redial::{
    Cause, Command, ConnectionId, Hint, HoldReason, Input, Micros, Output, Phase, PingId, Policy, ReconnectMachine,
    Timestamp,
};

use crate::laws::Laws;
use crate::step::{Us, at_us, timestamp, us};
use crate::watched::{Broken, Watched};

#[cfg(feature = "proptest")]
pub use strategy::scenarios;

/// What a scenario is to be rich in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// Spans of a few microseconds, so that much falls together, and multipliers whose powers are exact; no far jumps.
    Close,
    /// Any policy, any moves: also spans of seconds, hours, far jumps, times near the largest.
    Anything,
    /// Failures in a row without jitter.
    Schedule,
    /// Failures in a row.
    Failures,
    /// A small dial budget and users in a hurry.
    Budget,
    /// A long outage with `maxElapsed`, holds and sleep.
    Elapsed,
    /// A connection that is open for long: pings, pongs, traffic.
    Health,
    /// The same with one latency.
    Steady,
    /// A dial budget that is shared with others.
    Shared,
    /// Endpoints that come and go, fail and are well.
    Endpoints,
}

/// A policy, a seed, so many endpoints, and what happens.
#[derive(Clone)]
pub struct Scenario {
    /// The machine's policy.
    pub policy: Policy,
    /// How many endpoints it has.
    pub endpoints: NonZeroU32,
    /// Its seed.
    pub seed: u64,
    /// What happens, and when.
    pub moves: Vec<(Pace, Move)>,
}

/// When the next thing happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// So many microseconds after the latest time seen.
    After(i64),
    /// So many after the deadline; after the latest time seen, if there is none.
    AfterDeadline(i64),
    /// So many more than `wakeGap` after the deadline.
    AfterWakeGap(i64),
    /// So many before the largest timestamp.
    BeforeTheLast(u64),
}

/// Which connection, or ping, an input names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The last one.
    Last,
    /// The one before.
    Previous,
    /// One that was not yet.
    Next,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Move {
    /// [`Input::Start`]
    Start,
    /// [`Input::Stop`]
    Stop,
    /// [`Input::Reconnect`]
    Reconnect,
    /// [`Input::Hold`]
    Hold(HoldReason),
    /// [`Input::Release`]
    Release(HoldReason),
    /// [`Input::Opened`]
    Opened(Which),
    /// [`Input::Ready`]
    Ready(Which),
    /// [`Input::Failed`]
    Failed(Which, Cause),
    /// [`Input::Closed`]
    Closed(Which, Cause),
    /// [`Input::Received`]
    Received(Which),
    /// [`Input::Pong`]
    Pong(Which, Which),
    /// [`Input::Busy`]
    Busy(bool),
    /// [`Input::Hint`]
    Hint(Hint),
    /// [`Input::Endpoints`]
    Endpoints(NonZeroU32),
    /// [`Input::Budget`]
    Budget(Micros),
    /// [`Input::Timeout`]
    Timeout,
    /// What is most likely to happen next in this phase.
    Likely,
    /// What ends the dial or the connection, or makes the next dial.
    LikelyFailure,
    /// A machine restored from its snapshot goes on in this one's place, so much later on its clock where the player can
    /// do that.
    Restore(u16),
}

/// What a move is relative to.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// The latest time seen.
    pub now: i128,
    /// The machine's deadline.
    pub deadline: Option<i128>,
    /// The policy's `wakeGap`.
    pub wake_gap: i128,
    /// Where the machine stands.
    pub phase: Phase,
    /// A hold that stands.
    pub hold: Option<HoldReason>,
    /// The last connection that was dialled; 0 for none.
    pub last_connection: u64,
    /// The last ping that was sent; 0 for none.
    pub last_ping: u64,
}

impl Situation {
    /// Where this machine stands; what was last has to be told.
    #[must_use]
    pub fn of(machine: &ReconnectMachine, now: Timestamp, last_connection: u64, last_ping: u64) -> Self {
        Self {
            now: at_us(now),
            deadline: machine.deadline().map(at_us),
            wake_gap: us(machine.policy().wake_gap()),
            phase: machine.phase(),
            hold: machine.holds().iter().next(),
            last_connection,
            last_ping,
        }
    }
}

impl Pace {
    /// The time, in microseconds: 0 or more.
    #[must_use]
    pub fn at(self, situation: &Situation) -> i128 {
        let deadline = situation.deadline.unwrap_or(situation.now);
        let at = match self {
            Self::After(span) => situation.now + Us::from(span),
            Self::AfterDeadline(span) => deadline + Us::from(span),
            Self::AfterWakeGap(span) => deadline + situation.wake_gap + Us::from(span),
            Self::BeforeTheLast(span) => Us::from(u64::MAX - span),
        };
        at.max(0)
    }
}

impl Move {
    /// The input; `None` for a restored machine.
    #[must_use]
    pub fn input(self, situation: &Situation) -> Option<Input> {
        let id = |last: u64, which| match which {
            Which::Last => last,
            Which::Previous => last.saturating_sub(1),
            Which::Next => last + 1,
        };
        let connection = |which| ConnectionId(id(situation.last_connection, which));
        let ping = |which| PingId(id(situation.last_ping, which));
        let last = connection(Which::Last);
        Some(match self {
            Self::Start => Input::Start,
            Self::Stop => Input::Stop,
            Self::Reconnect => Input::Reconnect,
            Self::Hold(reason) => Input::Hold { reason },
            Self::Release(reason) => Input::Release { reason },
            Self::Opened(which) => Input::Opened { connection: connection(which) },
            Self::Ready(which) => Input::Ready { connection: connection(which) },
            Self::Failed(which, cause) => Input::Failed { connection: connection(which), cause },
            Self::Closed(which, cause) => Input::Closed { connection: connection(which), cause },
            Self::Received(which) => Input::Received { connection: connection(which) },
            Self::Pong(which, answered) => Input::Pong { connection: connection(which), ping: ping(answered) },
            Self::Busy(on) => Input::Busy { on },
            Self::Hint(hint) => Input::Hint(hint),
            Self::Endpoints(count) => Input::Endpoints { count },
            Self::Budget(wait) => Input::Budget { wait },
            Self::Timeout => Input::Timeout,
            Self::Likely => match situation.phase {
                Phase::Idle | Phase::Closed | Phase::Failed => Input::Start,
                Phase::Connecting => Input::Opened { connection: last },
                Phase::Handshaking => Input::Ready { connection: last },
                Phase::Open => Input::Pong { connection: last, ping: ping(Which::Last) },
                Phase::Waiting => Input::Timeout,
                Phase::Held => situation.hold.map_or(Input::Timeout, |reason| Input::Release { reason }),
            },
            Self::LikelyFailure => match situation.phase {
                Phase::Idle | Phase::Closed | Phase::Failed => Input::Start,
                Phase::Connecting => Input::Failed { connection: last, cause: Cause::NETWORK },
                Phase::Handshaking | Phase::Open => Input::Closed { connection: last, cause: Cause::close(1006) },
                Phase::Waiting => Input::Timeout,
                Phase::Held => situation.hold.map_or(Input::Timeout, |reason| Input::Release { reason }),
            },
            Self::Restore(_) => return None,
        })
    }
}

impl Scenario {
    /// Plays it with a machine that all laws watch, or only this one.
    ///
    /// # Errors
    /// The first law that was broken, with all that led to it.
    pub fn check(&self, only: Option<&'static str>) -> Result<Laws, String> {
        let mut log = Vec::new();
        self.play(only, &mut log).map_err(|broken| {
            let log: Vec<String> = log.iter().map(|(at, input)| format!("{at:>6} {input:?}")).collect();
            format!("{broken}\n{self:?}\n{}", log.join("\n"))
        })
    }

    fn play(&self, only: Option<&'static str>, log: &mut Vec<(Us, Input)>) -> Result<Laws, Broken> {
        let mut laws = Laws::new(&self.policy, self.endpoints);
        if let Some(only) = only {
            laws = laws.only(only);
        }
        let mut watched = Watched::with(self.policy.clone(), self.seed, self.endpoints, Laws::new).watched_by(laws);
        let (mut last_connection, mut last_ping) = (0, 0);
        for (pace, what) in &self.moves {
            let situation = Situation::of(watched.machine(), watched.now(), last_connection, last_ping);
            let Some(input) = what.input(&situation) else {
                // What a restored machine forgot is no other law's business.
                if only.is_none_or(|only| only == "snapshot") {
                    watched.restore()?;
                }
                continue;
            };
            let at = pace.at(&situation);
            log.push((at, input));
            for output in watched.handle(timestamp(at), input)? {
                match output {
                    Output::Command(Command::Dial(dial)) => last_connection = dial.connection.0,
                    Output::Command(Command::Ping { ping, .. }) => last_ping = ping.0,
                    Output::Command(Command::HangUp { .. }) | Output::Notice(_) => {}
                }
            }
        }
        Ok(watched.laws().clone())
    }
}

/// A log shows the inputs; this shows the rest, without what the policy derives from its keys.
impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = format!("{:?}", self.policy);
        let keys = settings.split(", multiplier:").next().unwrap_or_default();
        let keys = keys.replace(", None", "").replace("Micros(", "(");
        write!(f, "seed {} endpoints {} {keys}", self.seed, self.endpoints)
    }
}
