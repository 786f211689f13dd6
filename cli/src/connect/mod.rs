//! `redial connect`: a connection that stays, with a person or a program at the other end of stdin.

mod editor;
mod input;
mod line;
mod outgoing;
mod query;
mod screen;
mod status_line;
mod stdout;
mod telling;

use std::fs::File;
use std::time::Duration;

use redial::{HoldReason, Limit};
use redial_driver::TraceRecorder;
use redial_tokio::{Payload, Protocol, SendError, Session, TokioClock};

use crate::args::ConnectArgs;
use crate::failure::Failure;
use crate::signals::Signals;
use crate::{session_events, text};
use input::{Act, UserInput};
use line::Said;
use outgoing::{Next, Outgoing};
use screen::Screen;
use stdout::Stdout;

pub(crate) use query::with_session;

/// How long an interrupted command waits for a slow reader of its stdout.
const PATIENCE: Duration = Duration::from_millis(250);

/// For how long after `/quit` what was typed may stay without a receipt.
const RECEIPTS: Duration = Duration::from_secs(5);

/// The connection, and perhaps its recording.
type Connection = Session<Option<TraceRecorder<File>>>;

/// What the server is offered besides plain messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Nothing,
    Session,
}

/// How far the user's leaving has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    No,
    /// As soon as there is a receipt for all that was typed, or at that time.
    By(tokio::time::Instant),
    /// Nothing more is waited for.
    Done,
}

/// One run of the command.
pub(crate) struct Run {
    connection: Connection,
    offer: Offer,
    leaving: Leaving,
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

impl Run {
    /// A run on `connection`, whose clock is `clock`.
    pub(crate) fn new(
        connection: Connection,
        clock: TokioClock,
        args: &ConnectArgs,
        offer: Offer,
    ) -> Result<Self, Failure> {
        let json = args.json;
        let screen = Screen::new(!json)?;
        let input = if screen.reads_keys() { UserInput::keys() } else { UserInput::lines() };
        let endpoints = args.urls.iter().map(|url| text::url(url)).collect();
        let (outgoing, stdout) = (Outgoing::default(), Stdout::new()?);
        Ok(Self {
            connection,
            offer,
            leaving: Leaving::No,
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
            self.leave(&mut signals).await?;
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
                () = patience(self.leaving) => false,
                result = signals.next() => {
                    result?;
                    true
                }
            };
            if interrupted {
                self.interrupts = self.interrupts.saturating_add(1);
                self.unprinted = None; // its reader is not waited for any more
                if self.leaving != Leaving::Done {
                    self.leaving = Leaving::By(tokio::time::Instant::now());
                }
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

    /// Ends session and connection, if the user wants to and nothing is to be waited for.
    async fn leave(&mut self, signals: &mut Signals) -> Result<(), Failure> {
        let Leaving::By(by) = self.leaving else { return Ok(()) };
        let status = self.connection.status();
        let settled = self.outgoing.is_empty() && status.pending == 0;
        if status.protocol == Some(Protocol::Session) && !settled && by > tokio::time::Instant::now() {
            return Ok(());
        }
        self.leaving = Leaving::Done;
        tokio::select! {
            () = self.connection.end() => {}
            result = signals.next() => {
                self.interrupts = self.interrupts.saturating_add(1);
                result?;
            }
        }
        Ok(())
    }

    /// A line for whoever reads stdout.
    fn print(&mut self, line: Vec<u8>) -> Result<(), Failure> {
        match self.stdout {
            Stdout::Terminal => self.screen.message(&line)?,
            Stdout::Thread { .. } => self.unprinted = self.stdout.try_write(line).filter(|_| self.interrupts == 0),
        }
        Ok(())
    }

    fn on_refused(&mut self, error: SendError<Payload>) -> Result<(), Failure> {
        let problem = error.to_string();
        let message = error.into_message().as_ref().map(session_events::shown).unwrap_or_default();
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
                self.outgoing.push(Payload::text(text));
                Ok(())
            }
            Said::Reconnect => {
                self.connection.connection().reconnect();
                Ok(())
            }
            Said::Auto(true) => {
                self.connection.connection().release(HoldReason::AutoReconnectOff);
                self.say("automatic reconnection on")
            }
            Said::Auto(false) => {
                self.connection.connection().hold(HoldReason::AutoReconnectOff);
                self.say("automatic reconnection off")
            }
            Said::Status => {
                let text = self.status();
                self.say(&text)
            }
            Said::Quit => {
                self.leaving = Leaving::By(tokio::time::Instant::now() + RECEIPTS);
                Ok(())
            }
        }
    }

    fn draw(&mut self) -> Result<(), Failure> {
        if self.screen.is_live() {
            let endpoint = self.endpoint();
            let view = self.view(&endpoint);
            self.screen.draw(&view, self.input.typed())?;
        }
        Ok(())
    }

    /// Tells of all that was said and did not go out, in order.
    async fn report_unsent(&mut self) -> Result<(), Failure> {
        let in_flight = self.connection.status().in_flight;
        let mut pending = self.connection.take_pending().into_iter().map(|message| message.payload);
        for message in pending.by_ref().take(in_flight) {
            self.say_in_doubt(&message)?;
        }
        for message in pending.chain(self.outgoing.take()) {
            self.say_unsent(&message)?;
        }
        for act in self.input.rest().await {
            match act {
                Act::Line(line) => {
                    if let Ok(Said::Message(text)) = Said::parse(&line) {
                        self.say_unsent(&Payload::text(text))?;
                    }
                }
                Act::NotText => self.say("not sent: a line that is not UTF-8")?,
                Act::Typed | Act::Interrupt => {}
            }
        }
        Ok(())
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

/// Until what was typed need not be waited for any more.
async fn patience(leaving: Leaving) {
    match leaving {
        Leaving::By(by) => tokio::time::sleep_until(by).await,
        Leaving::No | Leaving::Done => std::future::pending().await,
    }
}
