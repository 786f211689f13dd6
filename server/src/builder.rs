//! Collects settings.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

use crate::access::Access;
use crate::admission::bearer::{Bearer, TokenRefused};
use crate::admission::gate::Gate;
use crate::admission::origin::Origins;
use crate::application::AnyApplication;
use crate::background::Background;
use crate::clock::Clock;
use crate::hub::{Hub, Stage};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::sessions::Sessions;
use crate::store::SessionStore;

/// Collects settings. Made by [`Sessions::builder`].
#[must_use]
pub struct Builder {
    store: Arc<dyn SessionStore>,
    app: Arc<dyn AnyApplication>,
    limits: Limits,
    origins: Origins,
    needs_origin: bool,
    bearer: Option<Bearer>,
    behind_proxy: bool,
}

impl Builder {
    pub(crate) fn new(store: Arc<dyn SessionStore>, app: Arc<dyn AnyApplication>) -> Self {
        Self {
            store,
            app,
            limits: Limits::default(),
            origins: Origins::default(),
            needs_origin: false,
            bearer: None,
            behind_proxy: false,
        }
    }

    /// How much clients may ask for.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Which pages may connect; by default those of the server itself.
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// Turns away clients without an `Origin`, too: all that are no browsers.
    pub fn require_origin(mut self) -> Self {
        self.needs_origin = true;
        self
    }

    /// Asks every client for a token, and `check` whose it is: a session is resumed only for the user it was made for.
    ///
    /// A token is in `Authorization: Bearer TOKEN`. A browser's `WebSocket` can't set headers, so it may also be offered as
    /// a subprotocol `bearer.TOKEN` beside `redial.v1`, or be in the URL as `?token=TOKEN`: proxies log URLs, so that is for
    /// tokens that live for seconds. Nothing here logs any of them.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use redial_server::{Effect, Payload, SessionInfo, Sessions, TokenRefused, store::MemoryStore};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let echo = |_: &SessionInfo, payload: Payload| vec![Effect::Reply(payload)];
    /// # let builder = Sessions::builder(Arc::new(MemoryStore::new(Default::default())), echo);
    /// let sessions = builder
    ///     .bearer(|token| async move {
    ///         match token.as_str() {
    ///             "open sesame" => Ok(Some("ali".to_owned())),
    ///             _ => Err(TokenRefused::Invalid),
    ///         }
    ///     })
    ///     .build();
    /// # }
    /// ```
    pub fn bearer<F>(mut self, check: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Option<String>, TokenRefused>> + Send + 'static,
    {
        self.bearer = Some(Bearer::new(check));
        self
    }

    /// Believes the proxy that every client comes through: the last entry of `X-Forwarded-For` is the client's address, and
    /// `X-Forwarded-Host` the host that it asked for. Where clients can come past the proxy, they can write what they want.
    pub fn behind_proxy(mut self) -> Self {
        self.behind_proxy = true;
        self
    }

    /// Starts the tasks in the background.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn build(self) -> Sessions {
        let metrics = Arc::new(Metrics::new());
        let access = Access::new(self.store, Arc::clone(&metrics));
        let registry = Arc::<Registry>::default();
        let background = Background::start(&access, &self.app, &registry);
        let hub = Hub {
            access,
            app: self.app,
            gate: Arc::new(Gate::new(&self.limits)),
            limits: self.limits,
            origins: self.origins,
            needs_origin: self.needs_origin,
            bearer: self.bearer,
            behind_proxy: self.behind_proxy,
            registry,
            metrics,
            clock: Clock::new(),
            stage: watch::Sender::new(Stage::Serving),
            _background: background,
        };
        Sessions { hub: Arc::new(hub) }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("limits", &self.limits).field("origins", &self.origins).finish_non_exhaustive()
    }
}
