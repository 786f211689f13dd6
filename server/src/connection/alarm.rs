//! A connection's one timer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use redial::Timestamp;
use tokio::time::Sleep;

use crate::clock::Clock;

/// Wakes the task at the earliest time that it was set to since it last rang. So a deadline that moves away costs nothing: it
/// rings too early, once.
#[derive(Debug)]
pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    at: Option<Timestamp>,
}

impl Alarm {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { sleep: Box::pin(clock.sleep_until(Timestamp::ZERO)), at: None }
    }

    /// Whether it is past the deadline already; else the task wakes then.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, clock: Clock, deadline: Timestamp) -> Poll<()> {
        if self.at.is_none_or(|at| deadline < at) {
            self.at = Some(deadline);
            self.sleep.as_mut().reset(clock.instant(deadline));
        }
        while self.sleep.as_mut().poll(cx).is_ready() {
            if clock.now() >= deadline {
                self.at = None;
                return Poll::Ready(());
            }
            self.at = Some(deadline);
            self.sleep.as_mut().reset(clock.instant(deadline));
        }
        Poll::Pending
    }
}
