//! The loop: a thread that does one thing after the other, and the machine that says which.

use crate::socket::{Dialled, Heard, Settings, Socket};
use redial::trace::{Header, Writer};
use redial::{Cause, Command, ConnectionId, Dial, Input, Notice, Output, Policy, ReconnectMachine, Timestamp};
use std::collections::VecDeque;
use std::io::Write;
use std::num::NonZeroU32;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What happens.
#[derive(Debug)]
pub enum News {
    Notice(Notice),
    Text(String),
}

/// A WebSocket that comes back. It lives while [`next`](Self::next) is called.
pub struct Client {
    machine: ReconnectMachine,
    settings: Settings,
    origin: Instant,
    /// The machine wants it; done when all news has been read.
    dial: Option<Dial>,
    socket: Option<(ConnectionId, Socket)>,
    /// Waits for a connection.
    unsent: VecDeque<String>,
    news: VecDeque<News>,
    /// The last close handshake.
    farewell: Option<JoinHandle<()>>,
    trace: Writer<Box<dyn Write>>,
}

impl Client {
    /// Starts at once. What happens is written to `trace` (`std::io::sink()` if nobody wants it).
    pub fn start(settings: Settings, policy: Policy, seed: u64, trace: Box<dyn Write>) -> Self {
        let endpoints = u32::try_from(settings.urls.len()).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let header = Header { policy, seed, endpoints };
        let mut trace = Writer::new(trace);
        let _ = trace.header(&header); // a recording that fails is no reason to stop
        let mut client = Self {
            machine: header.machine(),
            settings,
            origin: now(),
            dial: None,
            socket: None,
            unsent: VecDeque::new(),
            news: VecDeque::new(),
            farewell: None,
            trace,
        };
        client.tell(Input::Start);
        client
    }

    /// Waits for news; `None` if there will be none unless the user does something.
    pub fn next(&mut self) -> Option<News> {
        loop {
            if let Some(news) = self.news.pop_front() {
                return Some(news);
            }
            let until = self.machine.deadline().map(|at| self.instant(at));
            if let Some(dial) = self.dial.take() {
                self.on_dial(dial, until);
            } else if self.socket.is_some() {
                self.listen(until);
            } else {
                sleep_until(until?);
            }
            if self.is_due() {
                self.tell(Input::Timeout);
            }
        }
    }

    /// Tells the machine what happened, or what the user wants, and does what it says.
    pub fn tell(&mut self, input: Input) {
        let (at, was_due) = (self.timestamp(), self.is_due());
        let _ = self.trace.input(at, &input);
        for output in self.machine.handle(at, input) {
            let _ = self.trace.output(at, &output);
            match output {
                Output::Command(Command::Dial(dial)) => self.dial = Some(dial),
                Output::Command(Command::HangUp { connection, cause }) => self.hang_up(connection, cause),
                Output::Command(Command::Ping { ping, .. }) => {
                    if let Some((_, socket)) = &mut self.socket {
                        socket.ping(ping);
                    }
                }
                Output::Notice(notice) => {
                    self.news.push_back(News::Notice(notice));
                    if matches!(notice, Notice::Opened { .. }) {
                        self.send_unsent();
                    }
                }
            }
        }
        if was_due && input != Input::Timeout {
            // What was due was done with it. A trace says so.
            self.tell(Input::Timeout);
        }
    }

    /// Sends a text, now or once a connection is open. One that was sent on a connection which then fails is lost.
    pub fn send(&mut self, text: String) {
        self.unsent.push_back(text);
        self.send_unsent();
    }

    /// Waits until the connection that was hung up last is closed: at most `close_timeout`.
    pub fn join(self) {
        if let Some(farewell) = self.farewell {
            let _ = farewell.join();
        }
    }

    fn send_unsent(&mut self) {
        if let Some((_, socket)) = &mut self.socket {
            // If it can't, reading will say why.
            self.unsent.drain(..).for_each(|text| socket.send(text));
        }
    }

    fn on_dial(&mut self, dial: Dial, until: Option<Instant>) {
        let connection = dial.connection;
        match self.settings.dial(dial.endpoint, until) {
            Dialled::Open(socket) => {
                self.socket = Some((connection, *socket));
                self.tell(Input::Opened { connection });
            }
            Dialled::Failed(cause) => self.tell(Input::Failed { connection, cause }),
            Dialled::OutOfTime => {}
        }
    }

    /// Waits for what the peer says. What has come by then comes before what is due.
    fn listen(&mut self, until: Option<Instant>) {
        let Some((connection, socket)) = &mut self.socket else { return };
        let connection = *connection;
        let heard = socket.hear(until);
        if self.machine.awaits_pong() && !matches!(heard, Heard::Nothing | Heard::End(_)) {
            self.tell(Input::Received { connection });
        }
        match heard {
            Heard::Nothing | Heard::Control => {}
            Heard::Text(text) => self.news.push_back(News::Text(text)),
            Heard::Pong(ping) => self.tell(Input::Pong { connection, ping }),
            Heard::Close(cause) => {
                self.say_farewell();
                self.tell(Input::Closed { connection, cause });
            }
            Heard::End(cause) => {
                self.socket = None;
                self.tell(Input::Closed { connection, cause });
            }
        }
    }

    fn hang_up(&mut self, connection: ConnectionId, cause: Cause) {
        self.dial.take_if(|dial| dial.connection == connection);
        if self.socket.as_ref().is_some_and(|(open, _)| *open == connection) {
            match cause {
                Cause::User => self.say_farewell(),
                // Its peer went silent: it would not answer a farewell either.
                _ => self.socket = None,
            }
        }
    }

    /// Closes the connection, in a thread: the next dial does not wait for the peer's answer.
    fn say_farewell(&mut self) {
        if let Some((_, socket)) = self.socket.take() {
            let until = now() + Duration::from(self.settings.close_timeout);
            self.farewell = Some(std::thread::spawn(move || socket.close(until)));
        }
    }

    fn is_due(&self) -> bool {
        self.machine.deadline().is_some_and(|at| at <= self.timestamp())
    }

    /// The machine's time: microseconds since the start.
    fn timestamp(&self) -> Timestamp {
        Timestamp::from_micros(u64::try_from((now() - self.origin).as_micros()).unwrap_or(u64::MAX))
    }

    fn instant(&self, at: Timestamp) -> Instant {
        self.origin + Duration::from_micros(at.as_micros())
    }
}

/// The clock.
#[allow(clippy::disallowed_methods)]
pub fn now() -> Instant {
    Instant::now()
}

/// The timer.
#[allow(clippy::disallowed_methods)]
fn sleep_until(until: Instant) {
    std::thread::sleep(until.saturating_duration_since(now()));
}
