//! The friendly front.

use crate::connector::{Ask, Plan, Resolve, WebSocketConnector};
use crate::error::ConfigError;
use crate::runtime::Runtime;
use crate::target::Target;
use crate::tls::{self, Trust};
use futures_rustls::rustls::{ClientConfig, RootCertStore};
use futures_util::future::BoxFuture;
use redial::{Cause, Dial, Endpoints, Failover, Micros, Policy};
use redial_driver::{Builder, OutboxLimits, Reconnecting, Record, Session, SessionConfig, SharedBudget};
use redial_session::SUBPROTOCOL;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};
use tungstenite::protocol::WebSocketConfig;

/// The way in: [`WebSocket::builder`].
#[derive(Debug)]
pub struct WebSocket<N>(PhantomData<fn() -> N>);

impl<N: Runtime> WebSocket<N> {
    /// A builder for this endpoint, a `ws://` or `wss://` URL.
    pub fn builder(url: impl Into<String>) -> WebSocketBuilder<N> {
        WebSocketBuilder {
            runtime: PhantomData,
            urls: vec![url.into()],
            resolve: None,
            ask: None,
            headers: Vec::new(),
            subprotocols: Vec::new(),
            policy: Policy::default(),
            seed: None,
            outbox: None,
            close_timeout: None,
            recorder: (),
            idle: false,
            trust: Ok(Trust::default()),
            socket: WebSocketConfig::default().read_buffer_size(READ_BUFFER),
            nodelay: true,
            budget: None,
        }
    }
}

/// Collects settings; [`build`](Self::build) checks them all.
#[must_use = "a builder does nothing until it is built"]
pub struct WebSocketBuilder<N: Runtime, R = ()> {
    runtime: PhantomData<fn() -> N>,
    urls: Vec<String>,
    resolve: Option<Resolve>,
    ask: Option<Ask>,
    headers: Vec<(String, String)>,
    subprotocols: Vec<String>,
    policy: Policy,
    seed: Option<u64>,
    outbox: Option<OutboxLimits>,
    close_timeout: Option<Micros>,
    recorder: R,
    idle: bool,
    trust: Result<Trust, ConfigError>,
    socket: WebSocketConfig,
    nodelay: bool,
    budget: Option<SharedBudget<N::Clock>>,
}

impl<N: Runtime, R: Record> WebSocketBuilder<N, R> {
    /// Adds an endpoint; the policy's `failover` says which is dialled when. With `healthiest` there may be up to eight.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.urls.push(url.into());
        self
    }

    /// Asks this closure before each dial for the list of endpoints, which may have changed: service discovery is just code.
    ///
    /// It gets the dial and the list as it is (at first the builder's endpoints, with its headers and subprotocols), and
    /// answers with the list from now on. This dial goes to the endpoint of the new list that has its number, counted round
    /// if the list is shorter now. A failure that it answers fails the dial, with that cause; so does an empty list
    /// (network, dns). A `ConfigError` that `?` makes a cause is "protocol", and its text is gone: log it first. Keep the order: endpoints are told apart by their place, and with `failover: "healthiest"` only the
    /// first eight are dialled.
    ///
    /// ```no_run
    /// # use redial_websocket::{Runtime, Target, WebSocket};
    /// # async fn discover() -> Result<Vec<String>, redial::Cause> { Ok(Vec::new()) }
    /// # fn chat<N: Runtime>() {
    /// let chat = WebSocket::<N>::builder("wss://chat.example/ws").resolver(|_dial, known| async move {
    ///     let urls = discover().await?;
    ///     Ok(urls.iter().map(|url| known[0].clone().url(url)).collect::<Result<Vec<_>, _>>()?)
    /// }).build();
    /// # }
    /// ```
    pub fn resolver<F, T>(mut self, mut resolve: F) -> Self
    where
        F: FnMut(Dial, Vec<Target>) -> T + Send + 'static,
        T: Future<Output = Result<Vec<Target>, Cause>> + Send + 'static,
    {
        self.resolve =
            Some(Box::new(Mutex::new(move |dial, known| -> BoxFuture<'static, _> { Box::pin(resolve(dial, known)) })));
        self
    }

    /// Asks this closure before each dial to complete the target, so that a fresh token is just code.
    ///
    /// It gets the dial (its endpoint, its attempt, and whether fresh credentials are wanted) and that endpoint's target
    /// with the builder's headers and subprotocols. A failure that it answers fails the dial, with that cause. The policy's
    /// `connectTimeout` bounds its time too. A `ConfigError` that `?` makes a cause is "protocol", and its text is gone.
    ///
    /// ```no_run
    /// # use redial_websocket::{Runtime, WebSocket};
    /// # async fn token(fresh: bool) -> Result<String, redial::Cause> { Ok(String::new()) }
    /// # fn chat<N: Runtime>() {
    /// let chat = WebSocket::<N>::builder("wss://chat.example/ws").per_dial(|dial, target| async move {
    ///     let token = token(dial.fresh_credentials).await?;
    ///     Ok(target.header("authorization", &format!("Bearer {token}"))?)
    /// }).build();
    /// # }
    /// ```
    pub fn per_dial<F, T>(mut self, mut ask: F) -> Self
    where
        F: FnMut(Dial, Target) -> T + Send + 'static,
        T: Future<Output = Result<Target, Cause>> + Send + 'static,
    {
        self.ask =
            Some(Box::new(Mutex::new(move |dial, target| -> BoxFuture<'static, _> { Box::pin(ask(dial, target)) })));
        self
    }

    /// Sends this header with every upgrade, in place of any other of that name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Offers this subprotocol (RFC 6455, section 1.9), after those offered already. A server that chooses none is taken
    /// all the same.
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.subprotocols.push(name.into());
        self
    }

    /// Sets every rule's number; by default the preset `chat`.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the seed of the jitter, for a run that can be repeated; by default the operating system's entropy.
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
    pub fn recorder<M: Record>(self, recorder: M) -> WebSocketBuilder<N, M> {
        WebSocketBuilder {
            runtime: self.runtime,
            urls: self.urls,
            resolve: self.resolve,
            ask: self.ask,
            headers: self.headers,
            subprotocols: self.subprotocols,
            policy: self.policy,
            seed: self.seed,
            outbox: self.outbox,
            close_timeout: self.close_timeout,
            recorder,
            idle: self.idle,
            trust: self.trust,
            socket: self.socket,
            nodelay: self.nodelay,
            budget: self.budget,
        }
    }

    /// Asks this budget, which other connections share, before each dial, whatever its endpoint: so a fleet does not overrun
    /// the host that it dials.
    pub fn shared_budget(mut self, budget: &SharedBudget<N::Clock>) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// Does not dial by itself: somebody must `start` or `reconnect`.
    pub const fn idle(mut self) -> Self {
        self.idle = true;
        self
    }

    /// Trusts the certificates of this PEM text, in place of the system's roots.
    pub fn root_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.trust = tls::pem_roots(pem.as_ref()).and_then(tls::with_roots).map(Trust::given);
        self
    }

    /// Trusts these roots, in place of the system's.
    pub fn roots(mut self, roots: RootCertStore) -> Self {
        self.trust = tls::with_roots(roots).map(Trust::given);
        self
    }

    /// Uses this TLS configuration as it is: for client certificates, another provider, other versions.
    pub fn tls(mut self, config: impl Into<Arc<ClientConfig>>) -> Self {
        self.trust = Ok(Trust::given(config.into()));
        self
    }

    /// Changes tungstenite's settings, such as `max_message_size`, in bytes. `read_buffer_size` is 14 KiB by default,
    /// because tungstenite fills all of it with zeros before each read.
    pub fn socket(mut self, change: impl FnOnce(WebSocketConfig) -> WebSocketConfig) -> Self {
        self.socket = change(self.socket);
        self
    }

    /// Sets TCP_NODELAY, by default on: a small message goes at once.
    pub const fn nodelay(mut self, on: bool) -> Self {
        self.nodelay = on;
        self
    }

    /// The stream and sink of a WebSocket that comes back. It does nothing until it is polled.
    ///
    /// # Errors
    /// The first setting that is not allowed, with what is.
    pub fn build(self) -> Result<Reconnecting<N::Clock, WebSocketConnector<N>, R>, ConfigError> {
        self.driver().map(Builder::build)
    }

    /// A conversation that outlives its connections: nothing is lost, nothing comes twice, where the server speaks `redial.v1`.
    /// That is offered before all other subprotocols; where the server chooses another or none, messages are sent as they
    /// are.
    ///
    /// A policy without a `readyTimeout` gets one of 10 s, for the server's welcome.
    ///
    /// # Errors
    /// The first setting that is not allowed, with what is.
    pub fn session(
        mut self,
        config: SessionConfig,
    ) -> Result<Session<N::Clock, WebSocketConnector<N>, R>, ConfigError> {
        self.subprotocols.insert(0, SUBPROTOCOL.to_owned());
        Ok(self.driver()?.session(config))
    }

    fn driver(self) -> Result<Builder<N::Clock, WebSocketConnector<N>, R>, ConfigError> {
        let seed = self.seed.unwrap_or_else(entropy);
        let (outbox, close_timeout, idle, budget) = (self.outbox, self.close_timeout, self.idle, self.budget.clone());
        let (policy, recorder, connector) = self.split()?;
        let mut driver = Reconnecting::builder(N::clock(), connector, policy, seed).recorder(recorder);
        if let Some(outbox) = outbox {
            driver = driver.outbox(outbox);
        }
        if let Some(timeout) = close_timeout {
            driver = driver.close_timeout(timeout);
        }
        if idle {
            driver = driver.idle();
        }
        if let Some(budget) = budget {
            driver = driver.shared_budget(&budget);
        }
        Ok(driver)
    }

    /// The connector alone, for a driver with another clock or other settings. Policy, seed, outbox and the like are the
    /// driver's.
    ///
    /// # Errors
    /// The first setting that is not allowed, with what is.
    pub fn connector(self) -> Result<WebSocketConnector<N>, ConfigError> {
        self.split().map(|(_, _, connector)| connector)
    }

    fn split(self) -> Result<(Policy, R, WebSocketConnector<N>), ConfigError> {
        let targets = self.urls.iter().map(|url| {
            let target = Target::parse(url)?;
            let target = self.headers.iter().try_fold(target, |target, (name, value)| target.header(name, value))?;
            self.subprotocols.iter().try_fold(target, |target, name| target.subprotocol(name))
        });
        let mut targets = targets.collect::<Result<Vec<_>, _>>()?;
        targets.shrink_to_fit();
        let most = Endpoints::RECORDS;
        if self.policy.failover() == Failover::Healthiest && targets.len() > most {
            return Err(ConfigError::Endpoints { count: targets.len(), most });
        }
        if self.socket.max_write_buffer_size <= self.socket.write_buffer_size {
            return Err(ConfigError::Socket {
                problem: "max_write_buffer_size is not allowed; allowed: more than write_buffer_size",
            });
        }
        let trust = self.trust?;
        if targets.iter().any(|target| target.secure) {
            // A system without roots is better told of now than at the first dial.
            trust.config()?;
        }
        let plan = Plan {
            targets: Mutex::new(targets),
            resolve: self.resolve,
            ask: self.ask,
            socket: self.socket,
            nodelay: self.nodelay,
            trust,
            chosen: Mutex::default(),
            redirect: Mutex::default(),
        };
        Ok((self.policy, self.recorder, WebSocketConnector::new(plan)))
    }
}

/// Measured on loopback: with tungstenite's own 128 KiB a small message there and back costs 2.4 times the instructions and a
/// connection 8 times the memory; with 4 KiB messages of 64 KiB cost 22 % more CPU. 14 KiB and all else that an idle
/// connection holds stay below 18 KiB.
const READ_BUFFER: usize = 14 * 1024;

/// Sixty-four bits that stem from the operating system's entropy: std keys its hash maps with it, each otherwise.
fn entropy() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Neither URLs nor header values: both may hold secrets.
impl<N: Runtime, R> fmt::Debug for WebSocketBuilder<N, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketBuilder")
            .field("policy", &self.policy)
            .field("subprotocols", &self.subprotocols)
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}
