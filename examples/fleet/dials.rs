//! When dials were made, and what budget they needed.

use redial_tokio::redial::{Command, Input, Output};
use redial_tokio::{Clock, Micros, Record, Timestamp, TokioClock};
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Notes when any client dials.
#[derive(Clone)]
pub(crate) struct Dials {
    clock: TokioClock,
    times: Arc<Mutex<Vec<Timestamp>>>,
}

impl Dials {
    pub(crate) fn new() -> Self {
        Self { clock: TokioClock::new(), times: Arc::default() }
    }

    /// Those since the last call, in order.
    pub(crate) fn take(&self) -> Vec<Timestamp> {
        take(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Record for Dials {
    fn input(&mut self, _: Timestamp, _: &Input) {}

    fn output(&mut self, _: Timestamp, output: &Output) {
        if matches!(output, Output::Command(Command::Dial(_))) {
            self.times.lock().unwrap_or_else(PoisonError::into_inner).push(self.clock.now());
        }
    }
}

/// The smallest burst of a budget that would have allowed these dials: in any span w at most burst + w / refill.
///
/// A dial is noted a moment after it got its token, and in this one thread before the next gets one. So the first dial of a
/// span may have had its token before the span began: it is not counted.
pub(crate) fn burst_needed(times: &[Timestamp], refill: Micros) -> u32 {
    let refill = i128::from(refill.as_micros());
    let (mut least, mut most) = (i128::MAX, 0);
    for (n, time) in (0..).zip(times) {
        // All that was taken so far, less what came back.
        let taken = refill * n - i128::from(time.as_micros());
        least = least.min(taken);
        most = most.max(taken - least);
    }
    u32::try_from((most + refill - 1) / refill).unwrap_or(u32::MAX)
}

/// The most of these times that any window holds.
pub(crate) fn busiest(times: &[Timestamp], window: Duration) -> usize {
    let within =
        |from: &Timestamp, to: &Timestamp| u128::from(to.saturating_since(*from).as_micros()) < window.as_micros();
    let count = |(n, from)| times.iter().skip(n).take_while(|to| within(from, to)).count();
    times.iter().enumerate().map(count).max().unwrap_or_default()
}
