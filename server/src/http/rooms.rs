//! What was said in a room, and who is there.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::admission::origin;
use crate::hub::Hub;
use crate::refusal::Refusal;
use crate::store::StoreError;
use crate::views::{LONGEST_PAGE, MemberView, PAGE, PastView};

/// How long the store may take.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// Somebody who may read: the same checks as for a WebSocket, without the limits.
pub(crate) struct Reader;

impl FromRequestParts<Arc<Hub>> for Reader {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, hub: &Arc<Hub>) -> Result<Self, Refusal> {
        let allowed = async {
            origin::check(&hub.origins, false, &parts.headers, hub.behind_proxy)?;
            match &hub.bearer {
                Some(bearer) => bearer.check(parts).await.map(drop),
                None => Ok(()),
            }
        };
        allowed.await.map(|()| Self).inspect_err(|refusal| hub.metrics.refused(*refusal))
    }
}

#[derive(Deserialize)]
pub(crate) struct Page {
    before: Option<u64>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct History {
    room: String,
    messages: Vec<PastView>,
}

#[derive(Serialize)]
struct Members {
    room: String,
    members: Vec<MemberView>,
}

/// `GET /rooms/{room}/history?before=N&limit=M`: the newest messages below number N, oldest first.
pub(crate) async fn history(
    State(hub): State<Arc<Hub>>,
    _: Reader,
    Path(room): Path<String>,
    Query(page): Query<Page>,
) -> Response {
    let limit = page.limit.unwrap_or(PAGE).min(LONGEST_PAGE);
    let answer = soon(hub.access.once(hub.access.store.history(&room, page.before, limit))).await;
    respond(answer.map(|past| History { room, messages: past.into_iter().map(PastView::from).collect() }))
}

/// `GET /rooms/{room}/members`: who is there, in the order of their coming.
pub(crate) async fn members(State(hub): State<Arc<Hub>>, _: Reader, Path(room): Path<String>) -> Response {
    let answer = soon(hub.access.once(hub.access.store.members(&room))).await;
    respond(answer.map(|members| Members { room, members: members.into_iter().map(MemberView::from).collect() }))
}

async fn soon<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, Refusal> {
    let answer = tokio::time::timeout(STORE_TIMEOUT, call).await;
    answer.map_err(|_| Refusal::StoreDown)?.map_err(|_| Refusal::StoreDown)
}

fn respond(answer: Result<impl Serialize, Refusal>) -> Response {
    match answer {
        Ok(body) => ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}
