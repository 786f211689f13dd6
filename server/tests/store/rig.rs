//! A store of each kind, with a clock that the test moves.

use std::sync::Arc;
#[cfg(any(feature = "sqlite", feature = "redis"))]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redial_server::store::{MemoryStore, SessionStore, StoreSettings};

#[cfg(feature = "redis")]
use crate::redis_server::RedisServer;

pub(crate) type Store = Arc<dyn SessionStore>;

pub(crate) enum Rig {
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite {
        folder: tempfile::TempDir,
        files: usize,
        clock: Arc<AtomicU64>,
    },
    #[cfg(feature = "redis")]
    Redis {
        server: RedisServer,
        stores: usize,
        clock: Arc<AtomicU64>,
    },
}

impl Rig {
    /// On a runtime's only thread.
    pub(crate) fn memory() -> Self {
        tokio::time::pause();
        Self::Memory
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite { folder: tempfile::tempdir().unwrap(), files: 0, clock: clock() }
    }

    #[cfg(feature = "redis")]
    pub(crate) fn redis() -> Self {
        Self::Redis { server: RedisServer::start(), stores: 0, clock: clock() }
    }

    /// An empty store.
    pub(crate) async fn store(&mut self, settings: StoreSettings) -> Store {
        match self {
            Self::Memory => Arc::new(MemoryStore::new(settings)),
            #[cfg(feature = "sqlite")]
            Self::Sqlite { folder, files, clock } => {
                *files += 1;
                let path = folder.path().join(format!("{files}.db"));
                let clock = Arc::clone(clock);
                let now = move || clock.load(Ordering::SeqCst);
                Arc::new(redial_server::store::SqliteStore::open_with_clock(path, settings, now).unwrap())
            }
            #[cfg(feature = "redis")]
            Self::Redis { server, stores, clock } => {
                *stores += 1;
                Arc::new(server.store(&format!("test{stores}"), settings, clock).await)
            }
        }
    }

    /// Time passes for the stores.
    pub(crate) async fn pass(&self, time: Duration) {
        match self {
            Self::Memory => tokio::time::advance(time).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite { clock, .. } => {
                clock.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
            }
            #[cfg(feature = "redis")]
            Self::Redis { clock, .. } => {
                clock.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
            }
        }
    }
}

/// Some time in 2023.
#[cfg(any(feature = "sqlite", feature = "redis"))]
fn clock() -> Arc<AtomicU64> {
    Arc::new(AtomicU64::new(1_700_000_000_000))
}
