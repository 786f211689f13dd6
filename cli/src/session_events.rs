//! What happens to a session, in words and as JSON.

use redial::{Micros, Timestamp};
use redial_tokio::{ClientEvent, LossReason, Payload};
use serde::Serialize;

use crate::describe;

/// What people are told; `None` for receipts. The messages of a loss are told one by one.
#[allow(clippy::wildcard_enum_match_arm)] // events may become more
pub(crate) fn text(event: &ClientEvent) -> Option<String> {
    Some(match event {
        ClientEvent::Started { ttl } => {
            format!("session started, kept for {} without a connection", whole_seconds(*ttl))
        }
        ClientEvent::Resumed { replayed: 0 } => "session resumed".to_owned(),
        ClientEvent::Resumed { replayed: 1 } => "session resumed, 1 message sent again".to_owned(),
        ClientEvent::Resumed { replayed } => format!("session resumed, {replayed} messages sent again"),
        ClientEvent::Plain => "plain: the server speaks no redial.v1".to_owned(),
        ClientEvent::Lost(lost) if lost.reason == LossReason::User => "session ended".to_owned(),
        ClientEvent::Lost(lost) => format!("session lost: {}", lost.reason),
        ClientEvent::GoingAway(_) => "the server is going away".to_owned(),
        ClientEvent::Dropped { .. } | ClientEvent::Delivered { .. } => return None,
        // A kind that came later than this text.
        _ => return None,
    })
}

/// The same as JSON, with the keys and the shape of a notice.
#[derive(Serialize)]
#[serde(tag = "output", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Line {
    SessionStarted { ttl: Micros },
    SessionResumed { replayed: usize },
    Plain,
    Delivered { up_to: u64 },
    Dropped { id: u64 },
    SessionLost { reason: String, in_doubt: Vec<u64> },
    GoingAway,
}

/// A line of JSON, without its end. Messages are named by their numbers: the first that was given is 1.
#[allow(clippy::wildcard_enum_match_arm)] // events may become more
pub(crate) fn json(at: Timestamp, event: &ClientEvent) -> Option<Vec<u8>> {
    #[derive(Serialize)]
    struct Placed {
        at: Timestamp,
        #[serde(flatten)]
        line: Line,
    }
    let line = match event {
        ClientEvent::Started { ttl } => Line::SessionStarted { ttl: *ttl },
        ClientEvent::Resumed { replayed } => Line::SessionResumed { replayed: *replayed },
        ClientEvent::Plain => Line::Plain,
        ClientEvent::Delivered { up_to } => Line::Delivered { up_to: up_to.0 },
        ClientEvent::Dropped { id, .. } => Line::Dropped { id: id.0 },
        ClientEvent::Lost(lost) => Line::SessionLost {
            reason: lost.reason.to_string(),
            in_doubt: lost.in_doubt.iter().map(|message| message.id.0).collect(),
        },
        ClientEvent::GoingAway(_) => Line::GoingAway,
        // A kind that came later than this text.
        _ => return None,
    };
    serde_json::to_vec(&Placed { at, line }).ok()
}

/// A message for people.
pub(crate) fn shown(payload: &Payload) -> String {
    match payload.as_text() {
        Some(text) => text.to_owned(),
        None => format!("a binary message of {} bytes", payload.len()),
    }
}

/// `300 s`.
pub(crate) fn whole_seconds(span: Micros) -> String {
    match span.as_micros() {
        micros if micros % 1_000_000 == 0 => format!("{} s", micros / 1_000_000),
        _ => describe::seconds(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redial_tokio::{MessageId, SessionLost, Unacknowledged};

    #[test]
    fn what_people_and_programs_read() {
        let both = |event: &ClientEvent| {
            let json = json(Timestamp::from_millis(7), event).unwrap();
            (text(event).unwrap_or_default(), String::from_utf8(json).unwrap())
        };
        let (text, json) = both(&ClientEvent::Started { ttl: Micros::from_secs(300) });
        assert_eq!(text, "session started, kept for 300 s without a connection");
        assert_eq!(json, r#"{"at":7,"output":"sessionStarted","ttl":300000}"#);
        let (text, json) = both(&ClientEvent::Resumed { replayed: 12 });
        assert_eq!(text, "session resumed, 12 messages sent again");
        assert_eq!(json, r#"{"at":7,"output":"sessionResumed","replayed":12}"#);
        let in_doubt = vec![Unacknowledged { id: MessageId(3), payload: Payload::text("x") }];
        let (text, json) = both(&ClientEvent::Lost(SessionLost { reason: LossReason::Unknown, in_doubt }));
        assert_eq!(text, "session lost: the server does not know it any more");
        assert_eq!(
            json,
            r#"{"at":7,"output":"sessionLost","reason":"the server does not know it any more","inDoubt":[3]}"#
        );
        assert_eq!(
            both(&ClientEvent::Delivered { up_to: MessageId(9) }).1,
            r#"{"at":7,"output":"delivered","upTo":9}"#
        );
        assert_eq!(both(&ClientEvent::Plain).1, r#"{"at":7,"output":"plain"}"#);
    }
}
