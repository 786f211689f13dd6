//! From HTTP to a WebSocket (RFC 6455, section 4.2).

use std::future::Future;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::connection::WebSocket;

/// A request that may become a WebSocket.
pub(crate) struct Upgrade {
    on_upgrade: OnUpgrade,
    accept: String,
}

/// Why a request is none for a WebSocket.
pub(crate) struct NoWebSocket(StatusCode, &'static str);

impl Upgrade {
    /// # Errors
    /// If the request is none for a WebSocket.
    pub(crate) fn of(request: &mut Parts) -> Result<Self, NoWebSocket> {
        let headers = &request.headers;
        let asks = request.method == Method::GET
            && has_token(headers, header::CONNECTION, "upgrade")
            && has_token(headers, header::UPGRADE, "websocket");
        if !asks {
            return Err(NoWebSocket(StatusCode::UPGRADE_REQUIRED, "connect with a WebSocket"));
        }
        if !has_token(headers, header::SEC_WEBSOCKET_VERSION, "13") {
            return Err(NoWebSocket(StatusCode::UPGRADE_REQUIRED, "the version of WebSockets is 13"));
        }
        let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
            return Err(NoWebSocket(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing"));
        };
        let accept = derive_accept_key(key.as_bytes());
        let Some(on_upgrade) = request.extensions.remove::<OnUpgrade>() else {
            return Err(NoWebSocket(StatusCode::BAD_REQUEST, "this connection can't be upgraded"));
        };
        Ok(Self { on_upgrade, accept })
    }

    /// The answer; once it is sent, `serve` has the WebSocket.
    pub(crate) fn accept<F>(
        self,
        subprotocol: Option<&'static str>,
        config: WebSocketConfig,
        serve: impl FnOnce(WebSocket) -> F + Send + 'static,
    ) -> Response<Body>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let on_upgrade = self.on_upgrade;
        tokio::spawn(async move {
            // Else the client is gone already.
            if let Ok(upgraded) = on_upgrade.await {
                let io = TokioIo::new(upgraded);
                serve(WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await).await;
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        // Base64 always is a header's value.
        if let Ok(accept) = HeaderValue::try_from(self.accept) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        if let Some(subprotocol) = subprotocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
        }
        response
    }
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let mut lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.any(|line| line.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
}

impl IntoResponse for NoWebSocket {
    fn into_response(self) -> Response<Body> {
        let mut response = (self.0, self.1).into_response();
        if self.0 == StatusCode::UPGRADE_REQUIRED {
            let headers = response.headers_mut();
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }
}
