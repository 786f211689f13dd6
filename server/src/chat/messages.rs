//! What is said between a client and the chat. `docs/chat.md` shows it.

use redial_session::Payload;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::application::SessionInfo;
use crate::store::Ended;
use crate::views::{self, MemberView, PastView};

/// What a client asks for.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(super) enum Asked {
    Who,
    Join { room: String },
    Leave { room: String },
    Message { room: String, text: String, id: Option<String> },
    Continue { room: String, id: String, text: String, from: usize },
    Typing { room: String },
    Read { room: String, number: u64 },
    History { room: String, before: Option<u64>, limit: Option<usize> },
    Members { room: String },
}

/// What it is told.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(super) enum Told<'a> {
    You {
        you: Who<'a>,
    },
    Joined {
        room: &'a str,
        #[serde(flatten)]
        from: Who<'a>,
    },
    Left {
        room: &'a str,
        #[serde(flatten)]
        from: Who<'a>,
    },
    Message {
        room: &'a str,
        #[serde(flatten)]
        from: Who<'a>,
        text: &'a str,
        at: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
    },
    /// A part of an answer.
    Piece {
        room: &'a str,
        alias: &'a str,
        /// The question's.
        id: &'a str,
        piece: usize,
        text: &'a str,
        last: bool,
    },
    Typing {
        room: &'a str,
        #[serde(flatten)]
        from: Who<'a>,
    },
    Read {
        room: &'a str,
        #[serde(flatten)]
        from: Who<'a>,
        number: u64,
    },
    History {
        room: &'a str,
        messages: Vec<PastView>,
    },
    Members {
        room: &'a str,
        members: Vec<MemberView>,
        /// How many more there are.
        #[serde(skip_serializing_if = "is_zero")]
        more: usize,
    },
    Error {
        reason: &'a str,
    },
}

// As serde wants it.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Somebody, as others see them.
#[derive(Debug, Serialize)]
pub(super) struct Who<'a> {
    alias: String,
    user: Option<&'a str>,
}

/// What a message asks for; `None` if it is no JSON object with a `type`.
pub(super) fn read(payload: &Payload) -> Option<Result<Asked, serde_json::Error>> {
    let value: Value = serde_json::from_str(payload.as_text()?).ok()?;
    value.get("type")?;
    Some(serde_json::from_value(value))
}

impl Asked {
    pub(super) fn room(&self) -> Option<&str> {
        match self {
            Self::Who => None,
            Self::Join { room }
            | Self::Leave { room }
            | Self::Message { room, .. }
            | Self::Continue { room, .. }
            | Self::Typing { room }
            | Self::Read { room, .. }
            | Self::History { room, .. }
            | Self::Members { room } => Some(room),
        }
    }
}

impl Told<'_> {
    pub(super) fn payload(&self) -> Payload {
        // All of it can be written as JSON.
        Payload::text(serde_json::to_string(self).unwrap_or_default())
    }
}

impl<'a> From<&'a SessionInfo> for Who<'a> {
    fn from(session: &'a SessionInfo) -> Self {
        Self { alias: views::alias(session.alias), user: session.user.as_deref() }
    }
}

impl<'a> From<&'a Ended> for Who<'a> {
    fn from(ended: &'a Ended) -> Self {
        Self { alias: views::alias(ended.alias), user: ended.user.as_deref() }
    }
}
