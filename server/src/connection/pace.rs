//! Whether the client is still there.

use redial::{Micros, Timestamp};

use crate::limits::Limits;

/// Pings a client that is silent, and gives it up if it stays so.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Micros,
    timeout: Micros,
    last_heard: Timestamp,
    pinged_at: Option<Timestamp>,
    pings: u64,
}

/// What silence asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Nothing yet.
    Short,
    /// The ping of this id.
    Ping(u64),
    /// An end.
    Long,
}

impl Pace {
    pub(crate) fn new(limits: &Limits, now: Timestamp) -> Self {
        Self {
            interval: limits.ping_interval.into(),
            timeout: limits.ping_timeout.into(),
            last_heard: now,
            pinged_at: None,
            pings: 0,
        }
    }

    pub(crate) const fn heard(&mut self, now: Timestamp) {
        self.last_heard = now;
        self.pinged_at = None;
    }

    pub(crate) fn check(&mut self, now: Timestamp) -> Silence {
        if now < self.deadline() {
            return Silence::Short;
        }
        if self.pinged_at.is_some() {
            return Silence::Long;
        }
        self.pinged_at = Some(now);
        self.pings += 1;
        Silence::Ping(self.pings)
    }

    pub(crate) fn deadline(&self) -> Timestamp {
        match self.pinged_at {
            Some(at) => at.saturating_add(self.timeout),
            None => self.last_heard.saturating_add(self.interval),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_client_is_pinged_and_then_given_up_and_any_sign_of_life_begins_anew() {
        let at = Timestamp::from_millis;
        let mut pace = Pace::new(&Limits::default(), at(0));
        assert_eq!(pace.check(at(29_999)), Silence::Short);
        assert_eq!(pace.check(at(30_000)), Silence::Ping(1));
        pace.heard(at(44_999));
        assert_eq!(pace.check(at(74_998)), Silence::Short);
        assert_eq!(pace.check(at(74_999)), Silence::Ping(2));
        assert_eq!(pace.check(at(89_998)), Silence::Short);
        assert_eq!(pace.check(at(89_999)), Silence::Long);
    }
}
