//! The crate's front: an application with its sessions.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::{MethodRouter, get};
use redial::Micros;
use redial_session::{Advice, Payload, SessionId};
use tokio::net::TcpListener;

use crate::application::Application;
use crate::builder::Builder;
use crate::http::listen::listen;
use crate::http::socket::{Without, connect};
use crate::http::{health, rooms};
use crate::hub::{Hub, Stage};
use crate::store::{Effect, SessionStore, StoreError};

/// An application with its sessions: gives routes for axum, sends what no client asked for, and goes away gracefully.
///
/// Cheap to clone. It has a few tasks in the background (news, leases, expiry); they end with the last clone, the last
/// route and the last connection.
#[derive(Clone)]
pub struct Sessions {
    pub(crate) hub: Arc<Hub>,
}

impl Sessions {
    /// Begins with everything by default.
    pub fn builder(store: Arc<dyn SessionStore>, application: impl Application) -> Builder {
        Builder::new(store, Arc::new(application))
    }

    /// Everything there is:
    ///
    /// | route | what |
    /// |---|---|
    /// | `GET /ws/chat/`, `GET /ws/chat` | sessions over `redial.v1`; for clients that offer no subprotocol the plain protocol, with `?session=ID` |
    /// | `GET /rooms/{room}/history?before=N&limit=M` | the newest messages below number N, oldest first; 50, and 200 at most |
    /// | `GET /rooms/{room}/members` | who is in the room, in the order of their coming |
    /// | `GET /health` | 200 if all is well, else 503, and JSON |
    /// | `GET /metrics` | for Prometheus |
    ///
    /// `/health` and `/metrics` ask for no token.
    ///
    /// # Addresses
    /// The limits by address need to know where clients come from: serve it by [`serve_router`](Self::serve_router), or by
    /// `axum::serve` with `into_make_service_with_connect_info::<SocketAddr>()`, or set
    /// [`behind_proxy`](Builder::behind_proxy). Otherwise every client gets a 500 that says so.
    pub fn router(&self) -> Router {
        let plain = self.socket(Without::Plain);
        Router::new()
            .route("/ws/chat", plain.clone())
            .route("/ws/chat/", plain)
            .route("/rooms/{room}/history", get(rooms::history))
            .route("/rooms/{room}/members", get(rooms::members))
            .route("/health", get(health::health))
            .route("/metrics", get(health::metrics))
            .with_state(Arc::clone(&self.hub))
    }

    /// Sessions over `redial.v1` for a route of your own. Clients that don't offer it get a 400. About addresses see
    /// [`router`](Self::router).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use redial_server::{Effect, Payload, SessionInfo, Sessions, store::MemoryStore};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let echo = |_: &SessionInfo, payload: Payload| vec![Effect::Reply(payload)];
    /// let sessions = Sessions::builder(Arc::new(MemoryStore::new(Default::default())), echo).build();
    /// let app: axum::Router = axum::Router::new().route("/live", sessions.handler());
    /// # }
    /// ```
    pub fn handler<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        self.socket(Without::Refuse)
    }

    /// Serves [`router`](Self::router) until [`shutdown`](Self::shutdown) is done. A client that does not send a request's head
    /// within [`greeting_timeout`](crate::Limits::greeting_timeout) is cut, which `axum::serve` doesn't do.
    ///
    /// # Errors
    /// None yet, as with `axum::serve`: accepting is tried again for ever.
    pub async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        self.serve_router(listener, self.router()).await
    }

    /// [`serve`](Self::serve) with more routes: those of `router`, which [`router`](Self::router) or
    /// [`handler`](Self::handler) may be part of.
    ///
    /// # Errors
    /// As with [`serve`](Self::serve).
    pub async fn serve_router(&self, listener: TcpListener, router: Router) -> io::Result<()> {
        listen(Arc::clone(&self.hub), listener, router).await;
        Ok(())
    }

    /// Does things that no client's message brought about. `session` is whom [`Effect::Reply`], [`Effect::Join`] and
    /// [`Effect::Leave`] mean.
    ///
    /// # Errors
    /// [`StoreError::Gone`], and [`StoreError::Unavailable`]: then it may have happened all the same.
    pub async fn apply(&self, session: Option<SessionId>, effects: Vec<Effect>) -> Result<(), StoreError> {
        self.hub.access.once(self.hub.access.store.apply(session, effects)).await
    }

    /// Sends a message to every member of a room, and keeps it in the room's history.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn broadcast(&self, room: impl Into<String>, payload: Payload) -> Result<(), StoreError> {
        self.apply(None, vec![Effect::Broadcast { room: room.into(), payload, to_self: true, keep: true }]).await
    }

    /// Connections to this process now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.hub.gate.connections()
    }

    /// Until there are no more than so many connections to this process.
    pub async fn until_connections(&self, most: usize) {
        self.hub.gate.until(most).await;
    }

    /// Goes away: from now on new clients get a 503, and those that are here are advised to come back at a random time within
    /// `spread`. What they have sent is committed and acknowledged, and then their connections are closed with 1012. Sessions stay
    /// in the store.
    ///
    /// Done when all have gone, or after [`drain_timeout`](crate::Limits::drain_timeout); then the rest is cut.
    pub async fn shutdown(&self, spread: Duration) {
        self.shutdown_with(Advice { spread: Some(Micros::from(spread)), ..Advice::default() }).await;
    }

    /// [`shutdown`](Self::shutdown) with any advice: to come back later, to another URL, or not at all.
    pub async fn shutdown_with(&self, advice: Advice) {
        self.hub.stage.send_replace(Stage::Draining(advice));
        self.hub.registry.wake_all();
        let _ = tokio::time::timeout(self.hub.limits.drain_timeout, self.hub.gate.until(0)).await;
        self.hub.stage.send_replace(Stage::Cut);
        self.hub.registry.wake_all();
    }

    fn socket<S: Clone + Send + Sync + 'static>(&self, without: Without) -> MethodRouter<S> {
        let hub = Arc::clone(&self.hub);
        get(move |request: Request| connect(Arc::clone(&hub), request, without))
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("connections", &self.connections()).finish_non_exhaustive()
    }
}
