//! `redial connect`: a connection that stays, with a person or a program at the other end of stdin.

mod editor;
mod input;
mod line;
mod screen;
mod status_line;

use std::fs::File;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;

use futures_util::{Sink, Stream};
use redial::trace::Writer;
use redial::{HoldReason, Limit, Notice, Output, Timestamp};
use redial_driver::TraceRecorder;
use redial_tokio::{Clock, Event, Message, Reconnecting, SendError, TokioClock};
use serde::Serialize;

use crate::describe;
use crate::failure::Failure;
use input::{Act, UserInput};
use line::Said;
use screen::Screen;
use status_line::{View, clock};

/// The connection, and perhaps its recording.
type Connection = Reconnecting<Option<TraceRecorder<File>>>;

/// One run of the command.
pub(crate) struct Session {
    connection: Connection,
    clock: TokioClock,
    endpoints: Vec<String>,
    json: bool,
    screen: Screen,
    input: UserInput,
    /// A line that waits for place in the outbox; no other is read meanwhile.
    outgoing: Option<Message>,
    gave_up: Option<Limit>,
}

impl Session {
    /// A session on `connection`, whose clock is `clock`. `endpoints` are its URLs, for people.
    pub(crate) fn new(
        connection: Connection,
        clock: TokioClock,
        endpoints: Vec<String>,
        json: bool,
    ) -> Result<Self, Failure> {
        let screen = Screen::new(!json)?;
        let input = if screen.reads_keys() { UserInput::keys() } else { UserInput::lines() };
        Ok(Self { connection, clock, endpoints, json, screen, input, outgoing: None, gave_up: None })
    }

    /// Stays connected until the user or a limit ends it. `Ok` with the limit, if one did.
    pub(crate) async fn run(mut self) -> Result<Option<Limit>, Failure> {
        // Often enough for a countdown in tenths of a second.
        let mut redraw = tokio::time::interval(Duration::from_millis(100));
        redraw.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut interrupts = 0_u8;
        loop {
            self.draw()?;
            let interrupted = tokio::select! {
                next = next(&mut self.connection, &mut self.outgoing) => match next {
                    Next::Event(event) => {
                        self.on_event(event)?;
                        false
                    }
                    Next::Refused(error) => {
                        let problem = error.to_string();
                        let message = error.into_message().map(|message| message.to_string()).unwrap_or_default();
                        self.say(&format!("not sent, {problem}: {message}"))?;
                        false
                    }
                    Next::End => break,
                },
                act = self.input.next(), if self.outgoing.is_none() => self.on_act(act)?,
                _ = redraw.tick(), if self.screen.is_live() => false,
                result = tokio::signal::ctrl_c() => {
                    result?;
                    true
                }
            };
            if interrupted {
                interrupts = interrupts.saturating_add(1);
                self.connection.stop();
                if interrupts > 1 {
                    break; // not even the close handshake is to be waited for
                }
            }
        }
        self.report_unsent()?;
        match self.connection.recorder_mut().as_ref().and_then(TraceRecorder::error) {
            Some(error) => Err(Failure::check(format_args!("--record: the recording is not complete: {error}"))),
            None => Ok(self.gave_up),
        }
    }

    fn on_event(&mut self, event: Event<Message>) -> Result<(), Failure> {
        match event {
            Event::Message(message) => self.on_message(&message),
            Event::Notice(notice) => self.on_notice(notice),
            Event::Dropped { message, .. } => self.say(&format!("not sent: {message}")),
            // A kind that came later than this command.
            _ => Ok(()),
        }
    }

    fn on_message(&mut self, message: &Message) -> Result<(), Failure> {
        if !self.json {
            return match message {
                Message::Text(text) => Ok(self.screen.message(text.as_bytes())?),
                Message::Binary(bytes) => self.say(&format!("a binary message of {} bytes came", bytes.len())),
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => Ok(()),
            };
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
        let body = match message {
            Message::Text(text) => Body::Message(text),
            Message::Binary(bytes) => Body::Binary(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => return Ok(()),
        };
        let line = serde_json::to_vec(&Line { at: self.clock.now(), body }).map_err(std::io::Error::from)?;
        Ok(self.screen.message(&line)?)
    }

    fn on_notice(&mut self, notice: Notice) -> Result<(), Failure> {
        if let Notice::GaveUp { limit, .. } = notice {
            self.gave_up = Some(limit);
        }
        if self.json {
            let mut line = Vec::new();
            Writer::new(&mut line).output(self.clock.now(), &Output::Notice(notice))?;
            return Ok(self.screen.message(line.trim_ascii_end())?);
        }
        match describe::notice(&notice, &self.endpoint()) {
            Some(text) => self.say(&text),
            None => Ok(()),
        }
    }

    /// Whether the user wants to end.
    fn on_act(&mut self, act: Act) -> Result<bool, Failure> {
        match act {
            Act::Typed => Ok(false),
            Act::Interrupt => Ok(true),
            Act::NotText => {
                self.say("a line is not UTF-8 and was not sent; allowed: UTF-8 text")?;
                Ok(false)
            }
            Act::Line(line) => match Said::parse(&line) {
                Ok(Said::Message(text)) => {
                    self.outgoing = Some(Message::text(text));
                    Ok(false)
                }
                Ok(Said::Reconnect) => {
                    self.connection.reconnect();
                    Ok(false)
                }
                Ok(Said::Auto(on)) => {
                    if on {
                        self.connection.release(HoldReason::AutoReconnectOff);
                    } else {
                        self.connection.hold(HoldReason::AutoReconnectOff);
                    }
                    self.say(&format!("automatic reconnection {}", if on { "on" } else { "off" }))?;
                    Ok(false)
                }
                Ok(Said::Status) => {
                    let text = self.status();
                    self.say(&text)?;
                    Ok(false)
                }
                Ok(Said::Quit) => {
                    self.connection.stop();
                    Ok(false)
                }
                Err(problem) => {
                    self.say(&problem)?;
                    Ok(false)
                }
            },
        }
    }

    fn say(&mut self, text: &str) -> Result<(), Failure> {
        let seconds = self.clock.now().saturating_since(Timestamp::ZERO).as_millis_f64() / 1000.0;
        Ok(self.screen.event(&format!("{seconds:>9.3}  {text}"))?)
    }

    fn status(&self) -> String {
        let stats = self.connection.stats();
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

    fn draw(&mut self) -> Result<(), Failure> {
        if self.screen.is_live() {
            let endpoint = self.endpoint();
            let view = self.view(&endpoint);
            self.screen.draw(&view, self.input.typed())?;
        }
        Ok(())
    }

    fn view<'a>(&self, endpoint: &'a str) -> View<'a> {
        let (status, now) = (self.connection.status(), self.clock.now());
        View {
            phase: status.phase,
            endpoint,
            attempt: status.attempt,
            quality: status.quality,
            latency: status.latency,
            next_dial_in: status.next_dial_at.map(|at| at.saturating_since(now)),
            uptime: status.open_since.map(|since| now.saturating_since(since)),
            holds: self.connection.machine().holds(),
            queued: status.outbox_messages,
        }
    }

    /// The URL that was dialled last.
    fn endpoint(&self) -> String {
        let index = self.connection.status().endpoint.unwrap_or(0);
        let url = usize::try_from(index).ok().and_then(|index| self.endpoints.get(index));
        url.cloned().unwrap_or_default()
    }

    fn report_unsent(&mut self) -> Result<(), Failure> {
        let unsent = self.connection.take_unsent();
        for message in unsent.into_iter().chain(self.outgoing.take()) {
            self.say(&format!("not sent: {message}"))?;
        }
        Ok(())
    }
}

/// What the connection did.
enum Next {
    Event(Event<Message>),
    /// It did not take a message.
    Refused(SendError<Message>),
    /// It has ended.
    End,
}

/// What the connection does next, while `outgoing` is sent as soon as there is place for it. Cancel-safe.
async fn next(connection: &mut Connection, outgoing: &mut Option<Message>) -> Next {
    std::future::poll_fn(|cx| {
        // What is fed is flushed when there is nothing more to read: many lines go out in one write.
        if outgoing.is_some() && Pin::new(&mut *connection).poll_ready(cx).is_ready() {
            if let Some(message) = outgoing.take() {
                if let Err(error) = Pin::new(&mut *connection).start_send(message) {
                    return Poll::Ready(Next::Refused(error));
                }
            }
        }
        let event = ready!(Pin::new(&mut *connection).poll_next(cx));
        Poll::Ready(event.map_or(Next::End, Next::Event))
    })
    .await
}
