//! A session.

use crate::settings::{Settings, refused, text};
use crate::tell;
use futures_util::future::{AbortHandle, abortable};
use js_sys::Function;
use redial_wasm::{ClientEvent, Message, Payload, Protocol, SessionConfig, SessionEvent, SessionHandle, StreamExt};
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// A session in a task of its own. `hear` is called with each event.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Talk {
    handle: SessionHandle<Message>,
    task: AbortHandle,
}

#[wasm_bindgen]
impl Talk {
    /// From settings in JSON.
    ///
    /// # Errors
    /// If they are not allowed.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str, hear: Function) -> Result<Self, JsValue> {
        let mut session = Settings::parse(settings)?.builder().session(SessionConfig::default()).map_err(refused)?;
        let handle = session.handle();
        let (run, task) = abortable(async move {
            while let Some(event) = session.next().await {
                #[allow(clippy::wildcard_enum_match_arm)] // it may grow
                let told = match event {
                    SessionEvent::Message(payload) => match payload.as_text() {
                        Some(text) => json!({ "text": text }),
                        None => json!({ "binary": payload.bytes().to_vec() }),
                    },
                    SessionEvent::Notice(notice) => json!(notice),
                    SessionEvent::Session(event) => json!({ "session": name(&event) }),
                    _ => continue,
                };
                tell(&hear, &told);
            }
            tell(&hear, &json!({ "over": true }));
        });
        spawn_local(async move {
            let _ = run.await;
        });
        Ok(Self { handle, task })
    }

    /// # Errors
    /// If it was not taken.
    pub fn text(&self, message: &str) -> Result<(), JsValue> {
        self.handle.send(message).map(|_| ()).map_err(text)
    }

    /// # Errors
    /// If it was not taken.
    pub fn binary(&self, message: &[u8]) -> Result<(), JsValue> {
        self.handle.send(Payload::binary(message.to_vec())).map(|_| ()).map_err(text)
    }

    /// Where it stands, in JSON.
    #[must_use]
    pub fn status(&self) -> String {
        let (status, session) = (self.handle.status(), self.handle.session_status());
        let protocol = session.protocol.map(|protocol| match protocol {
            Protocol::Session => "session",
            Protocol::Plain => "plain",
        });
        json!({ "phase": status.phase, "latency": status.latency, "protocol": protocol, "pending": session.pending })
            .to_string()
    }

    pub fn stop(&self) {
        self.handle.stop();
    }

    pub fn reconnect(&self) {
        self.handle.reconnect();
    }

    /// Drops the session, with no close handshake.
    pub fn drop_it(&self) {
        self.task.abort();
    }
}

fn name(event: &ClientEvent) -> String {
    let shown = format!("{event:?}");
    shown.split([' ', '(']).next().unwrap_or_default().to_owned()
}
