//! The machine's public face.

mod connection;
mod dialling;
mod endpoints;
pub(crate) mod state;
mod step;

use crate::cause::Cause;
use crate::holds::Holds;
use crate::input::{Input, KeptHint};
use crate::moment::Moment;
use crate::output::Outputs;
use crate::policy::Policy;
use crate::rng::WyRand;
use crate::snapshot::{Snapshot, SnapshotError};
use crate::stats::{Accounts, Stats};
use crate::time::{Micros, Timestamp};
use crate::words::{ConnectionId, HoldReason, Phase, Quality, words};
use core::num::NonZeroU32;
use state::{Memory, State};

/// The state machine that decides when to dial, how long to wait, when to give up and how good a connection is.
///
/// It is pure: it reads no clock, opens no socket, allocates nothing. Whoever drives it
/// 1. tells it what happened with [`handle`](Self::handle), with the time at which it did,
/// 2. carries out the [commands](crate::Command) that come back,
/// 3. sends [`Input::Timeout`] once [`deadline`](Self::deadline) has come, having asked for it anew after every input.
///
/// `handle` never fails and never panics: what makes no sense changes nothing and is counted.
///
/// ```
/// use redial::{Cause, Command, ConnectionId, Input, Jitter, Output, Phase, Policy, ReconnectMachine, Timestamp};
///
/// let policy = Policy::builder().jitter(Jitter::None).build()?;
/// let mut machine = ReconnectMachine::new(policy, 7);
///
/// let connection = ConnectionId(1);
/// let dials = |outputs: redial::Outputs| outputs.commands().filter(|c| matches!(c, Command::Dial(_))).count();
/// assert_eq!(dials(machine.handle(Timestamp::ZERO, Input::Start)), 1);
///
/// // Nobody listens there: retry 1 is due a second later.
/// let refused = Cause::network(redial::NetworkDetail::Refused);
/// let outputs = machine.handle(Timestamp::from_millis(3), Input::Failed { connection, cause: refused });
/// assert_eq!(dials(outputs), 0);
/// assert_eq!(machine.phase(), Phase::Waiting);
/// assert_eq!(machine.deadline(), Some(Timestamp::from_millis(1003)));
/// assert_eq!(dials(machine.handle(Timestamp::from_millis(1003), Input::Timeout)), 1);
/// # Ok::<(), redial::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ReconnectMachine {
    policy: Policy,
    mem: Memory,
    /// The state's deadline, derived anew at the end of every step: most inputs come before it and need only compare.
    due: Moment,
}

words! {
    /// What the machine's deadline is about.
    pub enum WakeReason {
        /// The dial has taken too long then.
        ConnectTimeout = "connectTimeout",
        /// The application's handshake has taken too long then.
        ReadyTimeout = "readyTimeout",
        /// The connection has lasted then.
        Stable = "stable",
        /// A ping falls due.
        Ping = "ping",
        /// The peer has been silent for too long then.
        PingTimeout = "pingTimeout",
        /// A dial is due.
        Dial = "dial",
    }
}

impl ReconnectMachine {
    /// An idle machine for one endpoint.
    ///
    /// The seed decides every draw. Give each device its own, or all of them draw the same "jitter".
    #[must_use]
    pub fn new(policy: Policy, seed: u64) -> Self {
        let mut holds = Holds::default();
        if !policy.auto_reconnect() {
            holds.insert(HoldReason::AutoReconnectOff);
        }
        let mem = Memory {
            now: Moment::EVER,
            state: State::Idle,
            holds,
            busy: false,
            quality: None,
            hint: KeptHint::NONE,
            fresh_credentials: false,
            outage: state::Outage::NONE,
            retries: 0,
            schedule: crate::backoff::Schedule::new(&policy),
            rng: WyRand::new(seed),
            bucket: crate::budget::TokenBucket::full(Moment::EVER),
            endpoints: 1,
            endpoint: 0,
            last_connection: 0,
            last_ping: 0,
            accounts: Accounts::new(),
        };
        Self { policy, mem, due: Moment::NEVER }
    }

    /// As [`new`](Self::new), with the seed drawn from a generator of the caller's.
    #[must_use]
    pub fn from_rng(policy: Policy, rng: &mut impl rand_core::Rng) -> Self {
        Self::new(policy, rng.next_u64())
    }

    /// The same machine for so many endpoints; the policy's `failover` says which is dialled when.
    #[must_use]
    pub fn with_endpoints(mut self, endpoints: NonZeroU32) -> Self {
        self.set_endpoints(endpoints);
        self
    }

    /// Takes one step: `now` becomes the latest time seen (an earlier one acts as that), a connection that was ready for
    /// long enough becomes stable, the input is done, and whatever is still due then fires.
    ///
    /// The commands among the outputs must be carried out, in order.
    #[inline]
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Outputs {
        let now = Moment::at(now);
        // What comes with every message, before any deadline: the whole step is the input itself.
        if let Input::Received { connection } = input {
            if self.is_in_peace(connection, now) {
                self.on_traffic(now);
                return Outputs::new();
            }
        }
        // No copy of these is made for a caller that reads them and lets them go, as long as LLVM sees that no step keeps
        // their address. It looks at 100 uses of it in a function: a reaction with many outputs is to stay one of its own.
        let mut out = Outputs::new();
        self.step(now, input, &mut out);
        out
    }

    /// When the machine wants [`Input::Timeout`]: later than the last input, or `None`.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.due.deadline()
    }

    /// What the deadline is about; `None` where there is none.
    #[must_use]
    pub fn wake_reason(&self) -> Option<WakeReason> {
        self.deadline()?;
        match &self.mem.state {
            State::Idle | State::Held { .. } | State::Closed | State::Failed => None,
            State::Connecting { .. } => Some(WakeReason::ConnectTimeout),
            State::Handshaking { .. } => Some(WakeReason::ReadyTimeout),
            State::Waiting { .. } => Some(WakeReason::Dial),
            State::Open { open, .. } => Some({
                if open.stable_at == self.due {
                    WakeReason::Stable
                } else if open.health.death(self.patience()) == self.due {
                    WakeReason::PingTimeout
                } else {
                    WakeReason::Ping
                }
            }),
        }
    }

    /// Where the machine stands.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.mem.state.phase()
    }

    /// The connection that is being dialled or open.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionId> {
        self.mem.state.link().map(|link| link.connection)
    }

    /// The number, in its outage, of the dial under way or to come, or of the dial that led to the open connection.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        match &self.mem.state {
            State::Connecting { link, .. } | State::Handshaking { link, .. } | State::Open { link, .. } => link.attempt,
            State::Waiting { pending, .. } | State::Held { pending, .. } => pending.attempt(),
            State::Idle | State::Closed | State::Failed => self.mem.retries,
        }
    }

    /// When the next dial is due; `None` unless the phase is waiting.
    #[must_use]
    pub fn next_dial_at(&self) -> Option<Timestamp> {
        match &self.mem.state {
            State::Waiting { until, .. } => until.deadline(),
            State::Idle
            | State::Connecting { .. }
            | State::Handshaking { .. }
            | State::Open { .. }
            | State::Held { .. }
            | State::Closed
            | State::Failed => None,
        }
    }

    /// The grade; `None` before the present connection's first sample.
    #[must_use]
    pub const fn quality(&self) -> Option<Quality> {
        self.mem.quality
    }

    /// The smoothed latency of the open connection; `None` before its first sample.
    #[must_use]
    pub fn latency(&self) -> Option<Micros> {
        self.mem.state.open()?.health.smoothed().map(crate::grades::Smoothed::micros)
    }

    /// Since when the open connection has been ready; `None` unless the phase is open.
    #[must_use]
    pub const fn open_since(&self) -> Option<Timestamp> {
        match self.mem.state.open() {
            Some(open) => Some(open.since.timestamp()),
            None => None,
        }
    }

    /// The holds that stand.
    #[must_use]
    pub const fn holds(&self) -> Holds {
        self.mem.holds
    }

    /// Whether a ping is unanswered. Only then does [`Input::Received`] change more than the latest time seen, so a driver
    /// may keep it back until then.
    #[must_use]
    pub const fn awaits_pong(&self) -> bool {
        match self.mem.state.open() {
            Some(open) => open.health.awaits_pong(),
            None => false,
        }
    }

    /// Whether the machine shares a dial budget with others: from the first [`Input::Budget`] on.
    #[must_use]
    pub const fn shares_budget(&self) -> bool {
        self.mem.bucket.is_shared()
    }

    /// How many endpoints there are.
    #[must_use]
    pub const fn endpoints(&self) -> NonZeroU32 {
        match NonZeroU32::new(self.mem.endpoints) {
            Some(endpoints) => endpoints,
            None => NonZeroU32::MIN,
        }
    }

    /// Whether the peer is expected to be silent.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.mem.busy
    }

    /// The failure after which the next dial is to come; `None` unless a retry waits or is held.
    #[must_use]
    pub const fn last_failure(&self) -> Option<Cause> {
        match &self.mem.state {
            State::Waiting { pending: state::Pending::Retry(retry), .. }
            | State::Held { pending: state::Pending::Retry(retry), .. } => Some(retry.cause),
            State::Idle
            | State::Connecting { .. }
            | State::Handshaking { .. }
            | State::Open { .. }
            | State::Waiting { .. }
            | State::Held { .. }
            | State::Closed
            | State::Failed => None,
        }
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The accounts up to `now`, or up to the latest time seen if that is later.
    #[must_use]
    pub fn stats(&self, now: Timestamp) -> Stats {
        let now = Moment::at(now).max(self.mem.now);
        self.mem.accounts.stats(self.phase(), self.mem.outage.began, now)
    }

    /// What the machine remembers, with times as durations from `now`, so that another process can go on with it.
    ///
    /// A connection that does not outlive the process is to be reported `Closed` to the restored machine.
    #[must_use]
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        Snapshot::take(&self.mem, Moment::at(now).max(self.mem.now))
    }

    /// A machine that goes on from a snapshot as the original would, with this policy.
    ///
    /// # Errors
    /// If the snapshot is of no machine: only one that was changed by hand is.
    pub fn restore(policy: Policy, snapshot: &Snapshot, now: Timestamp) -> Result<Self, SnapshotError> {
        let now = Moment::at(now);
        let mut machine = Self { policy, mem: snapshot.memory(now)?, due: Moment::NEVER };
        machine.follow_endpoint();
        if let State::Open { open, .. } = &mut machine.mem.state {
            open.health.follow(&machine.policy, now);
        }
        machine.due = machine.next_deadline();
        Ok(machine)
    }

    /// For a replay that has no input before `until`: passes over the timeouts that would do nothing but leave out one ping
    /// each, however many. The last of them remains, and so the latest time seen is the same. One that comes late may do
    /// more.
    #[cfg(feature = "trace")]
    pub(crate) fn leave_out_pings(&mut self, until: Timestamp) {
        let patience = self.patience();
        let late = self.due < self.mem.now.max(Moment::at(Timestamp::ZERO));
        if let (State::Open { open, .. }, false) = (&mut self.mem.state, late) {
            open.health.leave_out_many(&self.policy, Moment::at(until));
            self.due = open.deadline(patience);
        }
    }

    fn next_deadline(&self) -> Moment {
        match &self.mem.state {
            State::Idle | State::Held { .. } | State::Closed | State::Failed => Moment::NEVER,
            State::Connecting { until, .. } | State::Handshaking { until, .. } | State::Waiting { until, .. } => *until,
            State::Open { open, .. } => open.deadline(self.patience()),
        }
    }

    /// How long an unanswered ping may stay so.
    fn patience(&self) -> Micros {
        if self.mem.busy { self.policy.busy_timeout() } else { self.policy.ping_timeout() }
    }
}
