//! The one timer of a driver.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use redial::Timestamp;

use crate::clock::Clock;

/// One sleep at a time, in one allocation for ever.
pub(crate) struct Timer<S> {
    sleep: Pin<Box<Option<S>>>,
    armed: Option<Timestamp>,
}

impl<S: Future<Output = ()>> Timer<S> {
    pub(crate) fn new() -> Self {
        Self { sleep: Box::pin(None), armed: None }
    }

    /// Whether the alarm is set for that time and for no other.
    pub(crate) fn stands_at(&self, at: Option<Timestamp>) -> bool {
        self.armed == at
    }

    /// The time that the alarm is set for.
    #[cfg(feature = "session")]
    pub(crate) const fn armed(&self) -> Option<Timestamp> {
        self.armed
    }

    /// Sets the alarm for `at`, anew only if it stands at another time. True if the alarm rang: then somebody must look at
    /// the clock, which alone knows whether the time has come.
    ///
    /// `woken`: the alarm's waker may have been called since the last time.
    pub(crate) fn rings(
        &mut self,
        clock: &impl Clock<Sleep = S>,
        at: Option<Timestamp>,
        woken: bool,
        cx: &mut Context<'_>,
    ) -> bool {
        if at != self.armed {
            self.sleep.set(at.map(|at| clock.sleep_until(at)));
            self.armed = at;
        } else if !woken {
            return false;
        }
        let Some(sleep) = self.sleep.as_mut().as_pin_mut() else {
            return false;
        };
        match sleep.poll(cx) {
            Poll::Pending => false,
            Poll::Ready(()) => {
                self.sleep.set(None);
                self.armed = None;
                true
            }
        }
    }
}

impl<S> fmt::Debug for Timer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("armed", &self.armed).finish_non_exhaustive()
    }
}
