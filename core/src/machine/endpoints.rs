//! The endpoints: how many there are, and which is the healthiest.

use core::num::NonZeroU32;

use super::ReconnectMachine;
use super::state::Memory;
use crate::cause::Cause;
use crate::moment::Moment;
use crate::policy::Failover;
use crate::stats::Record;
use crate::time::Micros;

impl ReconnectMachine {
    pub(super) fn set_endpoints(&mut self, count: NonZeroU32) {
        let count = count.get();
        self.mem.endpoints = count;
        if self.mem.endpoint >= count {
            // The end of a connection then says nothing of another endpoint in the same place, and the first comes next.
            let is_on_it = self.tells_where_it_is() && self.mem.state.link().is_some();
            self.mem.endpoint = if is_on_it { Memory::GONE } else { 0 };
        }
        self.mem.accounts.endpoints_mut().truncate(count);
    }

    /// Whether the endpoint of the present connection is what is remembered, not the next one.
    fn tells_where_it_is(&self) -> bool {
        match self.policy.failover() {
            Failover::Ordered | Failover::Healthiest => true,
            Failover::RoundRobin | Failover::Random => false,
        }
    }

    /// Goes on under another policy, for which what is remembered may be the next endpoint.
    pub(super) fn follow_endpoint(&mut self) {
        if self.mem.endpoint == Memory::GONE && !self.tells_where_it_is() {
            self.mem.endpoint = 0;
        }
    }

    /// The endpoint of the open connection has shown that it is well.
    #[cold]
    #[inline(never)]
    pub(super) fn on_stable_endpoint(&mut self, now: Moment) {
        let age = self.mem.accounts.age(now);
        if let Some(record) = self.mem.accounts.endpoints_mut().record_mut(self.mem.endpoint) {
            record.succeed(age);
        }
    }

    /// What the end of a dial or connection says of its endpoint, while the state still tells what it was like.
    #[cold]
    #[inline(never)]
    pub(super) fn judge_endpoint(&mut self, was_stable: bool, cause: Cause, now: Moment) {
        let (age, latency) = (self.mem.accounts.age(now), self.latency());
        let Some(mut record) = self.mem.accounts.endpoints().record(self.mem.endpoint) else {
            return;
        };
        if cause != Cause::User {
            record.fail(age.saturating_add(self.cool_down(record.failures(), cause)));
        } else if was_stable {
            record.succeed(age);
        } else {
            // It had not lasted, and nobody knows whether it would have.
            return;
        }
        if let Some(latency) = latency {
            record.set_latency(latency);
        }
        if let Some(kept) = self.mem.accounts.endpoints_mut().record_mut(self.mem.endpoint) {
            *kept = record;
        }
    }

    /// How long an endpoint is left alone that fails now and has failed so often before.
    fn cool_down(&self, failures: u32, cause: Cause) -> Micros {
        // Not zero: a policy that never waits goes on to another endpoint all the same.
        let first = self.policy.stable_after().max(self.policy.base_delay()).max(Micros::from_micros(1));
        let most = self.policy.max_retry_after();
        let doubled = Micros::from_micros(first.as_micros().saturating_mul(1 << failures));
        first.max(doubled.min(most)).max(cause.retry_after().unwrap_or_default().min(most))
    }

    /// The first in the list of those that nothing is better than.
    #[cold]
    #[inline(never)]
    pub(super) fn healthiest_endpoint(&mut self, now: Moment) -> u32 {
        let age = self.mem.accounts.age(now);
        let (mut best, mut least) = (0, u64::MAX);
        for (record, endpoint) in self.mem.accounts.endpoints().records().iter().zip(0..self.mem.endpoints) {
            let badness = self.badness(*record, age);
            if badness < least {
                (best, least) = (endpoint, badness);
            }
            if badness == 0 {
                break;
            }
        }
        self.mem.endpoint = best;
        best
    }

    /// Of those that are not cooling down, how many bounds of the grades their latency has passed; above them all those that
    /// are, by the end of it.
    fn badness(&self, record: Record, age: Micros) -> u64 {
        const COOLS: u64 = 1 << 63;
        let time = record.time().unwrap_or_default();
        if record.failures() > 0 && time > age {
            return COOLS | time.as_micros();
        }
        let Some(latency) = record.latency() else { return 0 };
        if age.saturating_sub(time) >= self.policy.max_retry_after() {
            return 0;
        }
        let bounds = self.policy.quality_bounds();
        u64::from(latency >= bounds.excellent)
            .wrapping_add((latency >= bounds.good).into())
            .wrapping_add((latency > bounds.poor).into())
    }
}
