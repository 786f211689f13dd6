//! What all connections of a process share.

use std::sync::Arc;
use std::time::Duration;

use redial_session::Advice;
use tokio::sync::watch;

use crate::access::Access;
use crate::admission::bearer::Bearer;
use crate::admission::gate::Gate;
use crate::admission::origin::Origins;
use crate::application::AnyApplication;
use crate::background::Background;
use crate::clock::Clock;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::registry::Registry;

pub(crate) struct Hub {
    pub(crate) access: Access,
    pub(crate) app: Arc<dyn AnyApplication>,
    pub(crate) limits: Limits,
    pub(crate) origins: Origins,
    pub(crate) needs_origin: bool,
    pub(crate) bearer: Option<Bearer>,
    pub(crate) behind_proxy: bool,
    pub(crate) gate: Arc<Gate>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Clock,
    pub(crate) stage: watch::Sender<Stage>,
    /// Its tasks know no hub, so they end when nobody does.
    pub(crate) _background: Background,
}

/// Where the process is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// In the middle.
    Serving,
    /// Connections are to come to an end. Their clients are advised.
    Draining(Advice),
    /// Those that have not are cut.
    Cut,
}

impl Hub {
    pub(crate) fn is_draining(&self) -> bool {
        *self.stage.borrow() != Stage::Serving
    }

    pub(crate) fn ttl(&self) -> Duration {
        self.access.store.settings().ttl
    }
}
