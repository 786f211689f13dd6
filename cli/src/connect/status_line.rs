//! The one live line: phase, endpoint, quality with latency, attempt, countdown to the next dial, uptime.

use std::fmt::Write;

use redial::{Holds, Micros, Phase, Quality};

/// What the line tells.
#[derive(Clone, Debug)]
pub(crate) struct View<'a> {
    pub(crate) phase: Phase,
    pub(crate) endpoint: &'a str,
    pub(crate) attempt: u32,
    pub(crate) quality: Option<Quality>,
    pub(crate) latency: Option<Micros>,
    pub(crate) next_dial_in: Option<Micros>,
    pub(crate) uptime: Option<Micros>,
    pub(crate) holds: Holds,
    pub(crate) queued: usize,
}

impl View<'_> {
    /// The line, without colours.
    pub(crate) fn text(&self) -> String {
        let mut line = format!("{} {} {}", self.dot(), self.phase, self.endpoint);
        if let Some(quality) = self.quality.filter(|_| self.phase == Phase::Open) {
            let _ = write!(line, " · {quality}");
        }
        if let Some(latency) = self.latency {
            let _ = write!(line, " {:.1} ms", latency.as_millis_f64());
        }
        if let Some(wait) = self.next_dial_in {
            let _ = write!(line, " · retry {} in {:.1} s", self.attempt, wait.as_millis_f64() / 1000.0);
        } else if self.phase.is_connecting() && self.attempt > 0 {
            let _ = write!(line, " · retry {}", self.attempt);
        }
        if self.phase == Phase::Held {
            let reasons: Vec<_> = self.holds.iter().map(|reason| reason.as_str()).collect();
            let _ = write!(line, " · {}", reasons.join(", "));
        }
        if let Some(uptime) = self.uptime {
            let _ = write!(line, " · up {}", clock(uptime));
        }
        if self.queued > 0 {
            let _ = write!(line, " · {} queued", self.queued);
        }
        line
    }

    /// Green for open, yellow for connecting, red for all else, as an ANSI colour.
    pub(crate) const fn colour(&self) -> u8 {
        match self.phase {
            Phase::Open => 32,
            Phase::Connecting | Phase::Handshaking => 33,
            Phase::Idle | Phase::Waiting | Phase::Held | Phase::Closed | Phase::Failed => 31,
        }
    }

    const fn dot(&self) -> char {
        match self.phase {
            Phase::Open => '●',
            Phase::Connecting | Phase::Handshaking => '◐',
            Phase::Idle | Phase::Waiting | Phase::Held | Phase::Closed | Phase::Failed => '○',
        }
    }
}

/// `1:05` or `2:01:05`.
pub(crate) fn clock(span: Micros) -> String {
    let seconds = span.as_micros() / 1_000_000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLANK: View<'_> = View {
        phase: Phase::Idle,
        endpoint: "ws://a/",
        attempt: 0,
        quality: None,
        latency: None,
        next_dial_in: None,
        uptime: None,
        holds: Holds::NONE,
        queued: 0,
    };

    #[test]
    fn each_phase_tells_what_matters_in_it() {
        let open = View {
            phase: Phase::Open,
            quality: Some(Quality::Good),
            latency: Some(Micros::from_micros(61_230)),
            uptime: Some(Micros::from_secs(3723)),
            ..BLANK
        };
        assert_eq!(open.text(), "● open ws://a/ · good 61.2 ms · up 1:02:03");
        let waiting = View {
            phase: Phase::Waiting,
            attempt: 3,
            quality: Some(Quality::Disconnected),
            next_dial_in: Some(Micros::from_millis(2449)),
            queued: 2,
            ..BLANK
        };
        assert_eq!(waiting.text(), "○ waiting ws://a/ · retry 3 in 2.4 s · 2 queued");
        let connecting = View { phase: Phase::Connecting, attempt: 3, ..BLANK };
        assert_eq!(connecting.text(), "◐ connecting ws://a/ · retry 3");
    }
}
