//! A machine that is watched.

use std::fmt;
use std::num::NonZeroU32;

use redial::{Input, Output, Policy, ReconnectMachine, Timestamp};

use crate::laws::Laws;
use crate::step::Step;

/// A law was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The law's name.
    pub law: &'static str,
    /// What was wrong.
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "law {}: {}", self.law, self.why)
    }
}

impl std::error::Error for Broken {}

/// A machine and the laws that watch it.
///
/// ```
/// use redial::{Input, Policy, Timestamp};
/// use redial_laws::Watched;
/// let mut watched = Watched::new(Policy::chat(), 7);
/// let outputs = watched.handle(Timestamp::ZERO, Input::Start)?;
/// assert_eq!(outputs.len(), 2);
/// # Ok::<(), redial_laws::Broken>(())
/// ```
#[derive(Clone, Debug)]
pub struct Watched {
    machine: ReconnectMachine,
    laws: Laws,
    now: Timestamp,
}

impl Watched {
    /// A new machine for one endpoint, watched by all laws.
    #[must_use]
    pub fn new(policy: Policy, seed: u64) -> Self {
        Self::with(policy, seed, NonZeroU32::MIN, Laws::new)
    }

    /// A new machine for so many endpoints, watched by the laws that `laws` makes.
    #[must_use]
    pub fn with(policy: Policy, seed: u64, endpoints: NonZeroU32, laws: fn(&Policy, NonZeroU32) -> Laws) -> Self {
        let laws = laws(&policy, endpoints);
        let machine = ReconnectMachine::new(policy, seed).with_endpoints(endpoints);
        Self { machine, laws, now: Timestamp::ZERO }
    }

    /// The same, watched by these laws, which must be new.
    #[must_use]
    pub fn watched_by(self, laws: Laws) -> Self {
        Self { laws, ..self }
    }

    /// One step, watched.
    ///
    /// # Errors
    /// The first law that the step broke.
    pub fn handle(&mut self, at: Timestamp, input: Input) -> Result<Vec<Output>, Broken> {
        let before = self.machine.clone();
        let outputs: Vec<Output> = self.machine.handle(at, input).into_iter().collect();
        self.now = self.now.max(at);
        let step = Step { before: &before, after: &self.machine, at, now: self.now, input, outputs: &outputs };
        self.laws.watch(&step)?;
        Ok(outputs)
    }

    /// In the machine's place, one restored from its snapshot on the same clock.
    ///
    /// # Errors
    /// If it is not restored.
    pub fn restore(&mut self) -> Result<(), Broken> {
        let snapshot = self.machine.snapshot(self.now);
        let policy = self.machine.policy().clone();
        self.machine = ReconnectMachine::restore(policy, &snapshot, self.now)
            .map_err(|error| Broken { law: "snapshot", why: error.to_string() })?;
        Ok(())
    }

    /// The machine.
    #[must_use]
    pub const fn machine(&self) -> &ReconnectMachine {
        &self.machine
    }

    /// The laws, with what they have seen.
    #[must_use]
    pub const fn laws(&self) -> &Laws {
        &self.laws
    }

    /// The latest time seen.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }
}
