//! Who the client is.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::refusal::Refusal;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenRefused {
    /// It is not valid, or not any more: 401. A client may have a fresh one.
    Invalid,
    /// It is valid, but not for this: 403.
    Forbidden,
    /// Nobody can tell now: 503.
    Unavailable,
}

type Verdict = Pin<Box<dyn Future<Output = Result<Option<String>, TokenRefused>> + Send>>;

/// Checks tokens.
pub(crate) struct Bearer(Box<dyn Fn(String) -> Verdict + Send + Sync>);

impl Bearer {
    pub(crate) fn new<F>(check: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Option<String>, TokenRefused>> + Send + 'static,
    {
        Self(Box::new(move |token| Box::pin(check(token))))
    }

    /// The user that the request's token is of.
    pub(crate) async fn check(&self, request: &Parts) -> Result<Option<String>, Refusal> {
        let token = token(request).ok_or(Refusal::Unauthorized)?;
        (self.0)(token).await.map_err(|refused| match refused {
            TokenRefused::Invalid => Refusal::Unauthorized,
            TokenRefused::Forbidden => Refusal::Forbidden,
            TokenRefused::Unavailable => Refusal::StoreDown,
        })
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(..)")
    }
}

/// What marks a token among the subprotocols that a client offers.
const OFFERED: &str = "bearer.";

/// The token: of the header; else, because a browser's `WebSocket` can set none, of a subprotocol offered as
/// `bearer.TOKEN`, or of the query's `token=`. The last comes into the logs of proxies, so it is last.
fn token(request: &Parts) -> Option<String> {
    authorization(&request.headers)
        .or_else(|| subprotocols(&request.headers).find_map(|name| name.strip_prefix(OFFERED)))
        .map(String::from)
        .or_else(|| query(request, "token"))
        .filter(|token| !token.is_empty())
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What the client offers, in its order.
pub(crate) fn subprotocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).map(str::trim)
}

/// A value of the query.
pub(crate) fn query(request: &Parts, key: &str) -> Option<String> {
    let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&request.uri).ok()?;
    query.0.into_iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn token_of(uri: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        token(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_token_is_in_the_header_or_where_a_browser_can_put_it() {
        assert_eq!(token_of("/", &[("authorization", "bearer  a.b")]).as_deref(), Some("a.b"));
        let offered = ("sec-websocket-protocol", "redial.v1, bearer.c_d");
        assert_eq!(token_of("/", &[offered]).as_deref(), Some("c_d"));
        assert_eq!(token_of("/?x=1&token=e%2Bf", &[]).as_deref(), Some("e+f"));
        assert_eq!(token_of("/?token=q", &[("authorization", "Bearer h"), offered]).as_deref(), Some("h"));
        assert_eq!(token_of("/?token=", &[("authorization", "Basic eA==")]), None);
    }
}
