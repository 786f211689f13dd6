//! What is told of what was seen.

use std::io::{self, Write};

use redial::{Micros, Quality};
use serde::Serialize;
use serde_json::Value;

use super::connection::{Seen, Speaks};
use super::health::Health;
use super::place::Place;
use crate::failure::Failure;
use crate::{describe, session_events, text};

/// Everything, as `--json` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    url: String,
    ok: bool,
    health: HealthReport,
    connection: ConnectionReport,
    session: SessionReport,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct HealthReport {
    url: String,
    ok: bool,
    status: Option<u16>,
    report: Option<Value>,
    problem: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionReport {
    open: bool,
    opened_after: Option<Micros>,
    latency: Option<Micros>,
    pings: usize,
    quality: Option<Quality>,
    problem: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionReport {
    protocol: Option<&'static str>,
    ttl: Option<Micros>,
    resumed: bool,
    resumed_after: Option<Micros>,
    problem: Option<String>,
}

impl Report {
    pub(super) fn new(place: &Place, health: Health, seen: Seen) -> Self {
        let (protocol, ttl) = match seen.speaks {
            Some(Speaks::Session { ttl }) => (Some("redial.v1"), Some(ttl)),
            Some(Speaks::Plain) => (Some("plain"), None),
            None => (None, None),
        };
        let open = seen.opened_after.is_some() && seen.problem.is_none();
        let resumed = seen.resumed_after.is_some();
        Self {
            url: text::url(&place.url),
            ok: health.ok && open && resumed,
            health: HealthReport {
                url: place.health_url(),
                ok: health.ok,
                status: health.status,
                report: health.report,
                problem: health.none,
            },
            connection: ConnectionReport {
                open,
                opened_after: seen.opened_after,
                latency: seen.latency,
                pings: seen.pings,
                quality: seen.quality,
                problem: seen.problem,
            },
            session: SessionReport {
                protocol,
                ttl,
                resumed,
                resumed_after: seen.resumed_after,
                problem: seen.resume_problem,
            },
        }
    }

    /// For people on stderr, or as JSON on stdout.
    pub(super) fn print(&self, json: bool) -> io::Result<()> {
        if json {
            let mut line = serde_json::to_vec(self)?;
            line.push(b'\n');
            return io::stdout().lock().write_all(&line);
        }
        let mut lines = String::new();
        for (name, what) in self.rows() {
            lines.push_str(&format!("{name:<12}{}\n", text::one_line(&what, true)));
        }
        io::stderr().lock().write_all(lines.as_bytes())
    }

    /// # Errors
    /// What is not well.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let parts =
            [(self.health.ok, "health"), (self.connection.open, "connection"), (self.session.resumed, "resumption")];
        let bad: Vec<_> = parts.iter().filter(|(ok, _)| !ok).map(|(_, name)| *name).collect();
        if bad.is_empty() { Ok(()) } else { Err(Failure::check(format_args!("not all is well: {}", bad.join(", ")))) }
    }

    fn rows(&self) -> [(&'static str, String); 6] {
        [
            ("url", self.url.clone()),
            ("health", self.health.text()),
            ("connection", self.connection.text()),
            ("latency", self.connection.latency_text()),
            ("session", self.session.text()),
            ("resumption", self.session.resumption_text()),
        ]
    }
}

impl HealthReport {
    fn text(&self) -> String {
        if let Some(problem) = &self.problem {
            return format!("none ({problem})");
        }
        let word = |key: &str| {
            self.report.as_ref()?.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        let status = word("status").unwrap_or_else(|| if self.ok { "ok" } else { "not ok" }.to_owned());
        let rest = ["store", "sessions", "connections", "version"];
        let rest = rest.iter().filter_map(|key| Some(format!("{key} {}", word(key)?)));
        std::iter::once(status).chain(rest).collect::<Vec<_>>().join(", ")
    }
}

impl ConnectionReport {
    fn text(&self) -> String {
        match (&self.opened_after, &self.problem) {
            (Some(after), None) => format!("open after {}", describe::seconds(*after)),
            (Some(after), Some(problem)) => format!("open after {}, then: {problem}", describe::seconds(*after)),
            (None, problem) => format!("failed: {}", problem.as_deref().unwrap_or("closed")),
        }
    }

    fn latency_text(&self) -> String {
        match (self.latency, self.quality) {
            (Some(latency), Some(quality)) => {
                format!("{}, {quality} (pings: {})", describe::seconds(latency), self.pings)
            }
            _ => "unknown".to_owned(),
        }
    }
}

impl SessionReport {
    fn text(&self) -> String {
        match (self.protocol, self.ttl) {
            (Some(protocol), Some(ttl)) => {
                format!("{protocol}, kept for {} without a connection", session_events::whole_seconds(ttl))
            }
            (Some(_), None) => "none: the server speaks no redial.v1".to_owned(),
            (None, _) => "unknown".to_owned(),
        }
    }

    fn resumption_text(&self) -> String {
        match (self.resumed_after, &self.problem, self.protocol) {
            (Some(after), _, _) => format!("works: cut, and resumed after {}", describe::seconds(after)),
            (None, Some(problem), _) => format!("fails: {problem}"),
            (None, None, Some("plain")) => "not supported".to_owned(),
            (None, None, _) => "unknown".to_owned(),
        }
    }
}
