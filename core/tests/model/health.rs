//! Pings, latency and grades.

use redial::{Cause, Command, Notice, Output, Phase, PingId, Quality};

use super::{Model, Oracle, Us, micros, us};

/// A microsecond in the parts that latency is smoothed in.
const ONE: Us = 1 << 64;

/// The pings of one connection.
#[derive(Default)]
pub(super) struct Pings {
    /// When the next falls due; `None` before ready and without health checks.
    pub(super) next_at: Option<Us>,
    /// "at most one ping is unanswered"
    unanswered: Option<Unanswered>,
    /// Every latency measured.
    samples: Vec<Us>,
}

struct Unanswered {
    ping: PingId,
    sent_at: Us,
    /// The ping itself, the latest traffic after it, or `busy` going off after it, whichever was last.
    alive_at: Us,
}

impl Model {
    /// "silence of pingTimeout after a ping ends the connection"; busyTimeout "replaces pingTimeout while `busy` is on".
    pub(super) fn dead_at(&self) -> Option<Us> {
        let timeout = if self.busy { self.policy.busy_timeout() } else { self.policy.ping_timeout() };
        Some(self.connection.as_ref()?.pings.unanswered.as_ref()?.alive_at + us(timeout))
    }

    /// "stable, then a dead peer, then a ping"
    pub(super) fn fire_while_open(&mut self, woke: bool, oracle: &mut Oracle) {
        if self.stable_at().is_some_and(|at| at <= self.now) {
            self.become_stable_if_due();
        } else if woke {
            // "a timeout later than the earliest deadline by more than `wakeGap` never itself ends a connection in phase
            // open: it sends a new ping, which takes the place of an unanswered one, and waits `pingTimeout` from then"
            self.send_ping();
        } else if self.dead_at().is_some_and(|at| at <= self.now) {
            // "A ping timeout is `hangUp` and `lost`."
            self.hang_up(Cause::PingTimeout);
            self.connection_ended(Cause::PingTimeout, oracle);
        } else {
            self.ping_falls_due();
        }
    }

    fn ping_falls_due(&mut self) {
        let pings = &mut self.connection.as_mut().expect("an open phase has a connection").pings;
        if pings.next_at.is_none_or(|at| at > self.now) {
            return;
        }
        if pings.unanswered.is_some() {
            // "one that falls due while another is unanswered is left out; whenever one is sent or left out the next
            // falls due an interval later"
            pings.next_at = self.policy.health_check_interval().map(|interval| self.now + us(interval));
        } else {
            self.send_ping();
        }
    }

    /// "healthCheckInterval null: no pings at all, not even on `offline` or waking."
    fn send_ping(&mut self) {
        let Some(interval) = self.policy.health_check_interval() else { return };
        self.pings_sent += 1;
        let ping = PingId(self.pings_sent);
        let connection = self.connection.as_mut().expect("an open phase has a connection");
        connection.pings.unanswered = Some(Unanswered { ping, sent_at: self.now, alive_at: self.now });
        connection.pings.next_at = Some(self.now + us(interval));
        let connection = connection.id;
        self.outputs.push(Output::Command(Command::Ping { connection, ping }));
    }

    /// "`offline` while open sends a ping at once, unless one is unanswered: then that is the probe."
    pub(super) fn probe(&mut self) {
        let pings = &self.connection.as_ref().expect("an open phase has a connection").pings;
        if pings.unanswered.is_none() {
            self.send_ping();
        }
    }

    /// "any traffic after the ping (a pong to another ping too) moves that to pingTimeout after the traffic"
    pub(super) fn traffic(&mut self) {
        if let Some(unanswered) = self.connection.as_mut().and_then(|connection| connection.pings.unanswered.as_mut()) {
            unanswered.alive_at = self.now;
        }
    }

    /// "so does `busy` going off."
    pub(super) fn set_busy(&mut self, on: bool) {
        if self.busy && !on {
            self.traffic();
        }
        self.busy = on;
    }

    pub(super) fn pong(&mut self, ping: PingId) {
        if self.phase != Phase::Open {
            return;
        }
        let connection = self.connection.as_mut().expect("an open phase has a connection");
        match connection.pings.unanswered.take() {
            Some(unanswered) if unanswered.ping == ping => {
                let latency = self.now - unanswered.sent_at;
                connection.pings.samples.push(latency);
                let connection = connection.id;
                let first = self.connection.as_ref().is_some_and(|connection| connection.pings.samples.len() == 1);
                let smoothed = self.smoothed();
                // Graded is the exact value; told is the nearest microsecond.
                let quality = if first { self.table(smoothed, 0) } else { self.graded(smoothed) };
                let told = (smoothed + ONE / 2) / ONE;
                self.notice(Notice::HealthCheck {
                    connection,
                    latency: micros(latency),
                    smoothed: micros(told),
                    quality,
                });
                self.grade(Some(quality));
            }
            other => {
                connection.pings.unanswered = other;
                self.traffic();
            }
        }
    }

    /// "RFC 6298's SRTT (first sample sets it, then + (sample − smoothed)/8, exact to 1 µs over any number of samples),
    /// anew for each connection." In parts of a microsecond so small that they are as good as exact.
    fn smoothed(&self) -> Us {
        let samples = &self.connection.as_ref().expect("a sample is a connection's").pings.samples;
        let mut samples = samples.iter().map(|sample| sample * ONE);
        let first = samples.next().expect("there is a sample");
        samples.fold(first, |smoothed, sample| smoothed + (sample - smoothed) / 8)
    }

    /// Told is the nearest microsecond.
    pub(super) fn told_latency(&self) -> Option<Us> {
        let measured = self.connection.as_ref().is_some_and(|connection| !connection.pings.samples.is_empty());
        measured.then(|| (self.smoothed() + ONE / 2) / ONE)
    }

    /// The table's grade with bounds × (1 + thousandths / 1000): "smoothed latency < 50 excellent, < 100 good, ≤ 200
    /// poor, above: disconnected".
    fn table(&self, smoothed: Us, thousandths: Us) -> Quality {
        let bounds = self.policy.quality();
        let moved = |bound| us(bound) * ONE * (1000 + thousandths);
        match smoothed * 1000 {
            latency if latency < moved(bounds.excellent) => Quality::Excellent,
            latency if latency < moved(bounds.good) => Quality::Good,
            latency if latency <= moved(bounds.poor) => Quality::Poor,
            _ => Quality::Disconnected,
        }
    }

    /// "later it gets worse only past bounds × (1 + hysteresis) and better only past bounds × (1 − hysteresis)"
    fn graded(&self, smoothed: Us) -> Quality {
        #[allow(clippy::cast_possible_truncation)]
        let hysteresis = (self.policy.quality().hysteresis * 1000.0).round() as Us;
        let now = self.quality.unwrap_or(Quality::Disconnected);
        let (worse, better) = (self.table(smoothed, hysteresis), self.table(smoothed, -hysteresis));
        let rank = |quality| Quality::ALL.iter().position(|other| *other == quality);
        if rank(worse) > rank(now) {
            worse
        } else if rank(better) < rank(now) {
            better
        } else {
            now
        }
    }

    pub(super) fn grade(&mut self, to: Option<Quality>) {
        if to != self.quality {
            self.notice(Notice::QualityChanged { from: self.quality, to });
            self.quality = to;
        }
    }
}
