//! The clock that the driver reads and sleeps on.

use redial::Timestamp;

/// The time, and a way to wait for it. The only place where a driver learns what time it is.
///
/// The clock should go on while the computer sleeps, so that waking up is noticed. One that goes back is taken to stand
/// still.
pub trait Clock {
    /// Completes once the time that was asked for has come.
    ///
    /// It must round up. One that completes early all the same, because the platform's timers are bounded (browsers: 2³¹ − 1
    /// ms), is asked again for the rest: the driver always looks at [`now`](Clock::now) and never takes a timer's word.
    type Sleep: Future<Output = ()>;

    /// Microseconds since an origin of the clock's choice.
    fn now(&self) -> Timestamp;

    /// A future that waits until then; done at once where `at` has passed.
    fn sleep_until(&self, at: Timestamp) -> Self::Sleep;
}

impl<K: Clock + ?Sized> Clock for &K {
    type Sleep = K::Sleep;

    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn sleep_until(&self, at: Timestamp) -> Self::Sleep {
        (**self).sleep_until(at)
    }
}
