//! Policies with a name.

use super::{Jitter, Policy, PolicyBuilder};
use crate::time::Micros;
use crate::words::words;

words! {
    /// A policy with a name.
    pub enum Preset {
        /// The defaults: 1 s doubling to 5 s, full jitter, 5 retries, pings every 5 s.
        Chat = "chat",
        /// `chat` for a peer that thinks long: `busyTimeout` 120 s.
        Assistant = "assistant",
        /// `chat` for people who wait for help: from 500 ms, 10 retries.
        Support = "support",
        /// A page's own session: 500 ms to 10 s without jitter and without a limit.
        Session = "session",
        /// For agents and servers that must always come back: 500 ms to 30 s, full jitter from 250 ms, no limit, stable
        /// after 10 s, pings every 25 s with 10 s for the answer.
        Resilient = "resilient",
    }
}

impl Preset {
    /// The preset of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|preset| preset.as_str() == name)
    }

    /// A builder that starts from this preset.
    pub fn builder(self) -> PolicyBuilder {
        let chat = Policy::builder();
        match self {
            Self::Chat => chat,
            Self::Assistant => chat.busy_timeout(Micros::from_secs(120)),
            Self::Support => chat.base_delay(Micros::from_millis(500)).max_attempts(10),
            Self::Session => chat
                .base_delay(Micros::from_millis(500))
                .max_delay(Micros::from_secs(10))
                .jitter(Jitter::None)
                .max_attempts(None),
            Self::Resilient => chat
                .base_delay(Micros::from_millis(500))
                .max_delay(Micros::from_secs(30))
                .min_delay(Micros::from_millis(250))
                .max_attempts(None)
                .stable_after(Micros::from_secs(10))
                .health_check_interval(Micros::from_secs(25))
                .ping_timeout(Micros::from_secs(10)),
        }
    }

    /// The preset as a policy.
    #[must_use]
    pub fn policy(self) -> Policy {
        #[allow(clippy::expect_used)] // a test builds every preset
        self.builder().build().expect("a preset is a valid policy")
    }
}

impl Policy {
    /// The preset [`Chat`](Preset::Chat): the defaults.
    #[must_use]
    pub fn chat() -> Self {
        Preset::Chat.policy()
    }

    /// The preset [`Assistant`](Preset::Assistant).
    #[must_use]
    pub fn assistant() -> Self {
        Preset::Assistant.policy()
    }

    /// The preset [`Support`](Preset::Support).
    #[must_use]
    pub fn support() -> Self {
        Preset::Support.policy()
    }

    /// The preset [`Session`](Preset::Session).
    #[must_use]
    pub fn session() -> Self {
        Preset::Session.policy()
    }

    /// The preset [`Resilient`](Preset::Resilient).
    #[must_use]
    pub fn resilient() -> Self {
        Preset::Resilient.policy()
    }
}
