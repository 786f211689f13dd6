//! Putting a connection together.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::task::Waker;

use redial::{Input, Micros, PingId, Policy, ReconnectMachine, Timestamp};

use crate::budget::{Part, SharedBudget};
use crate::clock::Clock;
use crate::connect::Connect;
use crate::outbox::OutboxLimits;
use crate::reconnecting::{Dialling, IO_PER_POLL, Reconnecting};
use crate::recorder::Record;
use crate::shared::Shared;
use crate::spans::ConnectionSpan;
use crate::timer::Timer;
use crate::urgent::Urgent;

/// Collects a connection's settings.
#[must_use = "a builder does nothing until it is built"]
pub struct Builder<K, C, R = ()> {
    clock: K,
    connector: C,
    pub(crate) policy: Policy,
    seed: u64,
    pub(crate) outbox: OutboxLimits,
    close_timeout: Micros,
    recorder: R,
    idle: bool,
    budget: Option<Box<Part<K>>>,
}

impl<K: Clock, C: Connect> Reconnecting<K, C> {
    /// A connection in the making.
    ///
    /// The seed decides every draw of the policy's jitter. Give each device its own.
    pub fn builder(clock: K, connector: C, policy: Policy, seed: u64) -> Builder<K, C> {
        // A close handshake takes a round trip; a peer that needs longer has no use for it either.
        const CLOSE_TIMEOUT: Micros = Micros::from_secs(1);
        let outbox = OutboxLimits::default();
        Builder {
            clock,
            connector,
            policy,
            seed,
            outbox,
            close_timeout: CLOSE_TIMEOUT,
            recorder: (),
            idle: false,
            budget: None,
        }
    }
}

impl<K: Clock, C: Connect, R: Record> Builder<K, C, R> {
    /// How much may wait for a connection, and what happens when that is not enough.
    pub fn outbox(mut self, limits: OutboxLimits) -> Self {
        self.outbox = limits;
        self
    }

    /// How long the close handshake of a healthy connection may take, flushing included; by default 1 s. It never delays
    /// the next dial.
    pub fn close_timeout(mut self, timeout: Micros) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// Somebody who hears every step of the machine.
    pub fn recorder<N: Record>(self, recorder: N) -> Builder<K, C, N> {
        let Self { clock, connector, policy, seed, outbox, close_timeout, recorder: _, idle, budget } = self;
        Builder { clock, connector, policy, seed, outbox, close_timeout, recorder, idle, budget }
    }

    /// Asks this budget, which other connections share, before each dial.
    pub fn shared_budget(mut self, budget: &SharedBudget<K>) -> Self {
        self.budget = Some(Box::new(Part::new(budget.clone())));
        self
    }

    /// Does not start by itself: somebody must `start` or `reconnect`. Without it the first poll starts.
    pub fn idle(mut self) -> Self {
        self.idle = true;
        self
    }

    /// The connection. Nothing happens before it is polled.
    ///
    /// If the connector's transport has no [pings](Connect::ping), the policy loses its `healthCheckInterval`.
    #[must_use]
    pub fn build(mut self) -> Reconnecting<K, C, R> {
        const PROBE: PingId = PingId(0); // the machine's own count from 1
        let policy = match self.connector.ping(PROBE) {
            Some(_) => self.policy,
            None => {
                let unchecked = self.policy.to_builder().health_check_interval(None::<Micros>).build();
                // It was valid, and no health checks are valid too.
                unchecked.unwrap_or(self.policy)
            }
        };
        let endpoints = self.connector.endpoints();
        self.recorder.begin(&policy, self.seed, endpoints);
        let shared = Arc::new(Shared::new(self.outbox));
        let connection = Reconnecting {
            direct_out: false,
            direct_in: false,
            link_ready: false,
            heard: false,
            dirty: false,
            budget: IO_PER_POLL,
            signal: Arc::clone(&shared.signal),
            link: None,
            machine: ReconnectMachine::new(policy, self.seed).with_endpoints(endpoints),
            connector: self.connector,
            events: VecDeque::new(),
            waker: Waker::from(Arc::clone(&shared.signal)),
            shared,
            rested: false,
            poke: false,
            backlog: false,
            changed: false,
            flush_due: false,
            alarm: false,
            begun: false,
            stopping: false,
            ping: None,
            urgent: Urgent::none(),
            dialling: Dialling::none(),
            closing: None,
            close_timeout: self.close_timeout,
            timer: Timer::new(),
            clock: self.clock,
            latest: Timestamp::ZERO,
            looked: Timestamp::ZERO,
            recorder: self.recorder,
            span: ConnectionSpan::none(),
            budget_part: self.budget,
        };
        if connection.budget_part.is_some() {
            // From here on every dial waits, if only for a microsecond: there is a moment to ask for its token.
            connection.shared.command(Input::Budget { wait: Micros::ZERO });
        }
        if !self.idle {
            connection.start();
        }
        connection
    }
}

impl<K, C, R> fmt::Debug for Builder<K, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("policy", &self.policy)
            .field("outbox", &self.outbox)
            .field("close_timeout", &self.close_timeout)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}
