//! A plain connection.

use crate::settings::{Settings, refused, text};
use crate::tell;
use futures_util::future::{AbortHandle, abortable};
use js_sys::Function;
use redial_wasm::{Clock, Event, Handle, HoldReason, Message, Micros, StreamExt, WasmClock};
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// A connection in a task of its own. `hear` is called with each event.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Chat {
    handle: Handle<Message>,
    task: AbortHandle,
}

#[wasm_bindgen]
impl Chat {
    /// From settings in JSON.
    ///
    /// # Errors
    /// If they are not allowed.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str, hear: Function) -> Result<Self, JsValue> {
        let settings = Settings::parse(settings)?;
        let slow = settings.slow;
        let clock = WasmClock::new();
        let mut connection = settings.builder().build().map_err(refused)?;
        let handle = connection.handle();
        let (run, task) = abortable(async move {
            loop {
                while let Some(event) = connection.next().await {
                    #[allow(clippy::wildcard_enum_match_arm)] // it may grow
                    let told = match event {
                        Event::Message(Message::Text(text)) => json!({ "text": text }),
                        Event::Message(Message::Binary(bytes)) => json!({ "binary": bytes.to_vec() }),
                        Event::Notice(notice) => json!(notice),
                        Event::Dropped { reason, .. } => json!({ "dropped": format!("{reason:?}") }),
                        _ => continue,
                    };
                    tell(&hear, &told);
                    if slow {
                        clock.sleep_until(clock.now().saturating_add(Micros::from_millis(2))).await;
                    }
                }
                tell(&hear, &json!({ "over": true }));
                connection.revived().await;
            }
        });
        spawn_local(async move {
            let _ = run.await;
        });
        Ok(Self { handle, task })
    }

    /// # Errors
    /// If it was not taken.
    pub fn text(&self, message: &str) -> Result<(), JsValue> {
        self.handle.send(Message::text(message)).map_err(text)
    }

    /// # Errors
    /// If it was not taken.
    pub fn binary(&self, message: &[u8]) -> Result<(), JsValue> {
        self.handle.send(Message::binary(message.to_vec())).map_err(text)
    }

    /// Where it stands, in JSON.
    #[must_use]
    pub fn status(&self) -> String {
        let status = self.handle.status();
        json!({
            "phase": status.phase,
            "attempt": status.attempt,
            "quality": status.quality,
            "latency": status.latency,
            "nextDialAt": status.next_dial_at,
            "outbox": status.outbox_messages,
            "lastCause": status.last_cause,
        })
        .to_string()
    }

    pub fn start(&self) {
        self.handle.start();
    }

    pub fn stop(&self) {
        self.handle.stop();
    }

    pub fn reconnect(&self) {
        self.handle.reconnect();
    }

    pub fn hold(&self, on: bool) {
        match on {
            true => self.handle.hold(HoldReason::Idle),
            false => self.handle.release(HoldReason::Idle),
        }
    }

    /// Drops the connection, with no close handshake.
    pub fn drop_it(&self) {
        self.task.abort();
    }
}
