//! What a store holds, as JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;

use crate::store::{Member, Past};

/// An alias as a text of 16 hexadecimal digits: not every language has integers of 64 bits.
pub(crate) fn alias(alias: u64) -> String {
    format!("{alias:016x}")
}

/// A message of a room's history.
#[derive(Debug, Serialize)]
pub(crate) struct PastView {
    number: u64,
    /// Milliseconds since 1970-01-01 UTC.
    at: u64,
    /// What it was: JSON where it was JSON, else a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Value>,
    /// Base64 of what it was, where it was no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    binary: Option<String>,
}

impl From<Past> for PastView {
    fn from(past: Past) -> Self {
        let (message, binary) = match past.payload.as_text() {
            Some(text) => (Some(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))), None),
            None => (None, Some(STANDARD.encode(past.payload.bytes()))),
        };
        Self { number: past.number, at: past.at_millis, message, binary }
    }
}

impl PastView {
    /// Only that there was something.
    pub(crate) fn without_content(self) -> Self {
        Self { message: None, binary: None, ..self }
    }
}

/// A member of a room.
#[derive(Debug, Serialize)]
pub(crate) struct MemberView {
    alias: String,
    user: Option<String>,
    connected: bool,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self { alias: alias(member.alias), user: member.user, connected: member.connected }
    }
}

/// So many messages of history at once, unless asked otherwise.
pub(crate) const PAGE: usize = 50;
/// So many at most.
pub(crate) const LONGEST_PAGE: usize = 200;
