//! Asking a peer whether it is alive, without ping frames.

use crate::message::Message;
use redial::PingId;
use std::cell::Cell;
use std::fmt;

/// How to ask a server whether it is alive: browsers have no ping frames, so it takes a message that the server answers.
///
/// ```
/// use redial_wasm::{Heartbeat, Message};
/// let fixed = Heartbeat::new(Message::text("ping"), |answer| answer.as_text() == Some("pong"));
/// let numbered = Heartbeat::numbered(
///     |id| Message::text(format!("ping {id}")),
///     |answer| answer.as_text()?.strip_prefix("pong ")?.parse().ok(),
/// );
/// # let _ = (fixed, numbered);
/// ```
pub struct Heartbeat {
    ask: Box<dyn Fn(u64) -> Message>,
    answered: Answered,
    /// What was asked last.
    asked: Cell<u64>,
}

/// The number that a message answers, if it answers one; it is told what was asked last.
type Answered = Box<dyn Fn(&Message, u64) -> Option<u64>>;

impl Heartbeat {
    /// This message asks, and what the closure says yes to answers; the user does not see answers. An answer is taken for one
    /// to what was asked last.
    pub fn new(ask: Message, is_answer: impl Fn(&Message) -> bool + 'static) -> Self {
        Self {
            ask: Box::new(move |_| ask.clone()),
            answered: Box::new(move |message, asked| is_answer(message).then_some(asked)),
            asked: Cell::new(0),
        }
    }

    /// Each question has a number, which the answer names.
    pub fn numbered(
        ask: impl Fn(u64) -> Message + 'static,
        answered: impl Fn(&Message) -> Option<u64> + 'static,
    ) -> Self {
        Self { ask: Box::new(ask), answered: Box::new(move |message, _| answered(message)), asked: Cell::new(0) }
    }

    pub(crate) fn ask(&self, ping: PingId) -> Message {
        self.asked.set(ping.0);
        (self.ask)(ping.0)
    }

    pub(crate) fn answered(&self, message: &Message) -> Option<PingId> {
        (self.answered)(message, self.asked.get()).map(PingId)
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat").field("asked", &self.asked).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_answer_is_to_what_was_asked_last_and_a_numbered_one_says_to_what() {
        let fixed = Heartbeat::new(Message::text("?"), |message| message.as_text() == Some("!"));
        for id in [1, 2] {
            assert_eq!(fixed.ask(PingId(id)), Message::text("?"));
        }
        assert_eq!(fixed.answered(&Message::text("!")), Some(PingId(2)));
        assert_eq!(fixed.answered(&Message::text("hello")), None);

        let numbered =
            Heartbeat::numbered(|id| Message::text(id.to_string()), |message| message.as_text()?.parse().ok());
        for id in [1, 2] {
            assert_eq!(numbered.ask(PingId(id)), Message::text(id.to_string()));
        }
        assert_eq!(numbered.answered(&Message::text("1")), Some(PingId(1)));
    }
}
