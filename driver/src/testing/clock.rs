//! The clock that moves only when it is told to.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use redial::{Micros, Timestamp};

use crate::clock::Clock;

/// A clock that moves only when it is told to. Its clones are the same clock.
#[derive(Clone, Default)]
pub struct TestClock {
    face: Arc<Mutex<Face>>,
}

#[derive(Default)]
struct Face {
    now: Timestamp,
    early: Micros,
    next_id: u64,
    alarms: BTreeMap<(Timestamp, u64), Alarm>,
    reads: u64,
    sleeps: u64,
}

enum Alarm {
    Wake(Waker),
    Call(Box<dyn FnOnce() + Send>),
}

impl TestClock {
    /// A clock at 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `action` when that time has come.
    pub fn at(&self, at: Timestamp, action: impl FnOnce() + Send + 'static) {
        self.lock().set(at, Alarm::Call(Box::new(action)));
    }

    /// Sets the clock, forwards or back, without ringing anything: as a computer that slept.
    pub fn set(&self, now: Timestamp) {
        self.lock().now = now;
    }

    /// Goes on to the next alarm and rings all that are due. False if there is none.
    pub fn advance(&self) -> bool {
        let mut face = self.lock();
        let Some((&(first, _), _)) = face.alarms.first_key_value() else {
            return false;
        };
        face.now = face.now.max(first);
        let now = face.now;
        let later = face.alarms.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut face.alarms, later);
        drop(face);
        for alarm in due.into_values() {
            match alarm {
                Alarm::Wake(waker) => waker.wake(),
                Alarm::Call(action) => action(),
            }
        }
        true
    }

    /// From now on every sleep completes so much too early, as those of a platform with coarse or bounded timers do.
    pub fn wake_early(&self, early: Micros) {
        self.lock().early = early;
    }

    /// How often the time was asked for.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.lock().reads
    }

    /// How many sleeps were begun.
    #[must_use]
    pub fn sleeps(&self) -> u64 {
        self.lock().sleeps
    }

    /// The time, without being counted as a reader.
    #[must_use]
    pub fn peek(&self) -> Timestamp {
        self.lock().now
    }

    fn lock(&self) -> MutexGuard<'_, Face> {
        self.face.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Face {
    fn set(&mut self, at: Timestamp, alarm: Alarm) -> (Timestamp, u64) {
        let key = (at, self.next_id);
        self.next_id += 1;
        self.alarms.insert(key, alarm);
        key
    }
}

impl Clock for TestClock {
    type Sleep = TestSleep;

    fn now(&self) -> Timestamp {
        let mut face = self.lock();
        face.reads += 1;
        face.now
    }

    fn sleep_until(&self, at: Timestamp) -> TestSleep {
        let mut face = self.lock();
        face.sleeps += 1;
        let left = at.saturating_since(face.now).saturating_sub(face.early);
        // However early, not at once: no platform's timer does that.
        let at = if left == Micros::ZERO && at > face.now {
            face.now.saturating_add(Micros::from_micros(1))
        } else if left == Micros::ZERO {
            at
        } else {
            face.now.saturating_add(left)
        };
        drop(face);
        TestSleep { clock: self.clone(), at, alarm: None }
    }
}

impl fmt::Debug for TestClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClock").field("now", &self.peek()).finish_non_exhaustive()
    }
}

/// A sleep on a [`TestClock`].
#[derive(Debug)]
pub struct TestSleep {
    clock: TestClock,
    at: Timestamp,
    alarm: Option<(Timestamp, u64)>,
}

impl Future for TestSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut face = this.clock.lock();
        if let Some(alarm) = this.alarm.take() {
            face.alarms.remove(&alarm);
        }
        if face.now >= this.at {
            return Poll::Ready(());
        }
        this.alarm = Some(face.set(this.at, Alarm::Wake(cx.waker().clone())));
        Poll::Pending
    }
}

impl Drop for TestSleep {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            self.clock.lock().alarms.remove(&alarm);
        }
    }
}
