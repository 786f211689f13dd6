//! A store of each kind, with a clock that the test moves.

use std::sync::Arc;
#[cfg(feature = "sqlite")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redial_server::store::{MemoryStore, SessionStore, StoreSettings};

pub type Store = Arc<dyn SessionStore>;

pub enum Rig {
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite {
        folder: tempfile::TempDir,
        files: usize,
        clock: Arc<AtomicU64>,
    },
}

impl Rig {
    /// On a runtime's only thread.
    pub fn memory() -> Self {
        tokio::time::pause();
        Self::Memory
    }

    #[cfg(feature = "sqlite")]
    pub fn sqlite() -> Self {
        let clock = Arc::new(AtomicU64::new(1_700_000_000_000));
        Self::Sqlite { folder: tempfile::tempdir().unwrap(), files: 0, clock }
    }

    /// An empty store.
    pub async fn store(&mut self, settings: StoreSettings) -> Store {
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
        }
    }

    /// Time passes for the stores.
    pub async fn pass(&self, time: Duration) {
        match self {
            Self::Memory => tokio::time::advance(time).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite { clock, .. } => {
                clock.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
            }
        }
    }
}
