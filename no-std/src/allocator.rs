//! An allocator in name.

use core::alloc::{GlobalAlloc, Layout};

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
