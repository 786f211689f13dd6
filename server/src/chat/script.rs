//! What is answered. Nothing here is intelligent: an answer follows from its question, so that another process can go on
//! with it.

use std::time::Duration;

/// Who answers in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Answerer {
    /// Long answers, piece by piece.
    Assistant,
    /// One sentence for a keyword.
    Support,
}

/// How much of a question an answer repeats, in characters.
const QUOTED: usize = 60;
/// How many words are one piece.
const WORDS: usize = 3;

const SUPPORT: [(&[&str], &str); 6] = [
    (&["password", "login", "sign in"], "To set a new password, open Settings and choose Security."),
    (&["refund", "invoice", "billing", "payment"], "Invoices and refunds are under Settings, Billing."),
    (
        &["offline", "connection", "disconnect", "reconnect"],
        "Write on: what you send while offline is delivered later.",
    ),
    (&["hours", "open", "when"], "Support answers day and night."),
    (&["human", "agent", "person"], "A person would take over here; this is a simulation."),
    (&["hello", "hi", "hey"], "Hello! What can support do for you?"),
];

impl Answerer {
    pub(super) fn of(room: &str) -> Option<Self> {
        match room {
            "ai-assistant" => Some(Self::Assistant),
            "support-chat" => Some(Self::Support),
            _ => None,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Assistant => "assistant",
            Self::Support => "support",
        }
    }

    /// Between two pieces, and before the first.
    pub(super) const fn pause(self) -> Duration {
        Duration::from_millis(match self {
            Self::Assistant => 200,
            Self::Support => 400,
        })
    }

    /// The answer in pieces; one at least.
    pub(super) fn answer(self, question: &str) -> Vec<String> {
        match self {
            Self::Assistant => pieces(&essay(question)),
            Self::Support => vec![keyword(question).to_owned()],
        }
    }
}

fn essay(question: &str) -> String {
    let mut quoted: String = question.chars().take(QUOTED).collect();
    if question.chars().nth(QUOTED).is_some() {
        quoted.push('…');
    }
    format!(
        "You asked: “{quoted}”. Nobody thinks about it here: this answer is simulated, and it comes in pieces, as that of a \
         language model would. Each piece waits in your session's outbox on the server until your browser has acknowledged it. \
         Break the network while you read: what is said meanwhile is kept, and comes in order when you are back, \
         nothing twice and nothing left out. That is all there is to say about it, and it was worth the wait."
    )
}

fn keyword(question: &str) -> &'static str {
    let question = question.to_lowercase();
    let words: Vec<_> = question.split(|c: char| !c.is_alphanumeric()).collect();
    let asked =
        |keyword: &&str| if keyword.contains(' ') { question.contains(*keyword) } else { words.contains(keyword) };
    let found = SUPPORT.iter().find(|(keywords, _)| keywords.iter().any(asked));
    found.map_or("Support has noted it. Ask about password, billing, connection, hours or a person.", |(_, answer)| {
        answer
    })
}

/// Put together again, they are the text.
fn pieces(text: &str) -> Vec<String> {
    let words: Vec<_> = text.split_inclusive(' ').collect();
    words.chunks(WORDS).map(<[_]>::concat).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_answer() {
        let pieces = Answerer::Assistant.answer("Why?");
        assert!(pieces.len() > 20 && pieces.iter().all(|piece| !piece.is_empty()), "{pieces:?}");
        assert_eq!(pieces.concat(), essay("Why?"));
        assert_eq!(pieces, Answerer::Assistant.answer("Why?"));
    }

    #[test]
    fn a_long_question_is_repeated_in_part() {
        let answer = essay(&"ä".repeat(1000));
        assert!(answer.contains(&format!("{}…", "ä".repeat(QUOTED))) && answer.len() < 1000);
        assert!(essay(&"ä".repeat(QUOTED)).contains("ä”"));
    }

    #[test]
    fn support_listens_for_words() {
        for (question, part) in [
            ("I forgot my PASSWORD!", "Security"),
            ("where's my invoice?", "Billing"),
            ("I can't sign in", "Security"),
            ("hi", "Hello"),
            ("this and that", "noted"),
            ("", "noted"),
        ] {
            let answer = Answerer::Support.answer(question);
            assert!(answer.len() == 1 && answer[0].contains(part), "{question}: {answer:?}");
        }
    }
}
