//! Who is turned away, and how.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use redial_session::close_code;

/// Why a client is turned away.
///
/// Each status and close code is chosen for what redial's clients do on it: some stop for good, because trying again can't
/// help; on others they come back, after the `Retry-After` where there is one.
///
/// | refusal | before the upgrade | after it | the client |
/// |---|---|---|---|
/// | [`NoAddress`](Self::NoAddress) | 500 | | comes back |
/// | [`BadAddress`](Self::BadAddress), [`BadSession`](Self::BadSession), [`NoSubprotocol`](Self::NoSubprotocol) | 400 | | stops |
/// | [`Unauthorized`](Self::Unauthorized) | 401 | | tries once more, with fresh credentials |
/// | [`Forbidden`](Self::Forbidden) | 403 | | the same |
/// | [`ForeignOrigin`](Self::ForeignOrigin) | 403 | | the same |
/// | [`TooManyFromAddress`](Self::TooManyFromAddress) | 429, Retry-After 10 | | comes back |
/// | [`ConnectsTooFast`](Self::ConnectsTooFast) | 429, Retry-After until there is room | | comes back |
/// | [`TooManyConnections`](Self::TooManyConnections) | 503, Retry-After 5 | | comes back |
/// | [`StoreDown`](Self::StoreDown) | 503, Retry-After 2 | | comes back |
/// | [`Draining`](Self::Draining) | 503, Retry-After 1 | 1012 | comes back, spread as it was advised |
/// | [`NoGreeting`](Self::NoGreeting) | | 4408 | comes back |
/// | [`Broken`](Self::Broken): a frame that is none, or has no place | | 1002 | stops: it would send it again |
/// | [`Broken`](Self::Broken): numbers that don't fit | | 4416 | comes back: resuming mends it |
/// | [`MessagesTooFast`](Self::MessagesTooFast) | | 1008 | stops |
/// | [`MessageTooLong`](Self::MessageTooLong) | | 1009 | stops: it would send it again for ever |
/// | [`TooManySessions`](Self::TooManySessions) | | 1013 | comes back: sessions expire |
/// | [`Overflow`](Self::Overflow): the outbox passed its limits | | the end frame, 1013 | comes back, with a new session |
/// | [`Superseded`](Self::Superseded) | | the end frame, 4409 | stops: two must not fight for ever |
/// | [`Gone`](Self::Gone) | | the end frame, 4410 | comes back, with a new session |
/// | [`Silent`](Self::Silent), [`NotReading`](Self::NotReading) | | none, the connection is cut | comes back |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Limits by address are set, and the server was not told addresses: see [`Sessions::router`](crate::Sessions::router).
    NoAddress,
    /// The proxy before us names an address that is none.
    BadAddress,
    /// The plain protocol's `session=` is too long, or no text.
    BadSession,
    /// The client offers no subprotocol that is spoken here.
    NoSubprotocol,
    /// There is no token, or one that is not valid.
    Unauthorized,
    /// The token is valid, but not for this.
    Forbidden,
    /// The page that connects is of another origin.
    ForeignOrigin,
    /// Its address has as many connections as allowed.
    TooManyFromAddress,
    /// Its address connects too often.
    ConnectsTooFast {
        /// Microseconds until it may.
        wait_micros: u64,
    },
    /// There are as many connections as allowed in all.
    TooManyConnections,
    /// The store can't be reached.
    StoreDown,
    /// The server goes away.
    Draining,
    /// No first frame came in time, or one that is none.
    NoGreeting,
    /// A frame that is none, or a gap in the numbers.
    Broken,
    /// More messages per second than allowed.
    MessagesTooFast,
    /// A message that is longer than allowed.
    MessageTooLong,
    /// Its user has as many sessions as allowed.
    TooManySessions,
    /// The client did not acknowledge, and its outbox passed its limits.
    Overflow,
    /// Another connection has resumed the session.
    Superseded,
    /// The session is no more.
    Gone,
    /// Nothing was heard for too long.
    Silent,
    /// The client took nothing for too long.
    NotReading,
}

impl Refusal {
    /// Its name in the metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoAddress => "no_address",
            Self::BadAddress => "bad_address",
            Self::BadSession => "bad_session",
            Self::NoSubprotocol => "no_subprotocol",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::ForeignOrigin => "foreign_origin",
            Self::TooManyFromAddress => "too_many_from_address",
            Self::ConnectsTooFast { .. } => "connects_too_fast",
            Self::TooManyConnections => "too_many_connections",
            Self::StoreDown => "store_down",
            Self::Draining => "draining",
            Self::NoGreeting => "no_greeting",
            Self::Broken => "broken",
            Self::MessagesTooFast => "messages_too_fast",
            Self::MessageTooLong => "message_too_long",
            Self::TooManySessions => "too_many_sessions",
            Self::Overflow => "overflow",
            Self::Superseded => "superseded",
            Self::Gone => "gone",
            Self::Silent => "silent",
            Self::NotReading => "not_reading",
        }
    }

    /// The close code after the upgrade. Where the table has none, 1011.
    #[must_use]
    pub const fn close_code(&self) -> u16 {
        match self {
            Self::Draining => 1012,
            Self::NoGreeting => close_code::GREETING_TIMEOUT,
            Self::Broken => close_code::PROTOCOL,
            Self::MessagesTooFast | Self::Unauthorized | Self::Forbidden | Self::ForeignOrigin => 1008,
            Self::MessageTooLong => 1009,
            Self::TooManySessions | Self::Overflow | Self::StoreDown => 1013,
            Self::Superseded => close_code::SUPERSEDED,
            Self::Gone => close_code::ENDED,
            Self::NoAddress
            | Self::BadAddress
            | Self::BadSession
            | Self::NoSubprotocol
            | Self::TooManyFromAddress
            | Self::ConnectsTooFast { .. }
            | Self::TooManyConnections
            | Self::Silent
            | Self::NotReading => 1011,
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::BadAddress | Self::BadSession | Self::NoSubprotocol => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::TooManyFromAddress | Self::ConnectsTooFast { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::TooManyConnections | Self::StoreDown | Self::Draining => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoAddress
            | Self::NoGreeting
            | Self::Broken
            | Self::MessagesTooFast
            | Self::MessageTooLong
            | Self::TooManySessions
            | Self::Overflow
            | Self::Superseded
            | Self::Gone
            | Self::Silent
            | Self::NotReading => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::NoAddress => {
                "the server does not know its clients' addresses: serve the router with \
                 into_make_service_with_connect_info, say that it is behind a proxy, or lift the limits by address"
            }
            Self::BadAddress => "the last address in X-Forwarded-For is none",
            Self::BadSession => "session: 1 to 128 characters",
            Self::NoSubprotocol => "offer the subprotocol redial.v1",
            Self::Unauthorized => "a bearer token is needed that is valid",
            Self::Forbidden => "the token is not valid for this",
            Self::ForeignOrigin => "pages of this origin may not connect",
            Self::TooManyFromAddress => "too many connections from this address",
            Self::ConnectsTooFast { .. } => "too many connections from this address in a short time",
            Self::TooManyConnections => "too many connections",
            Self::StoreDown => "the server can't reach its store",
            Self::Draining => "the server goes away",
            Self::NoGreeting => "no greeting",
            Self::Broken => "broken protocol",
            Self::MessagesTooFast => "too many messages in a short time",
            Self::MessageTooLong => "the message is too long",
            Self::TooManySessions => "the user has too many sessions",
            Self::Overflow => "too much was left unacknowledged",
            Self::Superseded => "resumed by another connection",
            Self::Gone => "the session is no more",
            Self::Silent => "nothing was heard",
            Self::NotReading => "nothing was taken",
        }
    }

    /// The reason in the close frame.
    pub(crate) const fn reason(self) -> &'static str {
        self.text()
    }

    fn retry_after(self) -> Option<u64> {
        match self {
            Self::TooManyFromAddress => Some(10),
            Self::ConnectsTooFast { wait_micros } => Some(wait_micros.div_ceil(1_000_000).max(1)),
            Self::TooManyConnections => Some(5),
            Self::StoreDown => Some(2),
            Self::Draining => Some(1),
            Self::NoAddress
            | Self::BadAddress
            | Self::BadSession
            | Self::NoSubprotocol
            | Self::Unauthorized
            | Self::Forbidden
            | Self::ForeignOrigin
            | Self::NoGreeting
            | Self::Broken
            | Self::MessagesTooFast
            | Self::MessageTooLong
            | Self::TooManySessions
            | Self::Overflow
            | Self::Superseded
            | Self::Gone
            | Self::Silent
            | Self::NotReading => None,
        }
    }
}

/// As an answer before the upgrade.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.text()).into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self == Self::Unauthorized {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
