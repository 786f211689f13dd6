//! Who is to be woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

use futures_util::task::AtomicWaker;

/// Wakes whoever polls the stream and whoever polls the sink, and remembers that it did.
///
/// It is the one waker of everything of the driver's own: timer, dial, close handshake, driver's writes, handles. So
/// these need be polled only when it was raised, a task that goes away takes no wake-up with it, and the two halves of a
/// split connection don't steal each other's.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    raised: AtomicBool,
    pub(crate) reader: AtomicWaker,
    pub(crate) writer: AtomicWaker,
}

impl Signal {
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.reader.wake();
        self.writer.wake();
    }

    #[inline]
    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// For whoever took it and could not do everything.
    pub(crate) fn stay_raised(&self) {
        self.raised.store(true, Ordering::Release);
    }

    pub(crate) fn take(&self) -> bool {
        self.is_raised() && self.raised.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.raise();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.raise();
    }
}
