//! What the host and the machine show each other: numbers, and the bytes of texts. Atomics, because both sides write; on one
//! thread they are plain loads and stores.

use core::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

pub(crate) static NUMBERS: [AtomicU64; 96] = [const { AtomicU64::new(0) }; 96];
pub(crate) static BYTES: [AtomicU8; 512] = [const { AtomicU8::new(0) }; 512];

/// Writes numbers one after the other.
pub(crate) struct Numbers {
    at: usize,
}

impl Numbers {
    pub(crate) const fn from(at: usize) -> Self {
        Self { at }
    }

    /// One number; what does not fit is lost.
    #[inline(never)]
    pub(crate) fn put(&mut self, number: f64) {
        if let Some(place) = NUMBERS.get(self.at) {
            place.store(number.to_bits(), Relaxed);
        }
        self.at = self.at.wrapping_add(1);
    }

    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn whole(&mut self, number: u64) {
        self.put(number as f64);
    }

    /// -1 stands for none.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn optional(&mut self, number: Option<u64>) {
        self.put(number.map_or(-1.0, |number| number as f64));
    }
}

/// Copies `into.len()` bytes out of the buffer.
pub(crate) fn read(from: usize, into: &mut [u8]) {
    for (place, byte) in into.iter_mut().zip(BYTES.iter().skip(from)) {
        *place = byte.load(Relaxed);
    }
}

/// Copies a text into the buffer, and answers where it ends.
pub(crate) fn write(at: usize, text: &str) -> usize {
    for (place, byte) in BYTES.iter().skip(at).zip(text.bytes()) {
        place.store(byte, Relaxed);
    }
    at.wrapping_add(text.len())
}
