//! The browser's clock.

use crate::global::global;
use redial::Timestamp;
use redial_driver::Clock;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// `performance.now()`: microseconds since the page, or the worker, began. So the times of a
/// [`Status`](redial_driver::Status), divided by 1000, can be compared with what scripts read.
///
/// It never goes back, whatever the browser says. Browsers round it, to between 5 µs and 1 ms.
///
/// # While the computer sleeps, or the page is hidden
/// Whether the time goes on while the computer sleeps is the browser's affair: where it does, a connection notices the wake. In
/// a page that is hidden timers ring at most once a second, and after some minutes once a minute: the clock goes on, and the
/// connection finds its timers late.
#[derive(Clone, Debug, Default)]
pub struct WasmClock {
    latest: Rc<Cell<u64>>,
}

impl WasmClock {
    /// The clock.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Clock for WasmClock {
    type Sleep = Sleep;

    fn now(&self) -> Timestamp {
        let read = global().performance().map_or(0.0, |performance| performance.now());
        let latest = self.latest.get().max(whole_micros(read));
        self.latest.set(latest);
        Timestamp::from_micros(latest)
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        Sleep { clock: self.clone(), at, timer: None, callback: None, shared: Rc::default() }
    }
}

/// Waits for a time, with `setTimeout`. Dropping it clears the timer.
///
/// A browser takes up to 2³¹ − 1 ms, not quite 25 days: what is longer is waited for in pieces.
pub struct Sleep {
    clock: WasmClock,
    at: Timestamp,
    /// Before what it calls, which is to outlive it.
    timer: Option<Timer>,
    callback: Option<Closure<dyn FnMut()>>,
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    rang: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

/// A timer that is set. To clear one that has rung does no harm.
struct Timer(i32);

impl Drop for Timer {
    fn drop(&mut self) {
        global().clear_timeout_with_handle(self.0);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        // The clock says what time it is; a timer that rings early only asks again.
        let now = this.clock.now();
        if now >= this.at {
            this.timer = None;
            return Poll::Ready(());
        }
        set_waker(&this.shared.waker, cx);
        if this.timer.is_none() || this.shared.rang.take() {
            this.arm(piece(this.at.as_micros().saturating_sub(now.as_micros())));
        }
        Poll::Pending
    }
}

impl Sleep {
    fn arm(&mut self, millis: i32) {
        let callback = self.callback.get_or_insert_with(|| callback(Rc::clone(&self.shared)));
        let called = callback.as_ref().unchecked_ref();
        self.timer = global().set_timeout_with_callback_and_timeout_and_arguments_0(called, millis).ok().map(Timer);
    }
}

fn callback(shared: Rc<Shared>) -> Closure<dyn FnMut()> {
    Closure::new(move || {
        shared.rang.set(true);
        let waker = shared.waker.borrow_mut().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    })
}

/// Keeps this task's waker. The old one may run anything when it is dropped, so that is done outside of the borrow.
pub(crate) fn set_waker(place: &RefCell<Option<Waker>>, cx: &Context<'_>) {
    if place.borrow().as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
        return;
    }
    let old = place.borrow_mut().replace(cx.waker().clone());
    drop(old);
}

/// The milliseconds for the next timer, of so many microseconds: rounded up, and no more than a browser takes.
fn piece(micros: u64) -> i32 {
    i32::try_from(micros.div_ceil(1000)).unwrap_or(i32::MAX)
}

/// What is negative or no number is 0; a conversion of floating point saturates.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole_micros(millis: f64) -> u64 {
    (millis * 1000.0) as u64
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("at", &self.at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_rounded_up_and_no_longer_than_browsers_take() {
        for (micros, millis) in [(1, 1), (1000, 1), (1001, 2), (2_147_483_646_001, i32::MAX), (u64::MAX, i32::MAX)] {
            assert_eq!(piece(micros), millis, "{micros} µs");
        }
    }

    #[test]
    fn whatever_the_browser_reads_is_a_time() {
        for (read, micros) in [(0.1, 100), (-1.0, 0), (f64::NAN, 0), (f64::INFINITY, u64::MAX), (1.005, 1004)] {
            assert_eq!(whole_micros(read), micros, "{read} ms");
        }
    }
}
