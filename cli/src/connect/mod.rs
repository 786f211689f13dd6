//! `redial connect`: a connection that stays, with a person or a program at the other end of stdin.

mod editor;
mod input;
mod line;
mod outgoing;
mod screen;
mod status_line;
mod stdout;

use std::fs::File;
use std::time::Duration;

use redial::trace::Writer;
use redial::{HoldReason, Limit, Notice, Output, Timestamp};
use redial_driver::TraceRecorder;
use redial_tokio::{Clock, Event, Message, Reconnecting, SendError, TokioClock};
use serde::Serialize;

use crate::describe;
use crate::failure::Failure;
use crate::signals::Signals;
use crate::text;
use input::{Act, UserInput};
use line::Said;
use outgoing::{Next, Outgoing};
use screen::Screen;
use status_line::{View, clock};
use stdout::Stdout;

/// How long an interrupted command waits for a slow reader of its stdout.
const PATIENCE: Duration = Duration::from_millis(250);

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
    outgoing: Outgoing,
    stdout: Stdout,
    /// A line that waits for the reader of stdout. The connection waits too, with its pings: better that it is lost than
    /// that the memory fills.
    unprinted: Option<Vec<u8>>,
    interrupts: u8,
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
        let endpoints = endpoints.iter().map(|url| text::url(url)).collect();
        let (outgoing, stdout) = (Outgoing::default(), Stdout::new()?);
        Ok(Self {
            connection,
            clock,
            endpoints,
            json,
            screen,
            input,
            outgoing,
            stdout,
            unprinted: None,
            interrupts: 0,
            gave_up: None,
        })
    }

    /// Stays connected until the user or a limit ends it. `Ok` with the limit, if one did.
    pub(crate) async fn run(mut self) -> Result<Option<Limit>, Failure> {
        // Often enough for a countdown in tenths of a second.
        let mut redraw = tokio::time::interval(Duration::from_millis(100));
        redraw.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut signals = Signals::new()?;
        loop {
            self.draw()?;
            let interrupted = tokio::select! {
                next = self.outgoing.next(&mut self.connection), if self.unprinted.is_none() => match next {
                    Next::Event(event) => {
                        self.on_event(event)?;
                        false
                    }
                    Next::Sent => false,
                    Next::Refused(error) => {
                        self.on_refused(error)?;
                        false
                    }
                    Next::End => break,
                },
                result = self.stdout.write(&mut self.unprinted) => {
                    result?;
                    false
                }
                act = self.input.next(), if self.takes_input() => self.on_acts(act).await?,
                _ = redraw.tick(), if self.screen.is_live() => false,
                result = signals.next() => {
                    result?;
                    true
                }
            };
            if interrupted {
                self.interrupts = self.interrupts.saturating_add(1);
                self.unprinted = None; // its reader is not waited for any more
                self.connection.stop();
                if self.interrupts > 1 {
                    break; // not even the close handshake is to be waited for
                }
            }
        }
        self.report_unsent().await?;
        self.finish(&mut signals).await?;
        match self.connection.recorder_mut().as_ref().and_then(TraceRecorder::error) {
            Some(error) => Err(Failure::check(format_args!("--record: the recording is not complete: {error}"))),
            None => Ok(self.gave_up),
        }
    }

    fn on_event(&mut self, event: Event<Message>) -> Result<(), Failure> {
        match event {
            Event::Message(message) => self.on_message(&message),
            Event::Notice(notice) => self.on_notice(notice),
            Event::Dropped { message, .. } => self.say_unsent(&message.to_string()),
            // A kind that came later than this command.
            _ => Ok(()),
        }
    }

    fn on_message(&mut self, message: &Message) -> Result<(), Failure> {
        if !self.json {
            return match message {
                Message::Text(text) => {
                    let terminal = matches!(self.stdout, Stdout::Terminal);
                    self.print(text::one_line(text, terminal).into_bytes())
                }
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
        self.print(line)
    }

    fn on_notice(&mut self, notice: Notice) -> Result<(), Failure> {
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

    /// A line for whoever reads stdout.
    fn print(&mut self, line: Vec<u8>) -> Result<(), Failure> {
        match self.stdout {
            Stdout::Terminal => self.screen.message(&line)?,
            Stdout::Thread { .. } => self.unprinted = self.stdout.try_write(line).filter(|_| self.interrupts == 0),
        }
        Ok(())
    }

    fn on_refused(&mut self, error: SendError<Message>) -> Result<(), Failure> {
        let problem = error.to_string();
        let message = error.into_message().map(|message| message.to_string()).unwrap_or_default();
        self.say(&format!("not sent, {problem}: {}", text::beginning(&message)))
    }

    /// Keys are always read; whoever pipes lines in waits until there is room for them.
    fn takes_input(&self) -> bool {
        self.screen.reads_keys() || !self.outgoing.is_full()
    }

    /// Takes with an act those that have come already, so that their messages go out together. Whether the user wants to
    /// end.
    async fn on_acts(&mut self, mut act: Act) -> Result<bool, Failure> {
        for _ in 1..Outgoing::ROOM {
            if self.on_act(act).await? {
                return Ok(true);
            }
            let further = if self.takes_input() { self.input.at_once() } else { None };
            let Some(further) = further else { return Ok(false) };
            act = further;
        }
        self.on_act(act).await
    }

    /// Whether the user wants to end.
    async fn on_act(&mut self, act: Act) -> Result<bool, Failure> {
        match act {
            Act::Typed => Ok(false),
            Act::Interrupt => Ok(true),
            Act::NotText => {
                self.say("a line is not UTF-8 and was not sent; allowed: UTF-8 text")?;
                Ok(false)
            }
            Act::Line(line) => {
                match Said::parse(&line) {
                    Ok(said) => self.on_said(said).await?,
                    Err(problem) => self.say(&problem)?,
                }
                Ok(false)
            }
        }
    }

    async fn on_said(&mut self, said: Said) -> Result<(), Failure> {
        let is_message = matches!(said, Said::Message(_));
        // A command acts at once, and after the messages before it.
        if !is_message || self.outgoing.is_full() {
            if let Err(error) = self.outgoing.send_ready(&mut self.connection).await {
                self.on_refused(error)?;
            }
        }
        match said {
            Said::Message(text) if self.outgoing.is_full() => {
                let text = text::beginning(&text);
                self.say(&format!("not sent, {} messages wait already: {text}", Outgoing::ROOM))
            }
            Said::Message(text) => {
                self.outgoing.push(Message::text(text));
                Ok(())
            }
            Said::Reconnect => {
                self.connection.reconnect();
                Ok(())
            }
            Said::Auto(true) => {
                self.connection.release(HoldReason::AutoReconnectOff);
                self.say("automatic reconnection on")
            }
            Said::Auto(false) => {
                self.connection.hold(HoldReason::AutoReconnectOff);
                self.say("automatic reconnection off")
            }
            Said::Status => {
                let text = self.status();
                self.say(&text)
            }
            Said::Quit => {
                self.connection.stop();
                Ok(())
            }
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

    /// Tells of all that was said and did not go out, in order.
    async fn report_unsent(&mut self) -> Result<(), Failure> {
        let unsent = self.connection.take_unsent();
        for message in unsent.into_iter().chain(self.outgoing.take()) {
            self.say_unsent(&message.to_string())?;
        }
        for act in self.input.rest().await {
            match act {
                Act::Line(line) => {
                    if let Ok(Said::Message(text)) = Said::parse(&line) {
                        self.say_unsent(&text)?;
                    }
                }
                Act::NotText => self.say("not sent: a line that is not UTF-8")?,
                Act::Typed | Act::Interrupt => {}
            }
        }
        Ok(())
    }

    fn say_unsent(&mut self, text: &str) -> Result<(), Failure> {
        self.say(&format!("not sent: {}", text::beginning(text)))
    }

    /// Waits for the reader of stdout, unless the user does not.
    async fn finish(&mut self, signals: &mut Signals) -> Result<(), Failure> {
        let interrupted = self.interrupts > 0;
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                result = self.stdout.finish() => return Ok(result?),
                act = self.input.next() => if matches!(act, Act::Interrupt) {
                    return Ok(());
                },
                result = signals.next() => return Ok(result?),
                () = &mut patience, if interrupted => return Ok(()),
            }
        }
    }
}
