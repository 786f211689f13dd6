//! A machine's memory as data that outlives its process.

use core::fmt;

use crate::machine::state::Memory;
use crate::moment::Moment;

/// What a machine remembers, with durations in place of times: the remaining ones positive, the past ones negative.
///
/// With the feature `serde` it can be stored in any format; the fields are the machine's own and may change from one
/// version to the next, which `version` tells apart.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub struct Snapshot {
    version: u32,
    machine: Memory,
}

impl Snapshot {
    const VERSION: u32 = 1;

    pub(crate) fn take(mem: &Memory, now: Moment) -> Self {
        Self { version: Self::VERSION, machine: mem.clone().shifted(now.offset().saturating_neg()) }
    }

    pub(crate) fn memory(&self, now: Moment) -> Result<Memory, SnapshotError> {
        if self.version != Self::VERSION {
            return Err(SnapshotError::Version { found: self.version });
        }
        let mem = &self.machine;
        if mem.endpoint >= mem.endpoints && mem.endpoint != Memory::GONE {
            return Err(SnapshotError::Endpoint { endpoint: mem.endpoint, endpoints: mem.endpoints });
        }
        let (connection, last) = (mem.state.link().map_or(0, |link| link.connection.0), mem.last_connection);
        if connection > last {
            return Err(SnapshotError::Connection { connection, last });
        }
        // From the future, a machine would wait for ever: for a token, or for time to begin.
        let past = [("now", mem.now), ("countedAt", mem.bucket.counted_at())];
        if let Some((key, _)) = past.into_iter().find(|(_, at)| *at > Moment::ORIGIN) {
            return Err(SnapshotError::Future { key });
        }
        Ok(mem.clone().shifted(now.offset()))
    }
}

/// Why a snapshot can't be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It was taken by another version of this crate.
    Version {
        /// The version of its format; this crate reads 1.
        found: u32,
    },
    /// Its next endpoint is not among its endpoints.
    Endpoint {
        /// The endpoint, from 0.
        endpoint: u32,
        /// How many there are.
        endpoints: u32,
    },
    /// Its connection was never dialled.
    Connection {
        /// The connection.
        connection: u64,
        /// The last one that was dialled.
        last: u64,
    },
    /// It remembers what has not happened yet.
    Future {
        /// What that is.
        key: &'static str,
    },
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { found } => {
                write!(f, "snapshot key version: {found} is not allowed; allowed: {}", Snapshot::VERSION)
            }
            Self::Endpoint { endpoint, endpoints } => {
                write!(f, "snapshot key endpoint: {endpoint} is not allowed; allowed: less than endpoints, {endpoints}")
            }
            Self::Connection { connection, last } => {
                write!(f, "snapshot key connection: {connection} is not allowed; allowed: up to lastConnection, {last}")
            }
            Self::Future { key } => {
                write!(f, "snapshot key {key}: a time after the snapshot is not allowed; allowed: 0 or less")
            }
        }
    }
}

impl core::error::Error for SnapshotError {}
