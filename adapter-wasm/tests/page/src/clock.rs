//! The clock.

use futures_util::future::{AbortHandle, abortable, join};
use js_sys::Function;
use redial_wasm::{Clock, Timestamp, WasmClock};
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use crate::tell;

/// The clock, and sleeps on it.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Clocks {
    clock: WasmClock,
}

#[wasm_bindgen]
impl Clocks {
    #[must_use]
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// The clock's time, in microseconds.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn now(&self) -> f64 {
        self.clock.now().as_micros() as f64
    }

    /// Sleeps for so long, in milliseconds, once or twice at the same time, and then tells.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn sleep(&self, millis: f64, twice: bool, hear: Function) -> Sleeping {
        let at = self.clock.now().as_micros().saturating_add((millis * 1000.0) as u64);
        let sleep = self.clock.sleep_until(Timestamp::from_micros(at));
        // The second sleep ends with the first one's timer, whose task it is.
        let twin = self.clock.sleep_until(Timestamp::from_micros(at));
        let (run, task) = abortable(async move {
            match twice {
                true => drop(join(sleep, twin).await),
                false => sleep.await,
            }
            tell(&hear, &json!({ "woke": true }));
        });
        spawn_local(async move {
            let _ = run.await;
        });
        Sleeping { task }
    }
}

/// A sleep under way.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Sleeping {
    task: AbortHandle,
}

#[wasm_bindgen]
impl Sleeping {
    pub fn drop_it(&self) {
        self.task.abort();
    }
}
