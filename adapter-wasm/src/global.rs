//! What a page and a worker both have.

use wasm_bindgen::JsCast;
use web_sys::Window;

/// The global object. In a worker it is no window, but what is asked of it here it has all the same: timers, `performance`,
/// `crypto`, `navigator`, `location`, and events; but for its document, of which there is none then.
pub(crate) fn global() -> Window {
    js_sys::global().unchecked_into()
}

/// Sixty-four bits from the browser's source of randomness.
pub(crate) fn entropy() -> u64 {
    let mut bytes = [0; 8];
    if let Ok(crypto) = global().crypto() {
        if crypto.get_random_values_with_u8_array(&mut bytes).is_ok() {
            return u64::from_le_bytes(bytes);
        }
    }
    // No browser is without it. If one were, a seed that differs from page to page is still better than one that does not.
    js_sys::Math::random().to_bits()
}
