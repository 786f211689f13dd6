//! What `GET /metrics` shows.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::refusal::Refusal;

/// The kind of text that [`Metrics::text`] is.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Counters of one [`Sessions`](crate::Sessions).
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    pub(crate) connections: Gauge,
    sessions: Gauge,
    pub(crate) messages_in: Counter,
    pub(crate) messages_out: Counter,
    pub(crate) opened: Family<Opened, Counter>,
    refused: Family<Refused, Counter>,
    commit_seconds: Histogram,
    pub(crate) store_errors: Counter<u64, AtomicU64>,
}

/// How a session's connection began.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Opened {
    pub(crate) outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let metrics = Self {
            registry: Mutex::default(),
            connections: Gauge::default(),
            sessions: Gauge::default(),
            messages_in: Counter::default(),
            messages_out: Counter::default(),
            opened: Family::default(),
            refused: Family::default(),
            // From 50 µs (memory) to 26 s (a store that is away).
            commit_seconds: Histogram::new(exponential_buckets(50e-6, 3.0, 13)),
            store_errors: Counter::default(),
        };
        let mut registry = Registry::with_prefix("redial");
        registry.register("connections", "Connections to this process", metrics.connections.clone());
        registry.register("sessions", "Sessions in the store, connected or not", metrics.sessions.clone());
        registry.register("messages_in", "Messages of clients that were committed", metrics.messages_in.clone());
        registry.register("messages_out", "Messages taken from outboxes to be sent", metrics.messages_out.clone());
        registry.register(
            "sessions_opened",
            "Connections that got their session: new, resumed, or new in place of one that was gone",
            metrics.opened.clone(),
        );
        registry.register("refusals", "Clients turned away, by reason", metrics.refused.clone());
        registry.register(
            "commit_seconds",
            "What committing a batch of messages took, waiting for the store included",
            metrics.commit_seconds.clone(),
        );
        registry.register("store_errors", "Calls that the store could not answer", metrics.store_errors.clone());
        *metrics.registry.lock().unwrap_or_else(PoisonError::into_inner) = registry;
        metrics
    }

    pub(crate) fn refused(&self, refusal: Refusal) {
        self.refused.get_or_create(&Refused { reason: refusal.name() }).inc();
    }

    pub(crate) fn committed(&self, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn text(&self, sessions: Option<u64>) -> String {
        if let Some(sessions) = sessions {
            self.sessions.set(i64::try_from(sessions).unwrap_or(i64::MAX));
        }
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner));
        text
    }
}
