//! What a page and a worker both have.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::Window;

/// The global object. In a worker it is no window, but what is asked of it here it has all the same: timers, `performance`,
/// `crypto`, `navigator`, `location`, and events.
pub(crate) fn global() -> Window {
    js_sys::global().unchecked_into()
}

/// Whether there is a document: a worker has none.
pub(crate) fn has_document() -> bool {
    js_sys::Reflect::has(&js_sys::global(), &JsValue::from_str("document")).unwrap_or(false)
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
