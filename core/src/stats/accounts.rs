//! Times by phase and counters.

use super::{Endpoints, Latencies};
use crate::moment::Moment;
use crate::time::Micros;
use crate::words::Phase;

/// What has happened since the first input.
///
/// Counters saturate. The four times add up to the time since the first input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub struct Stats {
    /// Time in phase open.
    pub uptime: Micros,
    /// Time in phase connecting, handshaking or waiting.
    pub downtime: Micros,
    /// Time in phase held.
    pub held: Micros,
    /// Time in phase idle, closed or failed.
    pub idle: Micros,
    /// The longest outage, the present one included: from `start` or `reconnect`, or from the loss of a stable
    /// connection, until a connection was stable or the machine finished.
    pub longest_outage: Micros,
    /// All dials.
    pub dials: u64,
    /// Dials that were retries.
    pub retries: u64,
    /// Connections that became ready.
    pub opened: u64,
    /// Retries whose connection became ready.
    pub retries_opened: u64,
    /// Dials and handshakes that failed.
    pub attempts_failed: u64,
    /// Connections that were ready and ended.
    pub lost: u64,
    /// How often the machine gave up.
    pub gave_up: u64,
    /// How often the machine woke from sleep.
    pub wakes: u64,
    /// Inputs that named another connection than the present one.
    pub stale_inputs: u64,
    /// Inputs that made no sense in their phase.
    pub misplaced_inputs: u64,
    /// Inputs with an earlier time than one before them.
    pub rewound_inputs: u64,
    /// The latencies of all connections.
    pub latencies: Latencies,
    /// What is known of the endpoints' health; nothing, unless the policy's `failover` is
    /// [`Healthiest`](crate::Failover::Healthiest).
    #[cfg_attr(feature = "serde", serde(default))]
    pub endpoints: Endpoints,
}

impl Stats {
    /// The time since the first input: the sum of the four times.
    #[must_use]
    pub const fn age(&self) -> Micros {
        self.uptime.saturating_add(self.downtime).saturating_add(self.held).saturating_add(self.idle)
    }

    /// Retries that opened among those dialled, from 0 to 1; `None` without a retry.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn success_rate(&self) -> Option<f64> {
        (self.retries > 0).then(|| self.retries_opened as f64 / self.retries as f64)
    }
}

/// The running accounts: the stats up to the last change of phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub(crate) struct Accounts {
    /// Since when the present phase lasts; never before the first input.
    since: Moment,
    stats: Stats,
}

impl Accounts {
    /// Before the first input.
    pub(crate) fn new() -> Self {
        Self { since: Moment::NEVER, stats: Stats::default() }
    }

    pub(crate) const fn begin(&mut self, now: Moment) {
        self.since = now;
    }

    /// The phase `from` ends.
    pub(crate) fn on_phase(&mut self, from: Phase, now: Moment) {
        self.add_phase(from, now);
        self.since = now;
    }

    fn add_phase(&mut self, phase: Phase, now: Moment) {
        let time = match phase {
            Phase::Open => &mut self.stats.uptime,
            Phase::Connecting | Phase::Handshaking | Phase::Waiting => &mut self.stats.downtime,
            Phase::Held => &mut self.stats.held,
            Phase::Idle | Phase::Closed | Phase::Failed => &mut self.stats.idle,
        };
        *time = time.saturating_add(now.since(self.since));
    }

    pub(crate) fn on_outage_over(&mut self, lasted: Micros) {
        self.stats.longest_outage = self.stats.longest_outage.max(lasted);
    }

    pub(crate) const fn on_dial(&mut self, attempt: u32) {
        count(&mut self.stats.dials);
        if attempt > 0 {
            count(&mut self.stats.retries);
        }
    }

    pub(crate) const fn on_opened(&mut self, attempt: u32) {
        count(&mut self.stats.opened);
        if attempt > 0 {
            count(&mut self.stats.retries_opened);
        }
    }

    pub(crate) const fn on_attempt_failed(&mut self) {
        count(&mut self.stats.attempts_failed);
    }

    pub(crate) const fn on_lost(&mut self) {
        count(&mut self.stats.lost);
    }

    pub(crate) const fn on_gave_up(&mut self) {
        count(&mut self.stats.gave_up);
    }

    pub(crate) const fn on_wake(&mut self) {
        count(&mut self.stats.wakes);
    }

    pub(crate) const fn on_stale(&mut self) {
        count(&mut self.stats.stale_inputs);
    }

    pub(crate) const fn on_misplaced(&mut self) {
        count(&mut self.stats.misplaced_inputs);
    }

    pub(crate) const fn on_rewind(&mut self) {
        count(&mut self.stats.rewound_inputs);
    }

    pub(crate) fn on_latency(&mut self, latency: Micros) {
        self.stats.latencies.record(latency);
    }

    /// The time since the first input.
    pub(crate) const fn age(&self, now: Moment) -> Micros {
        self.stats.age().saturating_add(now.since(self.since))
    }

    pub(crate) const fn endpoints(&self) -> &Endpoints {
        &self.stats.endpoints
    }

    pub(crate) const fn endpoints_mut(&mut self) -> &mut Endpoints {
        &mut self.stats.endpoints
    }

    /// The stats at `now`, in this phase, with an outage since `outage_began`.
    pub(crate) fn stats(&self, phase: Phase, outage_began: Moment, now: Moment) -> Stats {
        let mut accounts = *self;
        accounts.add_phase(phase, now);
        accounts.on_outage_over(now.since(outage_began));
        accounts.stats
    }

    pub(crate) fn shifted(self, by: i64) -> Self {
        Self { since: self.since.shifted(by), ..self }
    }
}

const fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}
