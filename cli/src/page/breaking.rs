//! What the page's "break it" panel speaks to: one command of the faulty network a request.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::chaos::{Command, Control};

/// A page elsewhere can't send this header without asking, and nobody would allow it.
const MARK: &str = "x-redial-chaos";

/// `GET /chaos` tells the faults and the counters, `POST /chaos` takes a command, both as the line of `redial chaos`.
pub(super) fn router(control: Control) -> Router {
    Router::new().route("/chaos", get(status).post(command)).with_state(control)
}

async fn status(State(control): State<Control>) -> Response {
    apply(&control, Command::Status).await
}

async fn command(State(control): State<Control>, headers: HeaderMap, line: String) -> Response {
    if !headers.contains_key(MARK) {
        return (StatusCode::FORBIDDEN, "only for the page itself").into_response();
    }
    let command = match line.parse::<Command>() {
        Ok(command) => command,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    if matches!(command, Command::Upstream(_)) {
        return (StatusCode::FORBIDDEN, "the upstream is this server").into_response();
    }
    apply(&control, command).await
}

async fn apply(control: &Control, command: Command) -> Response {
    let (status, text) = match control.apply(command).await {
        Ok(reply) => (StatusCode::OK, reply.to_string()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    };
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}
