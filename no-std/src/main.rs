//! A program without std that drives the machine. `scripts/no-std` builds and links it with nothing but `core`: std in any
//! crate below would bring a second panic handler, an allocation would ask for an allocator, and a call of the system's
//! would be a symbol that nobody defines.

#![no_std]
#![no_main]

#[cfg(any(feature = "serde", feature = "session"))]
mod allocator;
#[cfg(feature = "serde")]
mod json;
#[cfg(feature = "session")]
mod session;

use core::hint::black_box;
use redial::{Backoff, Cause, ConnectionId, Input, Policy, ReconnectMachine, Timestamp};

/// The entry of a program that no system starts.
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    let policy = Policy::resilient();
    let mut machine = ReconnectMachine::new(policy.clone(), black_box(7));
    let connection = ConnectionId(1);
    let inputs = [Input::Start, Input::Opened { connection }, Input::Closed { connection, cause: Cause::close(1006) }];
    for input in black_box(inputs) {
        for command in machine.handle(Timestamp::ZERO, input).commands() {
            black_box(command);
        }
    }
    let snapshot = machine.snapshot(Timestamp::ZERO);
    let restored = ReconnectMachine::restore(policy.clone(), &snapshot, Timestamp::ZERO);
    black_box((restored.is_ok(), machine.stats(Timestamp::ZERO), Backoff::new(&policy, 7).next_delay(&policy)));
    #[cfg(feature = "serde")]
    black_box(json::there_and_back(&policy, &snapshot));
    #[cfg(feature = "session")]
    black_box(session::there_and_back());
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn on_panic(info: &core::panic::PanicInfo<'_>) -> ! {
    black_box(info);
    loop {
        core::hint::spin_loop();
    }
}
