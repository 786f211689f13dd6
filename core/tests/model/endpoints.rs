//! The endpoints: how many, and how healthy each.

use redial::{Cause, Endpoints, Failover, Phase};

use super::{Model, Us, us};

/// What is known of an endpoint.
#[derive(Clone, Copy, Default)]
pub(super) struct Endpoint {
    /// In a row.
    failures: u32,
    /// The cool-down's end where there are failures, else the last success.
    time: Option<Us>,
    latency: Option<Us>,
}

impl Model {
    /// "Where the next endpoint would be out of range it is the first; what `healthiest` knows of the endpoints that remain,
    /// by their place in the list, is kept."
    pub(super) fn set_endpoints(&mut self, count: u32) {
        self.endpoints = count;
        self.records.truncate(count as usize);
        self.records.resize(count as usize, Endpoint::default());
        let lives = self.connection.is_some() && self.policy.failover() == Failover::Ordered;
        if self.endpoint >= count {
            // Of the connection that lives, so that the next is the first.
            self.endpoint = if lives { count - 1 } else { 0 };
        }
        if let Some(connection) = &mut self.connection {
            connection.endpoint = connection.endpoint.filter(|endpoint| *endpoint < count);
        }
    }

    fn record(&mut self) -> Option<&mut Endpoint> {
        let endpoint = self.connection.as_ref()?.endpoint? as usize;
        self.records.get_mut(endpoint).filter(|_| self.policy.failover() == Failover::Healthiest)
    }

    /// "a stable connection ends the row"
    pub(super) fn endpoint_is_well(&mut self) {
        let now = self.now;
        if let Some(record) = self.record() {
            (record.failures, record.time) = (0, Some(now));
        }
    }

    /// "An endpoint has failed when a dial failed, or when a connection ended for any cause but the user's."
    pub(super) fn endpoint_ended(&mut self, cause: Cause) {
        let now = self.now;
        let measured = if self.phase == Phase::Open { self.told_latency() } else { None };
        let stable = self.connection.as_ref().is_some_and(|connection| connection.stable);
        // "cools down for max(`stableAfter`, `baseDelay`), twice as long with each further failure in a row, up to
        // `maxRetryAfter`, and at least for the failure's `retryAfter`"
        let first = us(self.policy.stable_after()).max(us(self.policy.base_delay())).max(1);
        let cap = us(self.policy.max_retry_after());
        let floor = cause.retry_after().map_or(0, us).min(cap);
        let Some(record) = self.record() else { return };
        if cause != Cause::User {
            let doubled = (0..record.failures).fold(first, |cool_down, _| 2 * cool_down);
            record.failures = (record.failures + 1).min(15);
            record.time = Some(now + first.max(doubled.min(cap)).max(floor));
        } else if stable {
            record.time = Some(now);
        } else {
            return;
        }
        record.latency = measured.map(eight_digits).or(record.latency);
    }

    /// "The best of those that are not cooling down after a failure, the first in the list among equals"; "if all cool down,
    /// it is the one whose cool-down ends first."
    pub(super) fn healthiest(&self) -> u32 {
        let dialled = &self.records[..self.records.len().min(Endpoints::RECORDS)];
        let cools_until = |record: &Endpoint| record.time.filter(|time| record.failures > 0 && *time > self.now);
        let mut best: Option<(u32, usize)> = None;
        for (record, endpoint) in dialled.iter().zip(0..).filter(|(record, _)| cools_until(record).is_none()) {
            let rank = self.rank(record);
            if best.is_none_or(|(_, least)| rank < least) {
                best = Some((endpoint, rank));
            }
        }
        let cooling = dialled.iter().zip(0..).min_by_key(|(record, _)| cools_until(record));
        best.map(|(endpoint, _)| endpoint).or(cooling.map(|(_, endpoint)| endpoint)).expect("an endpoint")
    }

    /// "the one with the best grade … unknown, or `maxRetryAfter` old, counts as excellent"
    fn rank(&self, record: &Endpoint) -> usize {
        let old = record.time.is_none_or(|time| self.now - time >= us(self.policy.max_retry_after()));
        let Some(latency) = record.latency.filter(|_| !old) else { return 0 };
        let bounds = self.policy.quality();
        let passed = [latency >= us(bounds.excellent), latency >= us(bounds.good), latency > us(bounds.poor)];
        passed.into_iter().filter(|passed| *passed).count()
    }
}

/// "to the nearest 1/128 below; at least 1 µs, and up to 8.3 s"
fn eight_digits(latency: Us) -> Us {
    let latency = latency.clamp(1, 255 << 15);
    let mut unit = 1;
    while latency / unit > 255 {
        unit *= 2;
    }
    latency / unit * unit
}
