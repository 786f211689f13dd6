//! What the page's "break it" panel speaks to: one command of the faulty network a request.

use std::net::{IpAddr, SocketAddr};

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

async fn status(State(control): State<Control>, headers: HeaderMap) -> Response {
    if !is_at_home(&headers) {
        return forbidden();
    }
    apply(&control, Command::Status).await
}

async fn command(State(control): State<Control>, headers: HeaderMap, line: String) -> Response {
    if !headers.contains_key(MARK) || !is_at_home(&headers) {
        return forbidden();
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

fn forbidden() -> Response {
    (StatusCode::FORBIDDEN, "only for the page itself, by address or as localhost").into_response()
}

/// Whether it was asked for by an address or as `localhost`, by the page from there: any other name may be somebody else's,
/// which was made to mean this computer after their page had come (DNS rebinding).
fn is_at_home(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST) else { return false };
    let from_here = text(header::ORIGIN).is_none_or(|origin| origin.strip_prefix("http://") == Some(host));
    let is_address = host.parse::<SocketAddr>().is_ok() || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    from_here && (is_address || host.split(':').next() == Some("localhost"))
}

async fn apply(control: &Control, command: Command) -> Response {
    let (status, text) = match control.apply(command).await {
        Ok(reply) => (StatusCode::OK, reply.to_string()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    };
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_itself_may_break_it() {
        let asked = |host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
            headers.extend(origin.map(|origin| (header::ORIGIN, origin.parse().unwrap())));
            is_at_home(&headers)
        };
        for host in
            ["127.0.0.1:8080", "127.0.0.1", "[::1]:8080", "[::1]", "192.168.0.7:80", "localhost:8080", "localhost"]
        {
            assert!(asked(host, None), "{host}");
        }
        assert!(asked("localhost:8080", Some("http://localhost:8080")));
        for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example:80", ""] {
            assert!(!asked(host, None), "{host}");
        }
        for origin in ["http://evil.example", "http://localhost:8081", "null"] {
            assert!(!asked("localhost:8080", Some(origin)), "{origin}");
        }
        assert!(!is_at_home(&HeaderMap::new()));
    }
}
