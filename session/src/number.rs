//! Numbers on the wire: unsigned LEB128, seven bits a byte, lowest first, in the shortest form.

use alloc::vec::Vec;

use crate::error::FrameError;

/// The largest number on the wire: 2⁵³ − 1, the largest that every language's numbers hold exactly. Counted up once a
/// microsecond it lasts 285 years.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// What the largest number takes.
const MOST_BYTES: usize = 8;

/// The beginning of a message: its type and two numbers, before anybody knows how long it will be.
pub(crate) struct Head {
    bytes: [u8; Self::MOST],
    len: usize,
}

impl Head {
    const MOST: usize = 1 + 2 * MOST_BYTES;

    pub(crate) const fn new(kind: u8) -> Self {
        let mut bytes = [0; Self::MOST];
        bytes[0] = kind;
        Self { bytes, len: 1 }
    }

    /// Twice at most.
    pub(crate) fn put(&mut self, number: u64) {
        each_byte(number, |byte| {
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = byte;
                self.len += 1;
            }
        });
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

pub(crate) fn put(buffer: &mut Vec<u8>, number: u64) {
    each_byte(number, |byte| buffer.push(byte));
}

/// A number above the largest is written as the largest.
fn each_byte(number: u64, mut put: impl FnMut(u8)) {
    let mut rest = number.min(MAX_NUMBER);
    while rest >= 0x80 {
        put((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    put(rest as u8);
}

/// Takes a number from the front.
#[inline]
pub(crate) fn take(bytes: &mut &[u8]) -> Result<u64, FrameError> {
    // Each message has two, and most are short.
    match **bytes {
        [byte, ref rest @ ..] if byte < 0x80 => {
            *bytes = rest;
            Ok(byte.into())
        }
        [low, high @ 1..0x80, ref rest @ ..] => {
            *bytes = rest;
            Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
        }
        _ => take_any(bytes),
    }
}

fn take_any(bytes: &mut &[u8]) -> Result<u64, FrameError> {
    let mut number = 0_u64;
    for index in 0..MOST_BYTES {
        let (&byte, rest) = bytes.split_first().ok_or(FrameError::Short)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            let shortest = byte != 0 || index == 0;
            return if shortest && number <= MAX_NUMBER { Ok(number) } else { Err(FrameError::Number) };
        }
    }
    Err(FrameError::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_comes_back(number in 0..=MAX_NUMBER, after in any::<u8>()) {
            let mut buffer = Vec::new();
            put(&mut buffer, number);
            prop_assert!(buffer.len() <= MOST_BYTES);
            buffer.push(after);
            let mut rest = &buffer[..];
            prop_assert_eq!(take(&mut rest), Ok(number));
            prop_assert_eq!(rest, &[after][..]);
        }
    }

    #[test]
    fn only_the_shortest_form_is_a_number() {
        assert_eq!(take(&mut &[0x80, 0x00][..]), Err(FrameError::Number));
        assert_eq!(take(&mut &[0x81, 0x80, 0x00][..]), Err(FrameError::Number));
        assert_eq!(take(&mut &[0x00][..]), Ok(0));
    }

    #[test]
    fn a_number_has_at_most_53_bits() {
        assert_eq!(take(&mut &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f][..]), Ok(MAX_NUMBER));
        assert_eq!(take(&mut &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10][..]), Err(FrameError::Number));
        assert_eq!(take(&mut &[0x80; 9][..]), Err(FrameError::Number));
        assert_eq!(take(&mut &[0x80; 3][..]), Err(FrameError::Short));
    }
}
