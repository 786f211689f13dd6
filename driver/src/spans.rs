//! What `tracing` sees: a span for each connection, an event for each notice. Nothing for a message, and nothing at all
//! without the feature.

#[cfg(feature = "tracing")]
mod on {
    use redial::{Dial, Notice};
    use tracing::span::EnteredSpan;

    /// The span of the connection that is dialled or open, or was so last.
    #[derive(Debug)]
    pub(crate) struct ConnectionSpan(tracing::Span);

    impl ConnectionSpan {
        pub(crate) fn none() -> Self {
            Self(tracing::Span::none())
        }

        pub(crate) fn of(dial: &Dial) -> Self {
            let Dial { connection, endpoint, attempt, .. } = dial;
            Self(tracing::info_span!("connection", id = connection.0, endpoint, attempt))
        }

        pub(crate) fn enter(&self) -> EnteredSpan {
            self.0.clone().entered()
        }

        pub(crate) fn notice(&self, notice: &Notice) {
            match notice {
                Notice::AttemptFailed { cause, .. } => tracing::warn!(%cause, "attempt failed"),
                Notice::Opened { downtime, .. } => tracing::info!(%downtime, "opened"),
                Notice::Lost { cause, uptime, .. } => tracing::warn!(%cause, %uptime, "lost"),
                Notice::GaveUp { limit, attempts, cause, .. } => tracing::error!(%limit, attempts, %cause, "gave up"),
                Notice::RetryScheduled(retry) => {
                    tracing::info!(attempt = retry.attempt, delay = %retry.delay, "retry scheduled");
                }
                Notice::Stable { .. } => tracing::debug!("stable"),
                Notice::Phase { from, to } => tracing::debug!(%from, %to, "phase"),
                Notice::HealthCheck { latency, quality, .. } => tracing::trace!(%latency, %quality, "health check"),
                Notice::QualityChanged { to, .. } => tracing::debug!(?to, "quality changed"),
                _ => tracing::debug!(?notice, "notice"),
            }
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use redial::{Dial, Notice};

    #[derive(Debug)]
    pub(crate) struct ConnectionSpan;

    /// Stands for the guard that leaves a span.
    pub(crate) struct Entered;

    impl ConnectionSpan {
        pub(crate) const fn none() -> Self {
            Self
        }

        pub(crate) const fn of(_: &Dial) -> Self {
            Self
        }

        #[allow(clippy::unused_self)]
        pub(crate) const fn enter(&self) -> Entered {
            Entered
        }

        #[allow(clippy::unused_self)]
        pub(crate) const fn notice(&self, _: &Notice) {}
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) use off::ConnectionSpan;
#[cfg(feature = "tracing")]
pub(crate) use on::ConnectionSpan;
