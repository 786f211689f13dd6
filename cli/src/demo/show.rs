//! What the demo prints: lines for people on stderr, or JSON Lines on stdout.

use std::io::{self, IsTerminal, Write};

use redial::trace::Writer;
use redial::{Micros, Notice, Output, Stats, Timestamp};
use redial_tokio::{ClientEvent, LossReason};
use serde::Serialize;

use super::account::{Account, Sides};
use super::outage::Outage;
use crate::{describe, session_events};

/// Where the lines go, and how they look.
#[derive(Debug)]
pub(super) struct Show {
    json: bool,
    colours: bool,
    url: String,
    /// The present outage.
    outage: Option<Outage>,
}

impl Show {
    /// A show of a client that dials `url`.
    pub(super) fn new(json: bool, url: String) -> Self {
        // https://no-color.org: set, to anything but nothing.
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { json, colours: io::stderr().is_terminal() && !unwanted, url, outage: None }
    }

    pub(super) fn begins(&self, at: Timestamp, seed: u64, messages: u32) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line {
            at: Timestamp,
            seed: u64,
        }
        if self.json {
            return print_json(&Line { at, seed });
        }
        let text = format!("client, faulty network and server on loopback; {messages} messages, seed {seed}");
        self.title(&text)
    }

    pub(super) fn breaks(&mut self, at: Timestamp, number: u32, outages: u32, outage: Outage) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line {
            at: Timestamp,
            outage: &'static str,
        }
        self.outage = Some(outage);
        if self.json {
            return print_json(&Line { at, outage: outage.as_str() });
        }
        self.write("")?;
        self.title(&format!("outage {number} of {outages}: {}", outage.title()))
    }

    pub(super) fn mended(&self, at: Timestamp, outage: Outage) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line {
            at: Timestamp,
            mended: &'static str,
        }
        if self.json {
            return print_json(&Line { at, mended: outage.as_str() });
        }
        match outage.end() {
            Some(text) => self.line(at, Colour::Bold, text),
            None => Ok(()),
        }
    }

    pub(super) fn notice(&self, at: Timestamp, notice: &Notice) -> io::Result<()> {
        if self.json {
            return Writer::new(io::stdout().lock()).output(at, &Output::Notice(*notice));
        }
        let text =
            if let (Notice::HealthCheck { latency, smoothed, .. }, Some(Outage::SlowLink)) = (notice, self.outage) {
                // In other outages they are all alike.
                let [latency, smoothed] = [*latency, *smoothed].map(describe::seconds);
                Some(format!("ping answered after {latency}, smoothed {smoothed}"))
            } else {
                describe::notice(notice, &self.url)
            };
        text.map_or(Ok(()), |text| self.line(at, Colour::of(notice), &text))
    }

    pub(super) fn session(&self, at: Timestamp, event: &ClientEvent) -> io::Result<()> {
        if matches!(event, ClientEvent::Delivered { .. }) {
            return Ok(()); // as many as messages
        }
        if self.json {
            let Some(mut line) = session_events::json(at, event) else { return Ok(()) };
            line.push(b'\n');
            return io::stdout().lock().write_all(&line);
        }
        let colour = if matches!(event, ClientEvent::Started { .. } | ClientEvent::Resumed { .. }) {
            Colour::Green
        } else if matches!(event, ClientEvent::GoingAway(_)) {
            Colour::Yellow
        } else if matches!(event, ClientEvent::Lost(lost) if lost.reason == LossReason::User) {
            Colour::Plain
        } else {
            Colour::Red
        };
        session_events::text(event).map_or(Ok(()), |text| self.line(at, colour, &text))
    }

    pub(super) fn waited(&self, at: Timestamp, messages: u32) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        let text = match messages {
            1 => "1 message that waited is sent".to_owned(),
            _ => format!("{messages} messages that waited are sent"),
        };
        self.line(at, Colour::Plain, &text)
    }

    pub(super) fn all_over(&mut self, at: Timestamp, left: u32) -> io::Result<()> {
        self.outage = None;
        if self.json || left == 0 {
            return Ok(());
        }
        self.line(at, Colour::Bold, &format!("the network stays good; messages that are left: {left}"))
    }

    pub(super) fn interrupted(&self, at: Timestamp) -> io::Result<()> {
        if self.json { Ok(()) } else { self.line(at, Colour::Bold, "interrupted") }
    }

    /// The end of it all.
    pub(super) fn account(&self, account: &Account, sides: &Sides<'_>, stats: &Stats) -> io::Result<()> {
        if self.json {
            return print_json(account);
        }
        self.write("")?;
        self.title("the account")?;
        for (name, value) in rows(account, sides, stats) {
            self.write(&format!("{name:>21}  {value}"))?;
        }
        Ok(())
    }

    fn line(&self, at: Timestamp, colour: Colour, text: &str) -> io::Result<()> {
        let seconds = at.saturating_since(Timestamp::ZERO).as_millis_f64() / 1000.0;
        self.write(&format!("{seconds:>9.3}  {}", self.painted(colour, text)))
    }

    fn title(&self, text: &str) -> io::Result<()> {
        self.write(&self.painted(Colour::Bold, text))
    }

    fn painted(&self, colour: Colour, text: &str) -> String {
        match colour.code() {
            Some(code) if self.colours => format!("\x1b[{code}m{text}\x1b[0m"),
            Some(_) | None => text.to_owned(),
        }
    }

    /// With one call, so that no other process's output comes between.
    fn write(&self, line: &str) -> io::Result<()> {
        io::stderr().lock().write_all(format!("{line}\n").as_bytes())
    }
}

fn rows(account: &Account, sides: &Sides<'_>, stats: &Stats) -> Vec<(&'static str, String)> {
    let Account { sent, delivered, lost, duplicated, out_of_order, outages, reconnects, downtime } = account;
    let millis = |latency: Micros| format!("{:.1} ms", latency.as_millis_f64());
    let percentile = |percent| stats.latencies.percentile(percent).map_or_else(|| "unknown".to_owned(), millis);
    let mut rows = vec![
        ("sent", sent.to_string()),
        ("delivered", delivered.to_string()),
        ("answers", sides.answers.len().to_string()),
        ("lost", lost.to_string()),
        ("duplicated", duplicated.to_string()),
        ("out of order", out_of_order.to_string()),
    ];
    if sides.sent > *sent {
        rows.push(("not sent any more", sides.sent.saturating_sub(*sent).to_string()));
    }
    let rate = stats.success_rate().map_or_else(
        || "no retries".to_owned(),
        |rate| format!("{} of {} ({:.0} %)", stats.retries_opened, stats.retries, rate * 100.0),
    );
    rows.extend([
        ("outages", outages.to_string()),
        ("reconnects", reconnects.to_string()),
        ("uptime", describe::seconds(stats.uptime)),
        ("downtime", describe::seconds(*downtime)),
        ("longest outage", describe::seconds(stats.longest_outage)),
        ("retries that opened", rate),
        ("latency", format!("p50 {}, p99 {}", percentile(50.0), percentile(99.0))),
    ]);
    rows
}

#[derive(Clone, Copy, Debug)]
enum Colour {
    Plain,
    Bold,
    Green,
    Yellow,
    Red,
}

impl Colour {
    fn of(notice: &Notice) -> Self {
        match notice {
            Notice::Opened { .. } | Notice::Stable { .. } => Self::Green,
            Notice::RetryScheduled(_) | Notice::QualityChanged { .. } => Self::Yellow,
            Notice::Lost { .. } | Notice::AttemptFailed { .. } | Notice::GaveUp { .. } => Self::Red,
            Notice::Phase { .. } | Notice::HealthCheck { .. } => Self::Plain,
            // A kind that came later than this demo.
            _ => Self::Plain,
        }
    }

    /// The parameter of the terminal's "select graphic rendition" (ECMA-48, 8.3.117).
    const fn code(self) -> Option<u8> {
        match self {
            Self::Plain => None,
            Self::Bold => Some(1),
            Self::Green => Some(32),
            Self::Yellow => Some(33),
            Self::Red => Some(31),
        }
    }
}

fn print_json(line: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    io::stdout().lock().write_all(&bytes)
}
