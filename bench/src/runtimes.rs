//! The runtimes that the clients run on: each in its own way, behind one name.

use std::future::Future;
use std::time::Duration;

/// A runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// tokio, current_thread.
    Tokio,
    /// async-std, with its own threads beside the one that blocks.
    AsyncStd,
    /// smol, whose reactor the blocked thread drives itself.
    Smol,
}

impl Runtime {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Tokio, Self::AsyncStd, Self::Smol];

    /// Runs it to its end.
    pub(crate) fn block_on<T>(self, future: impl Future<Output = T>) -> T {
        match self {
            Self::Tokio => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(future)
            }
            Self::AsyncStd => async_std::task::block_on(future),
            Self::Smol => smol::block_on(future),
        }
    }

    /// A task that nobody waits for.
    pub(crate) fn spawn<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) {
        match self {
            Self::Tokio => drop(tokio::spawn(future)),
            Self::AsyncStd => drop(async_std::task::spawn(future)),
            Self::Smol => smol::spawn(future).detach(),
        }
    }

    /// Waits.
    pub(crate) async fn sleep(self, time: Duration) {
        match self {
            Self::Tokio => tokio::time::sleep(time).await,
            Self::AsyncStd | Self::Smol => drop(smol::Timer::after(time).await),
        }
    }

    /// How many tasks are alive, for a runtime that tells.
    pub(crate) fn tasks(self) -> Option<usize> {
        match self {
            Self::Tokio => Some(tokio::runtime::Handle::current().metrics().num_alive_tasks()),
            Self::AsyncStd | Self::Smol => None,
        }
    }
}
