//! The client: a connection that comes back, and the messages that it sends.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::task::Poll;

use futures_util::{Sink, Stream};
use redial::{DialBudget, Input, Jitter, Micros, Notice, Output, Phase, Policy, PolicyError, Stats, Timestamp};
use redial_tokio::{Event, Message, OutboxLimits, Overflow, Reconnecting, Record, TokioClock, WebSocket};

use super::ledger::{Ledger, MOST_OPEN};
use crate::failure::Failure;

/// A connection that comes back, and the account of what was sent on it.
#[derive(Debug)]
pub(super) struct Client {
    connection: Reconnecting<Times>,
    ledger: Ledger,
    /// How many messages have been put into the outbox since there was a connection last.
    waiting: u32,
}

/// What happened to the client.
#[derive(Debug)]
pub(super) enum News {
    Notice(Timestamp, Notice),
    /// With the connection these went, perhaps to the server, perhaps not.
    InDoubt(RangeInclusive<u32>),
    /// Now that there is a connection, so many messages that waited for it are sent.
    Waited(u32),
    Acknowledged,
}

impl Client {
    /// A client that will dial this URL. Its times are the clock's.
    pub(super) fn new(url: &str, clock: TokioClock, seed: u64) -> Result<Self, Failure> {
        let policy = policy().map_err(Failure::check)?;
        let connector = WebSocket::builder(url).connector().map_err(Failure::check)?;
        let messages = usize::try_from(MOST_OPEN).unwrap_or(usize::MAX);
        let outbox = OutboxLimits { messages, overflow: Overflow::Wait, ..OutboxLimits::default() };
        let connection =
            Reconnecting::builder(clock, connector, policy, seed).outbox(outbox).recorder(Times::default()).build();
        Ok(Self { connection, ledger: Ledger::default(), waiting: 0 })
    }

    /// Sends what is due and gives what has happened, all that there is at once; `None` when it has ended. Cancel-safe.
    pub(super) async fn next(&mut self, due: u32) -> Option<Vec<News>> {
        // As many as one burst of acknowledgements may be without keeping the director waiting.
        const MOST_NEWS: usize = 32;
        std::future::poll_fn(|cx| {
            while let Some(number) = self.ledger.next(due) {
                if Pin::new(&mut self.connection).poll_ready(cx).is_pending() || !self.send(number) {
                    break;
                }
            }
            let mut news = Vec::new();
            while news.len() < MOST_NEWS {
                match Pin::new(&mut self.connection).poll_next(cx) {
                    Poll::Ready(Some(event)) => self.on_event(event, &mut news),
                    Poll::Ready(None) if news.is_empty() => return Poll::Ready(None),
                    Poll::Pending if news.is_empty() => return Poll::Pending,
                    Poll::Ready(None) | Poll::Pending => break,
                }
            }
            Poll::Ready(Some(news))
        })
        .await
    }

    /// Wants no connection any more; [`next`](Self::next) tells how it ends.
    pub(super) fn stop(&self) {
        self.connection.stop();
    }

    /// What was sent, after what still waits has been taken back. Gives how many that were.
    pub(super) fn close_ledger(&mut self) -> (u32, &Ledger) {
        let unsent = u32::try_from(self.connection.take_unsent().len()).unwrap_or(u32::MAX);
        self.ledger.on_taken_back(unsent);
        (unsent, &self.ledger)
    }

    pub(super) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(super) fn stats(&self) -> Stats {
        self.connection.stats()
    }

    /// Whether the message was taken.
    fn send(&mut self, number: u32) -> bool {
        let is_open = self.connection.machine().phase() == Phase::Open;
        let sent = Pin::new(&mut self.connection).start_send(Message::text(number.to_string()));
        // What is not given back is gone with the connection that broke under it: sent, and soon in doubt.
        let taken = sent.map_or_else(|error| error.into_message().is_none(), |()| true);
        if taken {
            self.ledger.on_sent();
            self.waiting = self.waiting.saturating_add(u32::from(!is_open));
        }
        taken
    }

    fn on_event(&mut self, event: Event<Message>, news: &mut Vec<News>) {
        match event {
            Event::Notice(notice) => {
                let at = self.connection.recorder_mut().0.pop_front().unwrap_or_default();
                news.push(News::Notice(at, notice));
                news.extend(self.on_notice(&notice));
            }
            Event::Message(message) => {
                if let Some(number) = number(&message) {
                    self.ledger.on_acknowledged(number);
                }
                news.push(News::Acknowledged);
            }
            // The outbox drops nothing: it lets wait.
            Event::Dropped { .. } => {}
            // A kind that came later than this demo.
            _ => {}
        }
    }

    fn on_notice(&mut self, notice: &Notice) -> Option<News> {
        match notice {
            Notice::Lost { .. } => {
                let waiting = self.connection.status().outbox_messages;
                self.ledger.on_lost(u32::try_from(waiting).unwrap_or(u32::MAX)).map(News::InDoubt)
            }
            Notice::Opened { .. } => {
                let waited = std::mem::take(&mut self.waiting);
                (waited > 0).then_some(News::Waited(waited))
            }
            Notice::Phase { .. }
            | Notice::RetryScheduled(_)
            | Notice::AttemptFailed { .. }
            | Notice::Stable { .. }
            | Notice::HealthCheck { .. }
            | Notice::QualityChanged { .. }
            | Notice::GaveUp { .. } => None,
            // A kind that came later than this demo.
            _ => None,
        }
    }
}

/// How long a peer may be silent after a ping.
const PING_TIMEOUT: Micros = Micros::from_millis(600);

/// A policy for something to be seen every second: as `resilient`, and ten times as lively.
///
/// - Retries from 50 ms on, doubling from 100 ms to 1 s with full jitter, and without a limit: a demo never gives up.
/// - A dial is as good as failed after [`PING_TIMEOUT`] too, and stability takes 300 ms: on loopback that is long.
/// - Pings four times a second: a black hole is noticed within a second, and a slow link changes the grade within two.
/// - Two dials in a row and one more each 500 ms: a server that throws out whoever it lets in meets that bound.
fn policy() -> Result<Policy, PolicyError> {
    Policy::builder()
        .base_delay(Micros::from_millis(100))
        .max_delay(Micros::from_millis(1000))
        .min_delay(Micros::from_millis(50))
        .jitter(Jitter::Full)
        .max_attempts(None)
        .connect_timeout(PING_TIMEOUT)
        .stable_after(Micros::from_millis(300))
        .health_check_interval(Some(Micros::from_millis(250)))
        .ping_timeout(PING_TIMEOUT)
        .dial_budget(Some(DialBudget { burst: 2, refill: Micros::from_millis(500) }))
        .build()
}

/// When each notice was given that has not been read yet: events don't tell.
#[derive(Debug, Default)]
struct Times(VecDeque<Timestamp>);

impl Record for Times {
    fn input(&mut self, _: Timestamp, _: &Input) {}

    fn output(&mut self, at: Timestamp, output: &Output) {
        match output {
            Output::Notice(_) => self.0.push_back(at),
            Output::Command(_) => {}
        }
    }
}

fn number(message: &Message) -> Option<u32> {
    match message {
        Message::Text(text) => text.parse().ok(),
        Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::outage::{SLOW_JITTER_MS, SLOW_MS};

    #[test]
    fn the_policy_is_valid_and_fits_the_slow_link() {
        let policy = policy().unwrap();
        let round_trip = |one_way: u32| Micros::from_millis(u64::from(one_way) * 2);
        assert!(round_trip(SLOW_MS) > policy.quality().poor);
        assert!(round_trip(SLOW_MS + SLOW_JITTER_MS) < policy.health_check_interval().unwrap());
    }
}
