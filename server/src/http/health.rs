//! How the server is.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::hub::Hub;
use crate::metrics::CONTENT_TYPE;

/// How long the store may take to say how much it holds.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Health {
    status: &'static str,
    store: &'static str,
    sessions: Option<u64>,
    connections: usize,
    draining: bool,
    version: &'static str,
}

/// `GET /health`: 200 if all is well, else 503.
pub(crate) async fn health(State(hub): State<Arc<Hub>>) -> Response {
    let sessions = sessions(&hub).await;
    let draining = hub.is_draining();
    let (status, code) = match (draining, sessions) {
        (true, _) => ("draining", StatusCode::SERVICE_UNAVAILABLE),
        (false, None) => ("store down", StatusCode::SERVICE_UNAVAILABLE),
        (false, Some(_)) => ("ok", StatusCode::OK),
    };
    let health = Health {
        status,
        store: if sessions.is_some() { "ok" } else { "down" },
        sessions,
        connections: hub.gate.connections(),
        draining,
        version: env!("CARGO_PKG_VERSION"),
    };
    (code, [(header::CACHE_CONTROL, "no-store")], Json(health)).into_response()
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(hub): State<Arc<Hub>>) -> Response {
    let sessions = sessions(&hub).await;
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], hub.metrics.text(sessions)).into_response()
}

/// How many sessions there are, if the store can say so.
async fn sessions(hub: &Hub) -> Option<u64> {
    let totals = hub.access.once(hub.access.store.totals());
    let totals = tokio::time::timeout(STORE_TIMEOUT, totals).await.ok()?.ok()?;
    Some(totals.sessions)
}
