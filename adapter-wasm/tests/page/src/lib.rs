//! What the tests in a browser drive.

mod chat;
mod clock;
mod settings;
mod talk;

use js_sys::Function;
use serde_json::Value;
use wasm_bindgen::JsValue;

/// Tells the script, in JSON.
fn tell(hear: &Function, event: &Value) {
    let _ = hear.call1(&JsValue::NULL, &JsValue::from_str(&event.to_string()));
}
