//! The friendly front.

use crate::clock::WasmClock;
use crate::connector::{Ask, Plan, Resolve, WebSocketConnector};
use crate::error::ConfigError;
use crate::global::entropy;
use crate::heartbeat::Heartbeat;
use crate::hints::Hints;
use crate::target::Target;
use crate::{Reconnecting, Session};
use futures_util::future::LocalBoxFuture;
use redial::{Cause, Dial, Endpoints, Failover, Micros, Policy};
use redial_driver::{Builder, OutboxLimits, Record, SessionConfig, SharedBudget};
use redial_session::SUBPROTOCOL;
use std::fmt;
use std::future::Future;
use std::rc::Rc;

/// The way in: [`WebSocket::builder`].
#[derive(Debug)]
pub struct WebSocket(());

impl WebSocket {
    /// A builder for this endpoint, a `ws://` or `wss://` URL, or one relative to the page's.
    pub fn builder(url: impl Into<String>) -> WebSocketBuilder {
        WebSocketBuilder {
            urls: vec![url.into()],
            resolve: None,
            ask: None,
            subprotocols: Vec::new(),
            heartbeat: None,
            policy: Policy::default(),
            seed: None,
            outbox: None,
            close_timeout: None,
            recorder: (),
            idle: false,
            hints: true,
            hidden_holds: false,
            budget: None,
        }
    }
}

/// Collects settings; [`build`](Self::build) checks them all.
#[must_use = "a builder does nothing until it is built"]
pub struct WebSocketBuilder<R = ()> {
    urls: Vec<String>,
    resolve: Option<Resolve>,
    ask: Option<Ask>,
    subprotocols: Vec<String>,
    heartbeat: Option<Heartbeat>,
    policy: Policy,
    seed: Option<u64>,
    outbox: Option<OutboxLimits>,
    close_timeout: Option<Micros>,
    recorder: R,
    idle: bool,
    hints: bool,
    hidden_holds: bool,
    budget: Option<SharedBudget<WasmClock>>,
}

impl<R: Record> WebSocketBuilder<R> {
    /// Adds an endpoint; the policy's `failover` says which is dialled when. With `healthiest` there may be up to eight.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.urls.push(url.into());
        self
    }

    /// Asks this closure before each dial for the list of endpoints, which may have changed.
    ///
    /// It gets the dial and the list as it is (at first the builder's endpoints, with its subprotocols), and answers with the
    /// list from now on. This dial goes to the endpoint of the new list that has its number, counted round if the list is
    /// shorter now. A failure that it answers fails the dial, with that cause; so does an empty list (network, dns). Keep the
    /// order: endpoints are told apart by their place.
    pub fn resolver<F, T>(mut self, mut resolve: F) -> Self
    where
        F: FnMut(Dial, Vec<Target>) -> T + 'static,
        T: Future<Output = Result<Vec<Target>, Cause>> + 'static,
    {
        self.resolve =
            Some(Box::new(move |dial, known| -> LocalBoxFuture<'static, _> { Box::pin(resolve(dial, known)) }));
        self
    }

    /// Asks this closure before each dial to complete the target, so that a fresh token is just code.
    ///
    /// It gets the dial (its endpoint, its attempt, and whether fresh credentials are wanted) and that endpoint's target
    /// with the builder's subprotocols. A failure that it answers fails the dial, with that cause. The policy's
    /// `connectTimeout` bounds its time too.
    ///
    /// ```no_run
    /// # use redial_wasm::WebSocket;
    /// # async fn token() -> Result<String, redial::Cause> { Ok(String::new()) }
    /// let chat = WebSocket::builder("wss://chat.example/ws").per_dial(|_dial, target| async move {
    ///     let url = format!("wss://chat.example/ws?token={}", token().await?);
    ///     Ok(target.url(&url)?)
    /// }).build();
    /// ```
    pub fn per_dial<F, T>(mut self, mut ask: F) -> Self
    where
        F: FnMut(Dial, Target) -> T + 'static,
        T: Future<Output = Result<Target, Cause>> + 'static,
    {
        self.ask = Some(Box::new(move |dial, target| -> LocalBoxFuture<'static, _> { Box::pin(ask(dial, target)) }));
        self
    }

    /// Offers this subprotocol (RFC 6455, section 1.9), after those offered already. A browser refuses a server that chooses
    /// none of those offered: that is a dial that failed.
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.subprotocols.push(name.into());
        self
    }

    /// How to ask the server whether it is alive. Without it there are health checks only where the server speaks
    /// `redial.v1`: browsers have no ping frames.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.heartbeat = Some(heartbeat);
        self
    }

    /// Sets every rule's number; by default the preset `chat`.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the seed of the jitter, for a run that can be repeated; by default the browser's `crypto.getRandomValues`.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Bounds the messages that wait for a connection; by default 1024 messages and 1 MiB, and what is more is rejected.
    pub fn outbox(mut self, limits: OutboxLimits) -> Self {
        self.outbox = Some(limits);
        self
    }

    /// Bounds the close handshake; by default 1 s.
    pub fn close_timeout(mut self, timeout: impl Into<Micros>) -> Self {
        self.close_timeout = Some(timeout.into());
        self
    }

    /// Lets somebody hear every step of the machine, for example to write a trace.
    pub fn recorder<M: Record>(self, recorder: M) -> WebSocketBuilder<M> {
        WebSocketBuilder {
            urls: self.urls,
            resolve: self.resolve,
            ask: self.ask,
            subprotocols: self.subprotocols,
            heartbeat: self.heartbeat,
            policy: self.policy,
            seed: self.seed,
            outbox: self.outbox,
            close_timeout: self.close_timeout,
            recorder,
            idle: self.idle,
            hints: self.hints,
            hidden_holds: self.hidden_holds,
            budget: self.budget,
        }
    }

    /// Asks this budget, which other connections share, before each dial, whatever its endpoint.
    pub fn shared_budget(mut self, budget: &SharedBudget<WasmClock>) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// Does not dial by itself: somebody must `start` or `reconnect`.
    pub const fn idle(mut self) -> Self {
        self.idle = true;
        self
    }

    /// Whether to listen to what the browser says of the network and of the page; by default it does. The crate's documentation
    /// has what follows from which event. The hold `hidden` is theirs then.
    pub const fn hints(mut self, on: bool) -> Self {
        self.hints = on;
        self
    }

    /// Dials nothing while the page is hidden, by the hold `hidden`; an open connection stays. By default a hidden page dials as any
    /// other.
    pub const fn hold_when_hidden(mut self) -> Self {
        self.hidden_holds = true;
        self
    }

    /// The stream and sink of a WebSocket that comes back. It does nothing until it is polled.
    ///
    /// # Errors
    /// The first setting that is not allowed, with what is.
    pub fn build(self) -> Result<Reconnecting<R>, ConfigError> {
        let Parts { driver, plan, hints, idle } = self.parts()?;
        let connection = driver.idle().build();
        hints.listen(&plan, &connection);
        if !idle {
            connection.start();
        }
        Ok(connection)
    }

    /// A conversation that outlives its connections: nothing is lost, nothing comes twice. The server must speak `redial.v1`,
    /// or choose another subprotocol that was offered: then messages are sent as they are, and the heartbeat asks it whether
    /// it is alive.
    ///
    /// A policy without a `readyTimeout` gets one of 10 s, for the server's welcome.
    ///
    /// # Errors
    /// The first setting that is not allowed, with what is.
    pub fn session(mut self, config: SessionConfig) -> Result<Session<R>, ConfigError> {
        let others = self.subprotocols.iter().any(|name| name != SUBPROTOCOL);
        if others && self.heartbeat.is_none() && self.policy.health_check_interval().is_some() {
            return Err(ConfigError::NoHeartbeat);
        }
        self.subprotocols.insert(0, SUBPROTOCOL.to_owned());
        let Parts { driver, plan, hints, idle } = self.parts()?;
        let session = driver.idle().session(config);
        hints.listen(&plan, session.connection());
        if !idle {
            session.connection().start();
        }
        Ok(session)
    }

    /// The connector alone, for a driver with another clock or other settings. Policy, seed, outbox, hints and the like are the
    /// driver's.
    ///
    /// # Errors
    /// The first setting that is not allowed, with what is.
    pub fn connector(self) -> Result<WebSocketConnector, ConfigError> {
        let (_, _, plan) = self.split(WasmClock::new())?;
        Ok(WebSocketConnector::new(Rc::new(plan)))
    }

    fn parts(self) -> Result<Parts<R>, ConfigError> {
        let clock = WasmClock::new();
        let seed = self.seed.unwrap_or_else(entropy);
        let (outbox, close_timeout, budget) = (self.outbox, self.close_timeout, self.budget.clone());
        let (idle, hints) = (self.idle, Listening { on: self.hints, hidden_holds: self.hidden_holds });
        let (policy, recorder, plan) = self.split(clock.clone())?;
        let plan = Rc::new(plan);
        let connector = WebSocketConnector::new(Rc::clone(&plan));
        let mut driver = Reconnecting::builder(clock, connector, policy, seed).recorder(recorder);
        if let Some(outbox) = outbox {
            driver = driver.outbox(outbox);
        }
        if let Some(timeout) = close_timeout {
            driver = driver.close_timeout(timeout);
        }
        if let Some(budget) = budget {
            driver = driver.shared_budget(&budget);
        }
        Ok(Parts { driver, plan, hints, idle })
    }

    fn split(self, clock: WasmClock) -> Result<(Policy, R, Plan), ConfigError> {
        let targets = self
            .urls
            .iter()
            .map(|url| self.subprotocols.iter().try_fold(Target::parse(url)?, |target, name| target.subprotocol(name)));
        let targets = targets.collect::<Result<Vec<_>, _>>()?;
        let most = Endpoints::RECORDS;
        if self.policy.failover() == Failover::Healthiest && targets.len() > most {
            return Err(ConfigError::Endpoints { count: targets.len(), most });
        }
        let checked = self.policy.health_check_interval().is_some();
        let plan = Plan::new(targets, self.resolve, self.ask, self.heartbeat, checked, clock);
        Ok((self.policy, self.recorder, plan))
    }
}

/// What a connection is made of.
struct Parts<R> {
    driver: Builder<WasmClock, WebSocketConnector, R>,
    plan: Rc<Plan>,
    hints: Listening,
    idle: bool,
}

struct Listening {
    on: bool,
    hidden_holds: bool,
}

impl Listening {
    /// Before the connection starts: an offline page is not to dial first.
    fn listen<R: Record>(&self, plan: &Rc<Plan>, connection: &Reconnecting<R>) {
        if self.on {
            plan.listen(Hints::listen(connection.handle(), Rc::downgrade(plan), self.hidden_holds));
        }
    }
}

/// Not the URLs: they may hold secrets.
impl<R> fmt::Debug for WebSocketBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketBuilder")
            .field("policy", &self.policy)
            .field("subprotocols", &self.subprotocols)
            .finish_non_exhaustive()
    }
}
