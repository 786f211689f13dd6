//! What the user hears of what happens.

use redial::trace::Writer;
use redial::{Notice, Output, Timestamp};
use redial_tokio::{ClientEvent, Clock, LossReason, Payload, SessionEvent};
use serde::Serialize;

use super::status_line::{View, clock};
use super::stdout::Stdout;
use super::{Offer, Run};
use crate::failure::Failure;
use crate::{describe, session_events, text};

impl Run {
    pub(super) fn on_event(&mut self, event: SessionEvent) -> Result<(), Failure> {
        match event {
            SessionEvent::Message(message) => self.on_message(&message),
            SessionEvent::Notice(notice) => self.on_notice(notice),
            SessionEvent::Session(event) => self.on_session(&event),
            // A kind that came later than this command.
            _ => Ok(()),
        }
    }

    pub(super) fn on_session(&mut self, event: &ClientEvent) -> Result<(), Failure> {
        if *event == ClientEvent::Plain && self.offer == Offer::Nothing {
            return Ok(());
        }
        if let ClientEvent::Dropped { payload, .. } = event {
            self.say_unsent(payload)?;
        }
        if let ClientEvent::Lost(lost) = event {
            for message in &lost.in_doubt {
                self.say_in_doubt(&message.payload)?;
            }
            if lost.reason == LossReason::User {
                return Ok(());
            }
        }
        if self.json {
            return match session_events::json(self.clock.now(), event) {
                Some(line) => self.print(line),
                None => Ok(()),
            };
        }
        match session_events::text(event) {
            Some(text) => self.say(&text),
            None => Ok(()),
        }
    }

    pub(super) fn on_message(&mut self, message: &Payload) -> Result<(), Failure> {
        if !self.json {
            let Some(text) = message.as_text() else {
                return self.say(&format!("{} came", session_events::shown(message)));
            };
            let terminal = matches!(self.stdout, Stdout::Terminal);
            return self.print(text::one_line(text, terminal).into_bytes());
        }
        #[derive(Serialize)]
        #[serde(rename_all = "lowercase")]
        enum Body<'a> {
            Message(&'a str),
            Binary(String),
        }
        #[derive(Serialize)]
        struct Line<'a> {
            at: Timestamp,
            #[serde(flatten)]
            body: Body<'a>,
        }
        let body = match message.as_text() {
            Some(text) => Body::Message(text),
            None => Body::Binary(message.bytes().iter().map(|byte| format!("{byte:02x}")).collect()),
        };
        let line = serde_json::to_vec(&Line { at: self.clock.now(), body }).map_err(std::io::Error::from)?;
        self.print(line)
    }

    pub(super) fn on_notice(&mut self, notice: Notice) -> Result<(), Failure> {
        if let Notice::GaveUp { limit, .. } = notice {
            self.gave_up = Some(limit);
        }
        if self.json {
            let mut line = Vec::new();
            Writer::new(&mut line).output(self.clock.now(), &Output::Notice(notice))?;
            line.truncate(line.trim_ascii_end().len());
            return self.print(line);
        }
        match describe::notice(&notice, &self.endpoint()) {
            Some(text) => self.say(&text),
            None => Ok(()),
        }
    }

    pub(super) fn say(&mut self, text: &str) -> Result<(), Failure> {
        let seconds = self.clock.now().saturating_since(Timestamp::ZERO).as_millis_f64() / 1000.0;
        Ok(self.screen.event(&format!("{seconds:>9.3}  {text}"))?)
    }

    pub(super) fn status(&self) -> String {
        let stats = self.connection.connection().stats();
        let rate = stats.success_rate().map_or_else(|| "none yet".to_owned(), |rate| format!("{:.0} %", rate * 100.0));
        format!(
            "{} · {} dials · retries that opened: {rate} · up {} · down {} · longest outage {}",
            self.view(&self.endpoint()).text(),
            stats.dials,
            clock(stats.uptime),
            clock(stats.downtime),
            describe::seconds(stats.longest_outage)
        )
    }

    pub(super) fn say_unsent(&mut self, message: &Payload) -> Result<(), Failure> {
        self.say(&format!("not sent: {}", text::beginning(&session_events::shown(message))))
    }

    pub(super) fn say_in_doubt(&mut self, message: &Payload) -> Result<(), Failure> {
        self.say(&format!("perhaps not delivered: {}", text::beginning(&session_events::shown(message))))
    }

    pub(super) fn view<'a>(&self, endpoint: &'a str) -> View<'a> {
        let (status, now) = (self.connection.connection().status(), self.clock.now());
        let session = self.connection.status();
        View {
            phase: status.phase,
            endpoint,
            attempt: status.attempt,
            quality: status.quality,
            latency: status.latency,
            next_dial_in: status.next_dial_at.map(|at| at.saturating_since(now)),
            uptime: status.open_since.map(|since| now.saturating_since(since)),
            holds: self.connection.connection().machine().holds(),
            queued: session.pending.saturating_sub(session.in_flight),
        }
    }

    /// The URL that was dialled last.
    pub(super) fn endpoint(&self) -> String {
        let index = self.connection.connection().status().endpoint.unwrap_or(0);
        let url = usize::try_from(index).ok().and_then(|index| self.endpoints.get(index));
        url.cloned().unwrap_or_default()
    }
}
