//! Why a dial failed or a connection ended.

use core::fmt;

use crate::time::Micros;
use crate::words::words;

/// Why a dial failed or a connection ended. What follows from it is the policy's [verdict](crate::Verdict).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)
)]
pub enum Cause {
    /// The network failed.
    Network {
        /// In which way, where that is known.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        detail: Option<NetworkDetail>,
    },
    /// A dial or a handshake took longer than `connectTimeout` or `readyTimeout`.
    Timeout,
    /// The peer was silent for `pingTimeout` (or `busyTimeout`) after a ping.
    PingTimeout,
    /// The server answered the upgrade with an HTTP status other than 101.
    Http {
        /// The status code (RFC 9110, section 15).
        status: u16,
        /// The `Retry-After` of the answer (RFC 9110, section 10.2.3).
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        retry_after: Option<Micros>,
    },
    /// The peer closed the connection.
    Close {
        /// The close code (RFC 6455, section 7.4, and its registry); 1005 for a close frame without a code, 1006 for
        /// an end without a close frame.
        code: u16,
        /// How long the peer asks to wait, where it says so.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        retry_after: Option<Micros>,
    },
    /// The peer broke the protocol.
    Protocol,
    /// The user asked for it.
    User,
    /// Another client took over. Two clients that both come back would fight for ever, so this stops.
    Superseded,
}

impl Cause {
    /// The network failed, nothing more is known.
    pub const NETWORK: Self = Self::Network { detail: None };

    /// The peer closed with this code.
    #[must_use]
    pub const fn close(code: u16) -> Self {
        Self::Close { code, retry_after: None }
    }

    /// The server refused the upgrade with this HTTP status.
    #[must_use]
    pub const fn http(status: u16) -> Self {
        Self::Http { status, retry_after: None }
    }

    /// The network failed in this way.
    #[must_use]
    pub const fn network(detail: NetworkDetail) -> Self {
        Self::Network { detail: Some(detail) }
    }

    /// How long the server asks to wait, where it says so.
    #[must_use]
    pub const fn retry_after(self) -> Option<Micros> {
        match self {
            Self::Http { retry_after, .. } | Self::Close { retry_after, .. } => retry_after,
            Self::Network { .. }
            | Self::Timeout
            | Self::PingTimeout
            | Self::Protocol
            | Self::User
            | Self::Superseded => None,
        }
    }
}

words! {
    /// In which way the network failed.
    pub enum NetworkDetail {
        /// The name did not resolve.
        Dns = "dns",
        /// Nobody listens there.
        Refused = "refused",
        /// There is no route.
        Unreachable = "unreachable",
        /// The connection was reset.
        Reset = "reset",
        /// The TLS handshake failed, for example because of an untrusted certificate.
        Tls = "tls",
    }
}

/// For people: `refused`, `HTTP 503 (retry after 2000 ms)`, `close 1012`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { detail: None } => f.write_str("network failure"),
            Self::Network { detail: Some(detail) } => write!(f, "network failure ({detail})"),
            Self::Timeout => f.write_str("timeout"),
            Self::PingTimeout => f.write_str("ping timeout"),
            Self::Http { status, .. } => write!(f, "HTTP {status}"),
            Self::Close { code, .. } => write!(f, "close {code}"),
            Self::Protocol => f.write_str("protocol error"),
            Self::User => f.write_str("asked by the user"),
            Self::Superseded => f.write_str("superseded by another client"),
        }?;
        match self.retry_after() {
            Some(wait) => write!(f, " (retry after {wait})"),
            None => Ok(()),
        }
    }
}
