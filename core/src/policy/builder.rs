//! The policy itself and the builder that checks it.

use super::keys;
use super::{
    DialBudget, Failover, Jitter, Multiplier, OptionalBudget, PolicyError, QualityBounds, Share, Verdict, VerdictKey,
    Verdicts,
};
use crate::time::{Micros, OptionalMicros};

/// One table of the policy's keys: field, setter and getter share name, type and docs.
macro_rules! policy_keys {
    ($($(#[$doc:meta])* $name:ident: $type:ty as $stored:ty,)*) => {
        /// The settings as they were given; `build` checks them.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub(super) struct Settings {
            $(pub(super) $name: $stored,)*
        }

        impl PolicyBuilder {
            $($(#[$doc])*
            pub fn $name(mut self, $name: impl Into<$type>) -> Self {
                let $name: $type = $name.into();
                self.settings.$name = $name.into();
                self
            })*
        }

        impl Policy {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> $type {
                self.settings.$name.into()
            })*
        }
    };
}

policy_keys! {
    /// Delay before retry 1, before jitter; 0 or more, by default 1000 ms.
    base_delay: Micros as Micros,
    /// No delay is ever longer, a server's hint aside; 0 or more, by default 5000 ms.
    max_delay: Micros as Micros,
    /// The n-th raw delay is `base_delay` × this to the power n − 1; finite, 1 or more, by default 2.
    backoff_multiplier: f64 as f64,
    /// How a delay is drawn from the schedule; by default full.
    jitter: Jitter as Jitter,
    /// Retries in one outage, `None` for no limit; by default 5.
    max_attempts: Option<u32> as Option<u32>,
    /// No dial starts later than this after the outage began, time held or slept not counted; by default `None`.
    max_elapsed: Option<Micros> as OptionalMicros,
    /// A dial unanswered for so long has failed; more than 0, by default 10 000 ms.
    connect_timeout: Micros as Micros,
    /// If set, an open connection must report ready within it; more than 0, by default `None`: open is ready.
    ready_timeout: Option<Micros> as OptionalMicros,
    /// A connection is stable once ready for the longer of this and the delay that preceded it; by default 5000 ms.
    stable_after: Micros as Micros,
    /// If false, the machine starts with the hold `autoReconnectOff`; by default true.
    auto_reconnect: bool as bool,
    /// Time between pings, more than 0, `None` for no pings; by default 5000 ms.
    health_check_interval: Option<Micros> as OptionalMicros,
    /// Neither a pong nor other traffic for so long after a ping: the connection is lost; more than 0, by default
    /// 3000 ms.
    ping_timeout: Micros as Micros,
    /// Replaces `ping_timeout` while the peer is busy; more than 0, by default 30 000 ms.
    busy_timeout: Micros as Micros,
    /// The bounds of the grades.
    quality: QualityBounds as QualityBounds,
    /// A token bucket over all dials, `None` for no bound; by default 5 tokens, one back each second.
    dial_budget: Option<DialBudget> as OptionalBudget,
    /// Which endpoint the next dial takes; by default ordered.
    failover: Failover as Failover,
    /// A server's delay hint is honoured up to this; by default 300 000 ms.
    max_retry_after: Micros as Micros,
    /// After the hold `offline` ends, a dial that is due is spread over [0, this]; by default 1000 ms.
    online_spread: Micros as Micros,
    /// A timeout handled later than its deadline by more than this means that the computer slept; by default 10 000 ms.
    wake_gap: Micros as Micros,
}

/// Every rule's number. An invalid policy can't exist: [`PolicyBuilder::build`] and deserialisation check it.
///
/// ```
/// use redial::{Jitter, Micros, Policy};
/// let policy = Policy::builder()
///     .base_delay(Micros::from_millis(500))
///     .max_delay(Micros::from_secs(10))
///     .jitter(Jitter::Equal)
///     .max_attempts(None)
///     .build()?;
/// assert_eq!(policy.min_delay(), Micros::from_millis(100));
/// # Ok::<(), redial::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    settings: Settings,
    min_delay: Micros,
    verdicts: Verdicts,
    // Derived, so that no delay converts a floating-point number.
    multiplier: Multiplier,
    share: Share,
}

impl Policy {
    /// A builder that starts from the preset `chat`, which is the defaults.
    pub const fn builder() -> PolicyBuilder {
        PolicyBuilder::new()
    }

    /// No retry delay is ever shorter; at most `max_delay`, by default 100 ms or `max_delay` if that is shorter.
    #[must_use]
    pub const fn min_delay(&self) -> Micros {
        self.min_delay
    }

    /// The policy's own verdicts.
    #[must_use]
    pub const fn verdicts(&self) -> &Verdicts {
        &self.verdicts
    }

    /// A builder that starts from this policy.
    pub const fn to_builder(&self) -> PolicyBuilder {
        PolicyBuilder { settings: self.settings, min_delay: Some(self.min_delay), verdicts: self.verdicts }
    }

    /// What [`quality`](Self::quality) copies.
    pub(crate) const fn quality_bounds(&self) -> &QualityBounds {
        &self.settings.quality
    }

    pub(crate) const fn multiplier(&self) -> Multiplier {
        self.multiplier
    }

    /// The ratio of the jitter.
    pub(crate) const fn share(&self) -> Share {
        self.share
    }
}

impl Default for Policy {
    /// The preset `chat`.
    fn default() -> Self {
        Self::chat()
    }
}

/// Collects settings; [`build`](Self::build) checks them all.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "a builder does nothing until it is built"]
pub struct PolicyBuilder {
    pub(super) settings: Settings,
    pub(super) min_delay: Option<Micros>,
    pub(super) verdicts: Verdicts,
}

impl PolicyBuilder {
    const fn new() -> Self {
        Self {
            settings: Settings {
                base_delay: Micros::from_millis(1000),
                max_delay: Micros::from_millis(5000),
                backoff_multiplier: 2.0,
                jitter: Jitter::Full,
                max_attempts: Some(5),
                max_elapsed: OptionalMicros::NONE,
                connect_timeout: Micros::from_millis(10_000),
                ready_timeout: OptionalMicros::NONE,
                stable_after: Micros::from_millis(5000),
                auto_reconnect: true,
                health_check_interval: OptionalMicros::some(Micros::from_millis(5000)),
                ping_timeout: Micros::from_millis(3000),
                busy_timeout: Micros::from_millis(30_000),
                quality: QualityBounds {
                    excellent: Micros::from_millis(50),
                    good: Micros::from_millis(100),
                    poor: Micros::from_millis(200),
                    hysteresis: 0.1,
                },
                dial_budget: OptionalBudget::some(DialBudget { burst: 5, refill: Micros::from_millis(1000) }),
                failover: Failover::Ordered,
                max_retry_after: Micros::from_millis(300_000),
                online_spread: Micros::from_millis(1000),
                wake_gap: Micros::from_millis(10_000),
            },
            min_delay: None,
            verdicts: Verdicts::new(),
        }
    }

    /// No retry delay is ever shorter; at most `max_delay`, by default 100 ms or `max_delay` if that is shorter.
    pub fn min_delay(mut self, min_delay: Micros) -> Self {
        self.min_delay = Some(min_delay);
        self
    }

    /// The policy's own verdict on a close code or an HTTP status.
    ///
    /// # Errors
    /// If the code or status is out of range, or [`Verdicts::CAPACITY`] others have a verdict already.
    pub fn verdict(mut self, key: VerdictKey, verdict: Verdict) -> Result<Self, PolicyError> {
        keys::set_verdict(&mut self, key, verdict)?;
        Ok(self)
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn build(self) -> Result<Policy, PolicyError> {
        keys::check(&self)?;
        let settings = self.settings;
        Ok(Policy {
            settings,
            min_delay: self.min_delay_or_default(),
            verdicts: self.verdicts,
            multiplier: Multiplier::new(settings.backoff_multiplier),
            share: Share::new(settings.jitter),
        })
    }

    pub(super) fn min_delay_or_default(&self) -> Micros {
        const DEFAULT: Micros = Micros::from_millis(100);
        self.min_delay.unwrap_or_else(|| DEFAULT.min(self.settings.max_delay))
    }
}

impl Default for PolicyBuilder {
    fn default() -> Self {
        Self::new()
    }
}
