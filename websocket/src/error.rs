//! What can be wrong with a configuration.

use redial::Cause;
use std::fmt;

/// What is wrong with a configuration: which place, and what is allowed there. Its text is one line.
///
/// Secrets stay out of it: header values are never shown, and a URL is shown without its query and user name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The URL is not one that can be dialled (RFC 6455, section 3).
    Endpoint {
        /// The URL as it was given, without its query.
        url: String,
        /// What is wrong with it and what is allowed.
        problem: String,
    },
    /// The policy's failover keeps account of the endpoints' health, and there are too many of them.
    Endpoints {
        /// How many were given.
        count: usize,
        /// How many are allowed.
        most: usize,
    },
    /// The header can't be sent (RFC 9110, section 5).
    Header {
        /// The header's name as it was given.
        name: String,
        /// What is wrong with it and what is allowed.
        problem: &'static str,
    },
    /// The subprotocol can't be offered (RFC 6455, section 4.1).
    Subprotocol {
        /// The subprotocol as it was given.
        name: String,
        /// What is wrong with it and what is allowed.
        problem: &'static str,
    },
    /// TLS can't be set up.
    Tls {
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// tungstenite would refuse these settings.
    Socket {
        /// What is wrong and what is allowed.
        problem: &'static str,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint { url, problem } => write!(f, "endpoint {url:?}: {problem}"),
            Self::Endpoints { count, most } => {
                write!(f, "endpoints: {count} are not allowed with failover healthiest; allowed: up to {most}")
            }
            Self::Header { name, problem } => write!(f, "header {name:?}: {problem}"),
            Self::Subprotocol { name, problem } => write!(f, "subprotocol {name:?}: {problem}"),
            Self::Tls { problem } => write!(f, "tls: {problem}"),
            Self::Socket { problem } => write!(f, "socket: {problem}"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// So that `?` works in a closure that makes a [`Target`](crate::Target) for each dial: a target that can't be dialled
/// is a failure as a broken protocol is, retried until the policy gives up.
impl From<ConfigError> for Cause {
    fn from(_: ConfigError) -> Self {
        Self::Protocol
    }
}
