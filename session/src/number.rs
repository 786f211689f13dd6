//! Numbers on the wire: unsigned LEB128, seven bits a byte, lowest first, in the shortest form.

use alloc::vec::Vec;

use crate::error::FrameError;

/// The largest number on the wire: 2⁵³ − 1, the largest that every language's numbers hold exactly. Counted up once a
/// microsecond it lasts 285 years.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// What the largest number takes.
const MOST_BYTES: usize = 8;

/// How many bytes a number takes.
pub(crate) const fn len(number: u64) -> usize {
    let number = if number < MAX_NUMBER { number } else { MAX_NUMBER };
    let bits = u64::BITS - (number | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// A number above the largest is written as the largest.
#[inline]
pub(crate) fn put(buffer: &mut Vec<u8>, number: u64) {
    let mut rest = number.min(MAX_NUMBER);
    while rest >= 0x80 {
        buffer.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    buffer.push(rest as u8);
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

#[cold]
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
        fn a_number_comes_back(number in 0..=MAX_NUMBER, less in 0..53_u32, after in any::<u8>()) {
            let number = number >> less;
            let mut buffer = Vec::new();
            put(&mut buffer, number);
            prop_assert!(buffer.len() <= MOST_BYTES);
            prop_assert_eq!(buffer.len(), len(number));
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
