//! The contract's JSON with an allocator and without std.

extern crate alloc;

use alloc::string::String;
use core::alloc::{GlobalAlloc, Layout};
use redial::{Policy, Snapshot};

/// Has no memory. The program is linked and never run, so it needs an allocator only in name.
struct Empty;

// SAFETY: no memory is ever handed out; null says so.
unsafe impl GlobalAlloc for Empty {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Empty = Empty;

/// Writes and reads what people store.
pub(crate) fn there_and_back(policy: &Policy, snapshot: &Snapshot) -> Option<(Policy, Snapshot)> {
    let policy: String = serde_json::to_string(policy).ok()?;
    let snapshot = serde_json::to_string(snapshot).ok()?;
    Some((serde_json::from_str(&policy).ok()?, serde_json::from_str(&snapshot).ok()?))
}
