//! One step of the machine: what it is told, and how its commands are carried out.

use redial::{Cause, Command, ConnectionId, Dial, Input, Micros, Notice, Output, Phase, Timestamp};

use crate::clock::Clock;
use crate::closing::Closing;
use crate::connect::{Connect, Kind};
use crate::event::{DropReason, Event};
use crate::reconnecting::Reconnecting;
use crate::recorder::Record;
use crate::spans::ConnectionSpan;
use crate::status::Standing;

/// How many events wait for a reader before the oldest that is no message is forgotten. Only somebody who writes for long
/// and never reads gets there. Messages stay: they are read ahead by a few at a time.
pub(crate) const MOST_EVENTS: usize = 1024;

impl<K: Clock, C: Connect, R: Record> Reconnecting<K, C, R> {
    /// The time. A clock that goes back stands still.
    pub(crate) fn now(&mut self) -> Timestamp {
        self.latest = self.latest.max(self.clock.now());
        self.latest
    }

    /// Tells the machine, and does what it says.
    pub(crate) fn feed(&mut self, now: Timestamp, input: Input) {
        let passed = self.machine.deadline().is_some_and(|deadline| deadline <= now);
        self.ask_budget(now, &input);
        self.step(now, input);
        if passed && !matches!(input, Input::Timeout) {
            // The machine has done what was due. This says so to whoever reads the recording.
            self.step(now, Input::Timeout);
        }
        if self.machine.phase() != Phase::Waiting {
            if let Some(part) = &mut self.budget_part {
                part.give_back();
            }
        }
    }

    /// Where a dial is due and others share the budget: takes a token for it, or moves it to our turn. Only a timeout is to make
    /// the dial: what else comes may hold it back or move it, and would use a token up for nothing.
    fn ask_budget(&mut self, now: Timestamp, input: &Input) {
        let Some(part) = &mut self.budget_part else {
            return;
        };
        if self.machine.next_dial_at().is_none_or(|at| at > now) {
            return;
        }
        let asked = if matches!(input, Input::Timeout) { part.take() } else { Err(Micros::from_micros(1)) };
        if let Err(wait) = asked {
            self.step(now, Input::Budget { wait });
        }
    }

    #[inline]
    fn step(&mut self, now: Timestamp, input: Input) {
        // Traffic is told after every burst of messages: too often for a span.
        let _entered = (!matches!(input, Input::Received { .. })).then(|| self.span.enter());
        self.recorder.input(now, &input);
        let outputs = self.machine.handle(now, input);
        if outputs.is_empty() {
            return;
        }
        let (mut endpoint, mut cause) = (None, None);
        for output in outputs.iter() {
            self.recorder.output(now, &output);
            match output {
                Output::Command(Command::Dial(dial)) => {
                    endpoint = Some(dial.endpoint);
                    self.on_dial(dial);
                }
                Output::Command(Command::HangUp { connection, cause }) => self.on_hang_up(connection, cause),
                Output::Command(Command::Ping { connection, ping }) => {
                    if self.link.as_ref().is_some_and(|link| link.connection == connection) {
                        self.ping = Some(ping);
                    }
                }
                Output::Notice(notice) => {
                    cause = failure(&notice).or(cause);
                    self.on_notice(notice);
                }
            }
        }
        self.publish(endpoint, cause);
    }

    fn on_dial(&mut self, dial: Dial) {
        self.span = ConnectionSpan::of(&dial);
        let _entered = self.span.enter();
        self.dialling.connection = dial.connection;
        let connecting = self.connector.connect(dial);
        self.dialling.future = Some(Box::pin(connecting));
        self.poke = true;
    }

    fn on_hang_up(&mut self, connection: ConnectionId, cause: Cause) {
        if self.dialling.connection == connection {
            self.dialling.future = None;
        }
        let Some(io) = self.unlink(connection) else {
            return;
        };
        match cause {
            Cause::User => self.close_in_background(io),
            Cause::Network { .. }
            | Cause::Timeout
            | Cause::PingTimeout
            | Cause::Http { .. }
            | Cause::Close { .. }
            | Cause::Protocol
            | Cause::Superseded => self.connector.abort(io),
        }
    }

    fn on_notice(&mut self, notice: Notice) {
        self.span.notice(&notice);
        self.push_event(Event::Notice(notice));
    }

    /// A message that can't be handed to a reader at once.
    pub(crate) fn on_message(&mut self, message: C::Message) {
        match self.connector.inspect(&message) {
            Kind::Data => self.push_event(Event::Message(message)),
            kind @ (Kind::Pong(_) | Kind::Control | Kind::Close(_)) => self.on_control(kind),
        }
    }

    /// A message that is not the user's.
    pub(crate) fn on_control(&mut self, kind: Kind) {
        let Some(connection) = self.link.as_ref().map(|link| link.connection) else {
            return;
        };
        match kind {
            Kind::Data | Kind::Control => {}
            Kind::Pong(ping) => {
                let now = self.now();
                self.feed(now, Input::Pong { connection, ping });
            }
            Kind::Close(cause) => {
                // Ended for the machine at once; the handshake is the transport's affair.
                let now = self.now();
                if let Some(io) = self.unlink(connection) {
                    self.close_in_background(io);
                }
                self.feed(now, Input::Closed { connection, cause });
            }
        }
    }

    /// The connection failed, or ended without a close frame.
    pub(crate) fn on_broken(&mut self, cause: Cause) {
        let Some(connection) = self.link.as_ref().map(|link| link.connection) else {
            return;
        };
        drop(self.unlink(connection));
        let now = self.now();
        self.feed(now, Input::Closed { connection, cause });
    }

    /// From here on nothing that this connection says reaches the machine.
    fn unlink(&mut self, connection: ConnectionId) -> Option<C::Connection> {
        let link = self.link.take_if(|link| link.connection == connection)?;
        self.direct_out = false;
        self.direct_in = false;
        self.link_ready = false;
        self.heard = false;
        self.dirty = false;
        self.flush_due = false;
        self.ping = None;
        for message in self.urgent.take() {
            self.push_event(Event::Dropped { message, reason: DropReason::ConnectionLost });
        }
        Some(link.io)
    }

    fn close_in_background(&mut self, io: C::Connection) {
        let until = self.latest.saturating_add(self.close_timeout);
        if let Some(older) = self.closing.replace(Box::new(Closing::new(io, until))) {
            self.connector.abort(older.into_io());
        }
        self.poke = true;
    }

    pub(crate) fn push_event(&mut self, event: Event<C::Message>) {
        if self.events.len() >= MOST_EVENTS {
            // Only messages are passed over on the way: few, for few are read ahead.
            let is_message = |event: &Event<C::Message>| matches!(event, Event::Message(_));
            if let Some(oldest) = self.events.iter().position(|event| !is_message(event)) {
                self.events.remove(oldest);
            }
        }
        self.events.push_back(event);
        self.changed = true;
    }

    /// With the endpoint and the cause that this step has brought.
    fn publish(&mut self, endpoint: Option<u32>, last_cause: Option<Cause>) {
        self.changed = true;
        self.shared.publish(Standing {
            phase: self.machine.phase(),
            connection: self.machine.connection(),
            endpoint,
            attempt: self.machine.attempt(),
            quality: self.machine.quality(),
            latency: self.machine.latency(),
            next_dial_at: self.machine.next_dial_at(),
            open_since: self.machine.open_since(),
            last_cause,
        });
    }
}

/// Why a dial or a connection failed, if the notice says so.
const fn failure(notice: &Notice) -> Option<Cause> {
    match notice {
        Notice::AttemptFailed { cause, .. } | Notice::Lost { cause, .. } | Notice::GaveUp { cause, .. } => Some(*cause),
        Notice::Phase { .. }
        | Notice::RetryScheduled(_)
        | Notice::Opened { .. }
        | Notice::Stable { .. }
        | Notice::HealthCheck { .. }
        | Notice::QualityChanged { .. } => None,
        // A kind that came later than this driver.
        _ => None,
    }
}
