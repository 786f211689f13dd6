//! Pings and their answers on one open connection.

use core::num::NonZeroU64;

use crate::grades::{OptionalSmoothed, Smoothed};
use crate::moment::Moment;
use crate::policy::Policy;
use crate::time::Micros;
use crate::words::PingId;

/// The health checks of one open connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub(crate) struct Health {
    /// When the next ping falls due; never without health checks.
    next_ping: Moment,
    unanswered: Option<Unanswered>,
    smoothed: OptionalSmoothed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
struct Unanswered {
    /// Its id, which is never 0: so none takes no more room.
    ping: NonZeroU64,
    sent: Moment,
    /// The last sign of life; at first the sending.
    heard: Moment,
}

impl Health {
    pub(crate) fn new(policy: &Policy, ready: Moment) -> Self {
        Self { next_ping: next_ping(policy, ready), unanswered: None, smoothed: OptionalSmoothed::NONE }
    }

    /// The next ping (sent, or left out), or the peer's death, whichever comes first.
    pub(crate) fn deadline(&self, patience: Micros) -> Moment {
        self.next_ping.min(self.death(patience))
    }

    /// When silence since the unanswered ping will have lasted `patience`.
    pub(crate) fn death(&self, patience: Micros) -> Moment {
        self.unanswered.map_or(Moment::NEVER, |unanswered| unanswered.heard.after(patience))
    }

    pub(crate) fn ping_is_due(&self, now: Moment) -> bool {
        self.next_ping <= now
    }

    pub(crate) const fn awaits_pong(&self) -> bool {
        self.unanswered.is_some()
    }

    pub(crate) fn smoothed(&self) -> Option<Smoothed> {
        self.smoothed.get()
    }

    /// Any traffic; also the end of the peer's being busy.
    pub(crate) const fn on_life(&mut self, now: Moment) {
        if let Some(unanswered) = &mut self.unanswered {
            unanswered.heard = now;
        }
    }

    /// A pong. The latency and its smoothed value, if it answers the ping that is waited for; otherwise it is traffic.
    pub(crate) fn on_pong(&mut self, now: Moment, ping: PingId) -> Option<(Micros, Smoothed)> {
        let unanswered = self.unanswered.filter(|unanswered| unanswered.ping.get() == ping.0)?;
        self.unanswered = None;
        let latency = now.since(unanswered.sent);
        let smoothed = self.smoothed.get().map_or_else(|| Smoothed::first(latency), |before| before.with(latency));
        self.smoothed = smoothed.into();
        Some((latency, smoothed))
    }

    /// A ping goes out, in place of an unanswered one if there is one.
    pub(crate) fn on_sent(&mut self, policy: &Policy, now: Moment, ping: NonZeroU64) {
        self.unanswered = Some(Unanswered { ping, sent: now, heard: now });
        self.next_ping = next_ping(policy, now);
    }

    /// A ping that fell due while another is unanswered is left out.
    pub(crate) fn on_left_out(&mut self, policy: &Policy, now: Moment) {
        self.next_ping = next_ping(policy, now);
    }

    /// While a ping is unanswered, leaves out at once all that fall due up to `until`, but for the last of them.
    #[cfg(feature = "trace")]
    pub(crate) fn leave_out_many(&mut self, policy: &Policy, until: Moment) {
        if let (Some(_), Some(interval)) = (self.unanswered, policy.health_check_interval()) {
            let left = until.since(self.next_ping).as_micros();
            let part = left.checked_rem(interval.as_micros()).unwrap_or(left);
            self.next_ping = self.next_ping.after(Micros::from_micros(left.saturating_sub(part)));
        }
    }

    /// Goes on under another policy, which may have pings where there were none, or none where there were some: then no
    /// answer is waited for any more either.
    pub(crate) fn follow(&mut self, policy: &Policy, now: Moment) {
        let checked = policy.health_check_interval().is_some();
        if !checked || self.next_ping == Moment::NEVER {
            self.next_ping = next_ping(policy, now);
        }
        if !checked {
            self.unanswered = None;
        }
    }

    pub(crate) fn shifted(self, by: i64) -> Self {
        Self {
            next_ping: self.next_ping.shifted(by),
            unanswered: self.unanswered.map(|unanswered| Unanswered {
                sent: unanswered.sent.shifted(by),
                heard: unanswered.heard.shifted(by),
                ..unanswered
            }),
            smoothed: self.smoothed,
        }
    }
}

fn next_ping(policy: &Policy, after: Moment) -> Moment {
    policy.health_check_interval().map_or(Moment::NEVER, |interval| after.after(interval))
}
