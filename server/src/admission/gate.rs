//! How many may be in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redial::Timestamp;
use tokio::sync::Notify;

use super::address::Source;
use super::bucket::{Bucket, Rate};
use crate::limits::Limits;
use crate::refusal::Refusal;

/// Counts connections, and how fast they come.
#[derive(Debug)]
pub(crate) struct Gate {
    connections: Option<usize>,
    per_address: Option<usize>,
    rate: Option<Rate>,
    remembered: usize,
    counts: Mutex<Counts>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<Source, usize>,
    /// Only those that are not full: a full one is as good as none.
    buckets: HashMap<Source, Bucket>,
}

/// A connection that counts, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Admitted {
    gate: Arc<Gate>,
    source: Option<Source>,
}

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Self {
        const MINUTE: u64 = 60_000_000;
        Self {
            connections: limits.connections,
            per_address: limits.connections_per_address,
            rate: limits.connects_per_minute.map(|count| Rate::new(count, MINUTE, count)),
            remembered: limits.remembered_addresses.max(1),
            counts: Mutex::default(),
            left: Notify::new(),
        }
    }

    /// Whether it needs to know where a client comes from.
    pub(crate) const fn asks_address(&self) -> bool {
        self.per_address.is_some() || self.rate.is_some()
    }

    pub(crate) fn enter(self: &Arc<Self>, source: Option<Source>, now: Timestamp) -> Result<Admitted, Refusal> {
        let mut counts = self.counts();
        if self.connections.is_some_and(|most| counts.all >= most) {
            return Err(Refusal::TooManyConnections);
        }
        if let Some(source) = source {
            self.enter_from(&mut counts, source, now)?;
        }
        counts.all += 1;
        drop(counts);
        Ok(Admitted { gate: Arc::clone(self), source })
    }

    fn enter_from(&self, counts: &mut Counts, source: Source, now: Timestamp) -> Result<(), Refusal> {
        if let Some(rate) = self.rate {
            self.forget(&mut counts.buckets, now);
            let bucket = counts.buckets.entry(source).or_insert(Bucket::FULL);
            bucket.take(rate, now).map_err(|micros| Refusal::ConnectsTooFast { wait_micros: micros })?;
        }
        let from_here = counts.by_address.get(&source).copied().unwrap_or(0);
        if self.per_address.is_some_and(|most| from_here >= most) {
            return Err(Refusal::TooManyFromAddress);
        }
        counts.by_address.insert(source, from_here + 1);
        Ok(())
    }

    /// Keeps the memory bounded: first what is full goes, then the older half.
    fn forget(&self, buckets: &mut HashMap<Source, Bucket>, now: Timestamp) {
        if buckets.len() < self.remembered {
            return;
        }
        buckets.retain(|_, bucket| !bucket.is_full(now));
        if buckets.len() < self.remembered {
            return;
        }
        let mut times: Vec<u64> = buckets.values().map(Bucket::full_at).collect();
        let half = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(half);
        let median = *median;
        buckets.retain(|_, bucket| bucket.full_at() > median);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until no more than so many are in.
    pub(crate) async fn until(&self, most: usize) {
        loop {
            // Asked for before looking, so that nobody who leaves in between is missed.
            let left = self.left.notified();
            if self.connections() <= most {
                return;
            }
            left.await;
        }
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts().all
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = self.gate.counts();
        counts.all = counts.all.saturating_sub(1);
        self.gate.left.notify_waiters();
        let Some(source) = self.source else { return };
        if let Some(count) = counts.by_address.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.by_address.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn from(last: u32) -> Option<Source> {
        Some(Source::of(Ipv4Addr::from(0x0a00_0000 + last).into()))
    }

    #[test]
    fn an_address_is_free_again_when_its_connection_ends() {
        let gate = Arc::new(Gate::new(&Limits { connections_per_address: Some(1), ..Limits::default() }));
        let first = gate.enter(from(1), Timestamp::ZERO).unwrap();
        assert_eq!(gate.enter(from(1), Timestamp::ZERO).unwrap_err(), Refusal::TooManyFromAddress);
        let _second = gate.enter(from(2), Timestamp::ZERO).unwrap();
        drop(first);
        let _third = gate.enter(from(1), Timestamp::ZERO).unwrap();
        assert_eq!(gate.connections(), 2);
    }

    #[test]
    fn memory_for_addresses_is_bounded_and_who_is_refused_stays_refused() {
        let limits = Limits { connects_per_minute: Some(2), remembered_addresses: 100, ..Limits::default() };
        let gate = Arc::new(Gate::new(&limits));
        for address in 0..10_000 {
            drop(gate.enter(from(address), Timestamp::from_micros(u64::from(address))).unwrap());
            assert!(gate.counts().buckets.len() <= 100);
        }
        assert!(gate.counts().by_address.is_empty());
        let now = Timestamp::from_micros(10_000);
        drop(gate.enter(from(9_999), now).unwrap());
        assert!(matches!(gate.enter(from(9_999), now), Err(Refusal::ConnectsTooFast { .. })));
    }
}
