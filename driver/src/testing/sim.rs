//! The executor: progress first, then time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use redial::Timestamp;

use super::{Net, TestClock, TestConnector};

/// A clock, a network and an executor that lets time pass only when nothing else can happen.
#[derive(Clone, Debug, Default)]
pub struct Sim {
    net: Net,
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Sim {
    /// A world at time 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> TestClock {
        self.net.clock()
    }

    /// The network.
    #[must_use]
    pub const fn net(&self) -> &Net {
        &self.net
    }

    /// A connector to the network.
    #[must_use]
    pub fn connector(&self) -> TestConnector {
        self.net.connector()
    }

    /// Calls `action` so many milliseconds after 0.
    pub fn at(&self, millis: u64, action: impl FnOnce() + Send + 'static) {
        self.clock().at(Timestamp::from_millis(millis), action);
    }

    /// Runs a future to its end.
    ///
    /// # Panics
    /// If it waits for something that will never come.
    #[allow(clippy::expect_used)] // a test that hangs is a test that fails
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.run(future, |_| true).expect("the future waits for something that will never come")
    }

    /// Runs a future until so many milliseconds after 0; `None` if it has not ended by then.
    pub fn run_until<T>(&self, millis: u64, future: impl Future<Output = T>) -> Option<T> {
        let end = Timestamp::from_millis(millis);
        // Without it, time would stop at the last alarm before the end.
        self.clock().at(end, || {});
        self.run(future, |now| now < end)
    }

    /// Polls a future for as long as it can progress at the present time; `None` if that does not end it.
    pub fn settle<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.run(future, |_| false)
    }

    fn run<T>(&self, future: impl Future<Output = T>, may_pass: impl Fn(Timestamp) -> bool) -> Option<T> {
        /// More polls than this at one instant are a loop that spins.
        const SPIN: u32 = 100_000;
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&flag));
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future);
        let clock = self.clock();
        let mut polls = 0;
        flag.0.store(true, Ordering::SeqCst);
        loop {
            // Only who is woken is polled: a wake-up that is missing must not go unnoticed.
            if flag.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return Some(output);
                }
                polls += 1;
                assert!(polls < SPIN, "the future spins");
            } else if may_pass(clock.peek()) && clock.advance() {
                polls = 0;
            } else {
                return None;
            }
        }
    }
}
