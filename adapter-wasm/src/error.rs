//! What can be wrong: with a configuration, and with a connection.

use redial::Cause;
use std::fmt;

/// What is wrong with a configuration: which place, and what is allowed there. Its text is one line, without the query and the
/// user name of a URL, which may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The URL is not one that can be dialled.
    Endpoint {
        /// The URL as it was given, without its query.
        url: String,
        /// What is wrong with it and what is allowed.
        problem: &'static str,
    },
    /// The policy's failover keeps account of the endpoints' health, and there are too many of them.
    Endpoints {
        /// How many were given.
        count: usize,
        /// How many are allowed.
        most: usize,
    },
    /// The subprotocol can't be offered (RFC 6455, section 4.1).
    Subprotocol {
        /// The subprotocol as it was given.
        name: String,
        /// What is wrong with it and what is allowed.
        problem: &'static str,
    },
    /// A server may choose a subprotocol in which nothing can be asked of it, and the policy has health checks.
    NoHeartbeat,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint { url, problem } => write!(f, "endpoint {url:?}: {problem}"),
            Self::Endpoints { count, most } => {
                write!(f, "endpoints: {count} are not allowed with failover healthiest; allowed: up to {most}")
            }
            Self::Subprotocol { name, problem } => write!(f, "subprotocol {name:?}: {problem}"),
            Self::NoHeartbeat => f.write_str(
                "a session with other subprotocols beside redial.v1 and no heartbeat is not allowed; allowed: a heartbeat, or \
                 a policy without healthCheckInterval",
            ),
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

/// A connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketError {
    pub(crate) cause: Cause,
}

impl SocketError {
    /// Why it ended.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection has ended: {}", self.cause)
    }
}

impl std::error::Error for SocketError {}
