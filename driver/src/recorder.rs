//! Writing down what the machine was told and what it answered.

use std::num::NonZeroU32;

use redial::{Input, Output, Policy, Timestamp};

/// Hears every step of the machine: its input, then its outputs.
///
/// What it hears is exactly what the machine was fed: a machine with the same policy and seed that is fed the same inputs
/// at the same times gives the same outputs, bit for bit. Times never go back. An input that comes when a deadline has
/// passed is followed by a timeout, so that a recording without timeouts is one in which no deadline passed. `()` hears
/// nothing, at no cost.
pub trait Record {
    /// A machine was made of this. The policy may differ from the one that the builder was given: without pings, no health
    /// checks.
    fn begin(&mut self, policy: &Policy, seed: u64, endpoints: NonZeroU32) {
        let _ = (policy, seed, endpoints);
    }
    /// The machine is told this.
    fn input(&mut self, at: Timestamp, input: &Input);
    /// The machine answers this to the last input.
    fn output(&mut self, at: Timestamp, output: &Output);
}

impl Record for () {
    #[inline]
    fn input(&mut self, _: Timestamp, _: &Input) {}
    #[inline]
    fn output(&mut self, _: Timestamp, _: &Output) {}
}

/// For a recording that may be switched off.
impl<R: Record> Record for Option<R> {
    fn begin(&mut self, policy: &Policy, seed: u64, endpoints: NonZeroU32) {
        if let Some(recorder) = self {
            recorder.begin(policy, seed, endpoints);
        }
    }

    fn input(&mut self, at: Timestamp, input: &Input) {
        if let Some(recorder) = self {
            recorder.input(at, input);
        }
    }

    fn output(&mut self, at: Timestamp, output: &Output) {
        if let Some(recorder) = self {
            recorder.output(at, output);
        }
    }
}

impl<R: Record + ?Sized> Record for Box<R> {
    fn begin(&mut self, policy: &Policy, seed: u64, endpoints: NonZeroU32) {
        (**self).begin(policy, seed, endpoints);
    }

    fn input(&mut self, at: Timestamp, input: &Input) {
        (**self).input(at, input);
    }

    fn output(&mut self, at: Timestamp, output: &Output) {
        (**self).output(at, output);
    }
}
