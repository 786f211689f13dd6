//! The client: a session that outlives its connections, and the messages that it sends.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::Poll;

use futures_util::{Sink, Stream};
use redial::{DialBudget, Input, Jitter, Micros, Notice, Output, Phase, Policy, PolicyError, Stats, Timestamp};
use redial_session::SUBPROTOCOL;
use redial_tokio::{
    ClientEvent, Clock, OutboxLimits, Overflow, Payload, Reconnecting, Record, Session, SessionConfig, SessionEvent,
    TokioClock, WebSocket,
};

use super::server::number;
use crate::failure::Failure;

/// A session, and what it has to be accounted for.
#[derive(Debug)]
pub(super) struct Client {
    session: Session<Times>,
    clock: TokioClock,
    /// Messages that the session took, numbered from 1.
    sent: u32,
    /// The numbers that came back, in order.
    answers: Vec<u32>,
    /// How many messages have been taken since there was a connection last.
    waiting: u32,
}

/// What happened to the client.
#[derive(Debug)]
pub(super) enum News {
    Notice(Timestamp, Notice),
    Session(Timestamp, ClientEvent),
    /// Now that there is a connection, so many messages that waited for it are sent.
    Waited(u32),
    Answered,
}

/// The most messages without a receipt: those in the outbox.
const MOST_OPEN: usize = 500;

impl Client {
    /// A client that will dial this URL. Its times are the clock's.
    pub(super) fn new(url: &str, clock: TokioClock, seed: u64) -> Result<Self, Failure> {
        let policy = policy().map_err(Failure::check)?;
        let connector = WebSocket::builder(url).subprotocol(SUBPROTOCOL).connector().map_err(Failure::check)?;
        let outbox = OutboxLimits { messages: MOST_OPEN, overflow: Overflow::Wait, ..OutboxLimits::default() };
        let session = Reconnecting::builder(clock, connector, policy, seed)
            .outbox(outbox)
            .recorder(Times::default())
            .session(SessionConfig::default());
        Ok(Self { session, clock, sent: 0, answers: Vec::new(), waiting: 0 })
    }

    /// Sends what is due and gives what has happened, all that there is at once; `None` when it has ended. Cancel-safe.
    pub(super) async fn next(&mut self, due: u32) -> Option<Vec<News>> {
        // As many as one burst of answers may be without keeping the director waiting.
        const MOST_NEWS: usize = 32;
        std::future::poll_fn(|cx| {
            while self.sent < due {
                if Pin::new(&mut self.session).poll_ready(cx).is_pending() || !self.send() {
                    break;
                }
            }
            let mut news = Vec::new();
            while news.len() < MOST_NEWS {
                match Pin::new(&mut self.session).poll_next(cx) {
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

    /// Dials now, if there is no connection.
    pub(super) fn hurry(&self) {
        if !self.is_open() {
            self.session.connection().reconnect();
        }
    }

    /// Takes back what has no receipt, and gives how many that were.
    pub(super) fn take_back(&mut self) -> u32 {
        u32::try_from(self.session.take_pending().len()).unwrap_or(u32::MAX)
    }

    /// Wants neither session nor connection any more; [`next`](Self::next) tells how it ends.
    pub(super) async fn end(&mut self) {
        self.session.end().await;
    }

    pub(super) const fn sent(&self) -> u32 {
        self.sent
    }

    pub(super) fn answers(&self) -> &[u32] {
        &self.answers
    }

    /// Whether every message has its receipt and its answer.
    pub(super) fn is_settled(&self) -> bool {
        let answered = u32::try_from(self.answers.len()).unwrap_or(u32::MAX);
        answered >= self.sent && self.session.status().pending == 0
    }

    pub(super) fn stats(&self) -> Stats {
        self.session.connection().stats()
    }

    fn is_open(&self) -> bool {
        self.session.connection().machine().phase() == Phase::Open
    }

    /// Whether the message was taken.
    fn send(&mut self) -> bool {
        let is_open = self.is_open();
        let number = self.sent.saturating_add(1);
        let taken = Pin::new(&mut self.session).start_send(Payload::text(number.to_string())).is_ok();
        if taken {
            self.sent = number;
            self.waiting = self.waiting.saturating_add(u32::from(!is_open));
        }
        taken
    }

    fn on_event(&mut self, event: SessionEvent, news: &mut Vec<News>) {
        match event {
            SessionEvent::Notice(notice) => {
                let at = self.session.recorder_mut().0.pop_front().unwrap_or_default();
                news.push(News::Notice(at, notice));
                if matches!(notice, Notice::Opened { .. }) && self.waiting > 0 {
                    news.push(News::Waited(std::mem::take(&mut self.waiting)));
                }
            }
            SessionEvent::Message(message) => {
                // What is no number was never sent: the account will tell.
                self.answers.push(number(&message).unwrap_or_default());
                news.push(News::Answered);
            }
            SessionEvent::Session(event) => {
                // A notice that is still to be read came later.
                let next = self.session.recorder_mut().0.front().copied();
                news.push(News::Session(next.unwrap_or_else(|| self.clock.now()), event));
            }
            // A kind that came later than this demo.
            _ => {}
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
        .ready_timeout(PING_TIMEOUT)
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
