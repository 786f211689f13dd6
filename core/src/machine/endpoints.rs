//! The endpoints: how many there are, and which is the healthiest.

use core::num::NonZeroU32;

use super::ReconnectMachine;
use super::state::Link;
use crate::cause::Cause;
use crate::grades::{Smoothed, grade};
use crate::moment::Moment;
use crate::policy::Failover;
use crate::stats::Record;
use crate::time::Micros;

impl ReconnectMachine {
    pub(super) fn set_endpoints(&mut self, count: NonZeroU32) {
        let count = count.get();
        self.mem.endpoints = count;
        if self.mem.endpoint >= count {
            // The one that lives is not the next: after its end, that is the first.
            let lives = self.policy.failover() == Failover::Ordered && self.mem.state.link().is_some();
            self.mem.endpoint = if lives { count.saturating_sub(1) } else { 0 };
        }
        self.mem.accounts.endpoints_mut().truncate(count);
        // Another endpoint may take the place of the one that is connected: its end will say nothing of that.
        if let Some(link) = self.mem.state.link_mut() {
            if u32::from(link.endpoint) >= count {
                link.endpoint = Link::NO_ENDPOINT;
            }
        }
    }

    /// The endpoint of the open connection has shown that it is well.
    #[cold]
    #[inline(never)]
    pub(super) fn on_stable_endpoint(&mut self, now: Moment) {
        let age = self.mem.accounts.age(now);
        let Some(link) = self.mem.state.link() else { return };
        if let Some(record) = self.mem.accounts.endpoints_mut().record_mut(link.endpoint) {
            record.succeed(age);
        }
    }

    /// What the end of a dial or connection says of its endpoint; before anything else forgets what it was like.
    #[cold]
    #[inline(never)]
    pub(super) fn judge_endpoint(&mut self, endpoint: u8, cause: Cause, now: Moment) {
        let (age, was_stable) = (self.mem.accounts.age(now), !self.mem.outage.is_on());
        let latency = self.latency();
        let Some(mut record) = self.mem.accounts.endpoints().records().get(usize::from(endpoint)).copied() else {
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
        if let Some(kept) = self.mem.accounts.endpoints_mut().record_mut(endpoint) {
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

    /// Those that are not cooling down by the grade of their latency, then those that are by the end of it; the first in the
    /// list among equals.
    #[cold]
    #[inline(never)]
    pub(super) fn healthiest_endpoint(&self, now: Moment) -> u32 {
        let age = self.mem.accounts.age(now);
        let endpoints = self.mem.accounts.endpoints().records().iter().zip(0..self.mem.endpoints);
        let best = endpoints.min_by_key(|(record, _)| {
            let cool_at = record.cool_at();
            if cool_at > age { (true, cool_at.as_micros()) } else { (false, self.rank(record, age)) }
        });
        best.map_or(0, |(_, endpoint)| endpoint)
    }

    /// The grade of a cool endpoint's latency, 0 for the best.
    fn rank(&self, record: &Record, age: Micros) -> u64 {
        let known = record.latency().filter(|_| {
            let measured = record.time().unwrap_or_default();
            age.saturating_sub(measured) < self.policy.max_retry_after()
        });
        known.map_or(0, |latency| grade(self.policy.quality_bounds(), None, Smoothed::first(latency)) as u64)
    }
}
