//! The machine for a JavaScript host: no imports, no allocator, no glue. The host keeps each machine's bytes, lays them
//! into [`state`] before a call and takes them back after it: so there are as many machines as the host likes, and its garbage
//! collector frees them. (A machine holds no pointers.)

#![no_std]

mod buffer;
mod exports;
mod input;
mod output;
mod state;

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
