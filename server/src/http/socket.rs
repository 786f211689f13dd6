//! The way in for WebSockets: everything that is checked before the upgrade.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use redial_session::SUBPROTOCOL;

use super::upgrade::Upgrade;
use crate::admission::gate::Admitted;
use crate::admission::{address, bearer, origin};
use crate::connection::{self, FRAME_HEAD};
use crate::hub::Hub;
use crate::plain;
use crate::refusal::Refusal;

/// What is done for a client that offers no subprotocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Without {
    /// It is turned away.
    Refuse,
    /// It is served by the plain protocol.
    Plain,
}

/// Answers a request for a WebSocket.
pub(crate) async fn connect(hub: Arc<Hub>, request: Request, without: Without) -> Response<Body> {
    let (mut request, _) = request.into_parts();
    let upgrade = match Upgrade::of(&mut request) {
        Ok(upgrade) => upgrade,
        Err(answer) => return answer.into_response(),
    };
    match admit(&hub, &request, without).await {
        Ok(entry) => accept(hub, upgrade, entry),
        Err(refusal) => {
            hub.metrics.refused(refusal);
            refusal.into_response()
        }
    }
}

struct Entry {
    admitted: Admitted,
    user: Option<String>,
    /// The plain protocol's session; `None`: it is `redial.v1`.
    plain: Option<String>,
}

async fn admit(hub: &Hub, request: &Parts, without: Without) -> Result<Entry, Refusal> {
    if hub.is_draining() {
        return Err(Refusal::Draining);
    }
    if hub.access.is_down() {
        return Err(Refusal::StoreDown);
    }
    origin::check(&hub.origins, hub.needs_origin, &request.headers, hub.behind_proxy)?;
    let source = address::client(&request.headers, &request.extensions, hub.behind_proxy)?;
    if source.is_none() && hub.gate.asks_address() {
        return Err(Refusal::NoAddress);
    }
    // First what is cheap: a flood is not to reach whoever checks the tokens.
    let admitted = hub.gate.enter(source, hub.clock.now())?;
    let user = match &hub.bearer {
        Some(bearer) => bearer.check(request).await?,
        None => None,
    };
    let plain = if bearer::subprotocols(&request.headers).any(|name| name == SUBPROTOCOL) {
        None
    } else if without == Without::Plain {
        Some(plain::session(request)?)
    } else {
        return Err(Refusal::NoSubprotocol);
    };
    Ok(Entry { admitted, user, plain })
}

fn accept(hub: Arc<Hub>, upgrade: Upgrade, entry: Entry) -> Response<Body> {
    let Entry { admitted, user, plain } = entry;
    let config = connection::config(hub.limits.message_bytes.saturating_add(FRAME_HEAD));
    match plain {
        None => upgrade.accept(Some(SUBPROTOCOL), config, move |web| connection::serve(hub, web, user, admitted)),
        Some(session) => upgrade.accept(None, config, move |web| plain::serve(hub, web, session, admitted)),
    }
}
