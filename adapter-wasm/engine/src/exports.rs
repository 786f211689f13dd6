//! What the host calls. No export takes a pointer, and none gives one but to the statics that the host may write: that is why
//! the attribute, which says that a name is unique in the program, is all there is of unsafe code.

#![allow(unsafe_code)]

use core::num::NonZeroU32;

use redial::{DialBudget, PolicyError, Preset, ReconnectMachine, SharedBudget, Timestamp, Value};

use crate::buffer::{self, BYTES, NUMBERS, Numbers};
use crate::input::{input, micros};
use crate::output::{self, WIDTH};
use crate::state::{BUDGET, BUILDER, SLOT};

/// Where the outputs begin in the numbers.
const OUTPUTS: usize = 8;

/// The places of: the numbers, the bytes, the machine, the budget; and the lengths of the last two.
#[unsafe(no_mangle)]
pub extern "C" fn place(of: u32) -> usize {
    match of {
        0 => (&raw const NUMBERS).addr(),
        1 => (&raw const BYTES).addr(),
        2 => (&raw const SLOT).addr(),
        3 => (&raw const BUDGET).addr(),
        4 => size_of_val(&SLOT),
        _ => size_of_val(&BUDGET),
    }
}

/// Begins a policy with a preset, in the order of the contract.
#[unsafe(no_mangle)]
pub extern "C" fn preset(number: u32) {
    let preset = Preset::ALL.get(number as usize).copied().unwrap_or(Preset::Chat);
    *BUILDER.lock() = Some(preset.builder());
}

/// Sets one key of the policy. The buffer has the key and behind it the text, if the value is one (kind 3); otherwise it is
/// null, a truth value or a number. Answers the length of the error, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn set(key: usize, text: usize, kind: u32, number: f64) -> usize {
    let mut bytes = [0; 128];
    buffer::read(0, &mut bytes);
    let part = |from: usize, len: usize| {
        let bytes = bytes.get(from..from.wrapping_add(len)).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    };
    let value = match kind {
        0 => Value::Null,
        1 => Value::Bool(number != 0.0),
        2 => Value::Number(number),
        _ => Value::Text(part(key, text)),
    };
    let mut builder = BUILDER.lock();
    match builder.unwrap_or_default().set(part(0, key), value) {
        Ok(changed) => {
            *builder = Some(changed);
            0
        }
        Err(error) => refuse(&error),
    }
}

/// Makes the machine of the policy. Answers the length of the error, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn create(seed: u64, endpoints: u32) -> usize {
    match BUILDER.lock().unwrap_or_default().build() {
        Ok(policy) => {
            let machine = ReconnectMachine::new(policy, seed);
            let mut slot = SLOT.lock();
            slot.machine = Some(machine.with_endpoints(NonZeroU32::new(endpoints).unwrap_or(NonZeroU32::MIN)));
            slot.turn = None;
            0
        }
        Err(error) => refuse(&error),
    }
}

/// Key and allowed values as `key: allowed` in the bytes; the value, where it is a number, in the numbers.
fn refuse(error: &PolicyError) -> usize {
    if let Value::Number(number) = error.value() {
        Numbers::from(0).put(number);
    }
    let end = buffer::write(0, error.key());
    let end = buffer::write(end, ": ");
    buffer::write(end, error.allowed())
}

/// One step. Answers how many outputs there are; what everybody asks for afterwards is in the first numbers.
#[unsafe(no_mangle)]
pub extern "C" fn handle(now: f64, kind: u32, a: f64, b: f64, c: f64, d: f64) -> usize {
    let mut slot = SLOT.lock();
    let Some(machine) = &mut slot.machine else {
        return 0;
    };
    let outputs = machine.handle(Timestamp::from_micros(now as u64), input(kind, a, b, c, d));
    let mut count = 0;
    let mut at = OUTPUTS;
    for output in outputs.iter() {
        output::write(at, output);
        at = at.wrapping_add(WIDTH);
        count += 1;
    }
    let mut to = Numbers::from(0);
    to.optional(machine.deadline().map(Timestamp::as_micros));
    to.whole(machine.phase() as u64);
    to.whole(machine.attempt().into());
    output::put_quality(&mut to, machine.quality());
    to.optional(machine.latency().map(|span| span.as_micros()));
    to.optional(machine.next_dial_at().map(Timestamp::as_micros));
    to.optional(machine.connection().map(|connection| connection.0));
    to.whole(machine.awaits_pong().into());
    count
}

/// The accounts, in the numbers.
#[unsafe(no_mangle)]
pub extern "C" fn stats(now: f64) {
    let slot = SLOT.lock();
    let Some(machine) = &slot.machine else {
        return;
    };
    let stats = machine.stats(Timestamp::from_micros(now as u64));
    let mut to = Numbers::from(0);
    for span in [stats.uptime, stats.downtime, stats.held, stats.idle, stats.longest_outage] {
        to.whole(span.as_micros());
    }
    let counts = [stats.dials, stats.retries, stats.opened, stats.retries_opened, stats.attempts_failed, stats.lost];
    for count in counts.into_iter().chain([stats.gave_up, stats.wakes]) {
        to.whole(count);
    }
    for percent in [50.0, 99.0] {
        let known = stats.latencies.count() > 0;
        to.optional(stats.latencies.percentile(percent).filter(|_| known).map(|span| span.as_micros()));
    }
}

/// Makes a budget for several machines.
#[unsafe(no_mangle)]
pub extern "C" fn budget(burst: u32, refill: f64) {
    *BUDGET.lock() = Some(SharedBudget::new(DialBudget { burst, refill: micros(refill) }));
}

/// Asks the budget for a token for the machine: -1, or when to come again.
#[unsafe(no_mangle)]
pub extern "C" fn take(now: f64) -> f64 {
    let mut slot = SLOT.lock();
    let taken = BUDGET.lock().as_mut().map(|budget| budget.take(Timestamp::from_micros(now as u64), slot.turn));
    slot.turn = taken.and_then(Result::err);
    slot.turn.map_or(-1.0, |turn| turn.at().as_micros() as f64)
}

/// The machine does not wait for a dial any more.
#[unsafe(no_mangle)]
pub extern "C" fn give_back() {
    if let (Some(turn), Some(budget)) = (SLOT.lock().turn.take(), BUDGET.lock().as_mut()) {
        budget.give_back(turn);
    }
}
