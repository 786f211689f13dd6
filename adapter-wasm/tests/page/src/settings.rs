//! A connection as the script wants it.

use redial_wasm::{ConfigError, Heartbeat, Message, Policy, WebSocket, WebSocketBuilder};
use serde::Deserialize;
use wasm_bindgen::JsValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Settings {
    url: String,
    #[serde(default)]
    policy: Policy,
    #[serde(default)]
    seed: Option<u64>,
    #[serde(default)]
    subprotocols: Vec<String>,
    /// Asks with `ping N`, and hears `pong N`.
    #[serde(default)]
    heartbeat: bool,
    #[serde(default)]
    hold_when_hidden: bool,
    #[serde(default)]
    no_hints: bool,
    /// Takes its time over each event, so that messages wait in the socket.
    #[serde(default)]
    pub(crate) slow: bool,
    /// Each dial has its attempt in its query.
    #[serde(default)]
    numbered: bool,
}

impl Settings {
    pub(crate) fn parse(json: &str) -> Result<Self, JsValue> {
        serde_json::from_str(json).map_err(text)
    }

    pub(crate) fn builder(self) -> WebSocketBuilder {
        let mut builder = WebSocket::builder(&self.url).policy(self.policy).hints(!self.no_hints);
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        for name in self.subprotocols {
            builder = builder.subprotocol(name);
        }
        if self.heartbeat {
            builder = builder.heartbeat(Heartbeat::numbered(
                |id| Message::text(format!("ping {id}")),
                |answer| answer.as_text()?.strip_prefix("pong ")?.parse().ok(),
            ));
        }
        if self.hold_when_hidden {
            builder = builder.hold_when_hidden();
        }
        if self.numbered {
            builder = builder.per_dial(|dial, target| async move {
                let url = format!("{}?attempt={}", target.href(), dial.attempt);
                Ok(target.url(&url)?)
            });
        }
        builder
    }
}

pub(crate) fn refused(error: ConfigError) -> JsValue {
    text(error)
}

pub(crate) fn text(error: impl std::fmt::Display) -> JsValue {
    JsValue::from_str(&error.to_string())
}
