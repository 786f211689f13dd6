//! What is known of the endpoints' health, in eight bytes each.

use core::fmt;

use crate::time::Micros;

/// What is known of the first [`RECORDS`](Self::RECORDS) endpoints, in the order of the list.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Endpoints([Record; Self::RECORDS]);

/// What is known of one endpoint.
///
/// Times are counted from the machine's first input, as [`Stats::age`](crate::Stats::age) is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, rename_all = "camelCase", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct EndpointHealth {
    /// Failures in a row: 0 after a stable connection, and before the first dial; 15 stands for 15 or more.
    pub failures: u32,
    /// When its cool-down ends, or has ended; `None` without failures. Up to 8.9 years, as the next.
    pub cooling_until: Option<Micros>,
    /// When its last connection became stable, or ended while it was; `None` with failures, and where there was none.
    pub last_success: Option<Micros>,
    /// The smoothed latency of its last connection that had one, to the nearest 1/128 below; at least 1 µs, and up to 8.3 s.
    /// It counts until `maxRetryAfter` after the time above.
    pub latency: Option<Micros>,
}

impl Endpoints {
    /// How many endpoints have a record. With [`Failover::Healthiest`](crate::Failover::Healthiest) those behind them are
    /// not dialled, so a longer list is best refused.
    pub const RECORDS: usize = 8;

    /// One for each record, in the order of the list, also where nothing is known.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = EndpointHealth> + '_ {
        self.0.iter().map(|record| record.health())
    }

    /// What is known of the endpoint at this place, from 0; `None` behind the last record.
    #[must_use]
    pub fn get(&self, endpoint: usize) -> Option<EndpointHealth> {
        self.0.get(endpoint).map(|record| record.health())
    }

    /// Whether nothing is known of any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) const fn records(&self) -> &[Record] {
        &self.0
    }

    pub(crate) fn record(&self, endpoint: u32) -> Option<Record> {
        self.0.get(usize::try_from(endpoint).ok()?).copied()
    }

    pub(crate) fn record_mut(&mut self, endpoint: u32) -> Option<&mut Record> {
        self.0.get_mut(usize::try_from(endpoint).ok()?)
    }

    /// Forgets those from this place on.
    pub(crate) fn truncate(&mut self, count: u32) {
        let kept = usize::try_from(count).unwrap_or(Self::RECORDS);
        self.0.iter_mut().skip(kept).for_each(|record| *record = Record::NONE);
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().filter(|record| **record != Record::NONE)).finish()
    }
}

/// One endpoint's record: 4 bits of failures, 12 of latency, 48 of a time in microseconds since the machine's first input
/// (8.9 years), which is the cool-down's end where there are failures, and else the last success.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Record(u64);

impl Record {
    pub(crate) const NONE: Self = Self(0);
    const FAILURES_BITS: u32 = 4;
    const LATENCY_BITS: u32 = 12;
    const MOST_FAILURES: u64 = (1 << Self::FAILURES_BITS) - 1;
    const TIME_SHIFT: u32 = Self::FAILURES_BITS + Self::LATENCY_BITS;
    /// 0 stands for no time, so the times are one higher.
    const LAST_TIME: u64 = (1 << (u64::BITS - Self::TIME_SHIFT)) - 2;

    pub(crate) const fn failures(self) -> u32 {
        (self.0 & Self::MOST_FAILURES) as u32
    }

    /// The cool-down's end, or the last success.
    pub(crate) const fn time(self) -> Option<Micros> {
        match self.0 >> Self::TIME_SHIFT {
            0 => None,
            time => Some(Micros::from_micros(time.wrapping_sub(1))),
        }
    }

    pub(crate) const fn latency(self) -> Option<Micros> {
        let code = (self.0 >> Self::FAILURES_BITS) & ((1 << Self::LATENCY_BITS) - 1);
        // Eight binary digits, shifted.
        if code == 0 { None } else { Some(Micros::from_micros((code & 0xff) << (code >> 8))) }
    }

    /// One more failure in a row.
    pub(crate) fn fail(&mut self, cool_at: Micros) {
        let failures = u64::from(self.failures()).saturating_add(1).min(Self::MOST_FAILURES);
        self.0 = (self.0 & !Self::MOST_FAILURES) | failures;
        self.set_time(cool_at);
    }

    pub(crate) fn succeed(&mut self, now: Micros) {
        self.0 &= !Self::MOST_FAILURES;
        self.set_time(now);
    }

    fn set_time(&mut self, time: Micros) {
        let time = time.as_micros().min(Self::LAST_TIME).wrapping_add(1);
        self.0 = (self.0 & ((1 << Self::TIME_SHIFT) - 1)) | (time << Self::TIME_SHIFT);
    }

    /// Rounded down to eight binary digits.
    pub(crate) fn set_latency(&mut self, latency: Micros) {
        const LONGEST: u64 = 0xff << 15;
        let micros = latency.as_micros().clamp(1, LONGEST);
        let shift = micros.ilog2().saturating_sub(7);
        let code = (u64::from(shift) << 8) | (micros >> shift);
        let mask = ((1 << Self::LATENCY_BITS) - 1) << Self::FAILURES_BITS;
        self.0 = (self.0 & !mask) | (code << Self::FAILURES_BITS);
    }

    fn health(self) -> EndpointHealth {
        let failures = self.failures();
        let (cooling_until, last_success) = if failures > 0 { (self.time(), None) } else { (None, self.time()) };
        EndpointHealth { failures, cooling_until, last_success, latency: self.latency() }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.health().fmt(f)
    }
}

/// A list that ends with the last endpoint of which something is known.
#[cfg(feature = "serde")]
mod json {
    use alloc::vec::Vec;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{EndpointHealth, Endpoints, Record};

    impl Serialize for Endpoints {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let known =
                self.0.iter().rposition(|record| *record != Record::NONE).map_or(0, |last| last.saturating_add(1));
            serializer.collect_seq(self.iter().take(known))
        }
    }

    impl<'de> Deserialize<'de> for Endpoints {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let known = Vec::<EndpointHealth>::deserialize(deserializer)?;
            if known.len() > Self::RECORDS {
                return Err(D::Error::invalid_length(known.len(), &"at most 8 endpoints"));
            }
            let mut endpoints = Self::default();
            for (record, health) in endpoints.0.iter_mut().zip(known) {
                *record = Record::of(&health);
            }
            Ok(endpoints)
        }
    }

    impl Record {
        /// The record that is told so; of two times that exclude each other, the one that fits.
        fn of(health: &EndpointHealth) -> Self {
            let failures = u64::from(health.failures).min(Self::MOST_FAILURES);
            let mut record = Self(failures);
            if let Some(time) = if failures > 0 { health.cooling_until } else { health.last_success } {
                record.set_time(time);
            }
            if let Some(latency) = health.latency {
                record.set_latency(latency);
            }
            record
        }
    }
}
