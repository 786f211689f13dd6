//! Rooms to talk in: the application of `redial serve`.

mod answers;
mod messages;
mod page;
mod script;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redial_session::Payload;

use crate::application::{Application, SessionInfo};
use crate::chance;
use crate::clock::wall_millis;
use crate::store::{Effect, Ended, SessionStore, StoreError};
use crate::views::{LONGEST_PAGE, MemberView, PAGE, PastView};
use answers::{Answers, Wanted};
use messages::{Asked, Told};
use script::Answerer;

/// The longest name of a room, in bytes.
const LONGEST_ROOM: usize = 128;
/// How long a store that can't be reached is left alone.
const PAUSE: Duration = Duration::from_millis(250);

/// Rooms to talk in, with history and presence. `docs/chat.md` has its messages.
///
/// ```
/// # use std::sync::Arc;
/// use redial_server::{Chat, Sessions, store::{MemoryStore, SessionStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store: Arc<dyn SessionStore> = Arc::new(MemoryStore::new(Default::default()));
/// let sessions = Sessions::builder(Arc::clone(&store), Chat::new(store)).build();
/// # }
/// ```
pub struct Chat {
    store: Arc<dyn SessionStore>,
    answers: Option<Answers>,
}

impl Chat {
    /// The rooms of this store: that of the sessions.
    #[must_use]
    pub fn new(store: Arc<dyn SessionStore>) -> Self {
        Self { store, answers: None }
    }

    /// Has the rooms `ai-assistant` and `support-chat` answered, by a simulation. What is said in them is between a client
    /// and whoever answers: no other client hears it, and it is not kept.
    #[must_use]
    pub fn with_answers(mut self) -> Self {
        self.answers = Some(Answers::new(Arc::clone(&self.store)));
        self
    }

    /// Who answers in this room.
    fn answerer(&self, room: &str) -> Option<(&Answers, Answerer)> {
        self.answers.as_ref().zip(Answerer::of(room))
    }

    fn question(&self, session: &SessionInfo, room: &str, text: &str, id: Option<&str>) -> Option<Vec<Effect>> {
        let (answers, answerer) = self.answerer(room)?;
        let message = Told::Message { room, from: session.into(), text, at: wall_millis(), id };
        let wanted = Wanted { answerer, room, id: id.unwrap_or_default(), question: text, from: 0 };
        Some(match answers.begin(session.id, wanted) {
            Ok(()) => reply(&message),
            Err(reason) => reply(&Told::Error { reason }),
        })
    }

    async fn answer(&self, session: &SessionInfo, asked: Asked) -> Vec<Effect> {
        match asked {
            Asked::Who => reply(&Told::You { you: session.into() }),
            Asked::Join { room } => {
                let joined = Told::Joined { room: &room, from: session.into() };
                // In this order, so that who joins hears it, too.
                vec![Effect::Join(room.clone()), to_all(&room, &joined, Past::Forget)]
            }
            Asked::Leave { room } => {
                let left = Told::Left { room: &room, from: session.into() };
                vec![to_all(&room, &left, Past::Forget), Effect::Leave(room)]
            }
            Asked::Message { room, text, id } => {
                let id = id.as_deref();
                self.question(session, &room, &text, id).unwrap_or_else(|| {
                    let message =
                        Told::Message { room: &room, from: session.into(), text: &text, at: wall_millis(), id };
                    vec![to_all(&room, &message, Past::Keep)]
                })
            }
            Asked::Continue { room, id, text, from } => {
                let Some((answers, answerer)) = self.answerer(&room) else {
                    return reply(&Told::Error { reason: "nobody answers in this room" });
                };
                let wanted = Wanted { answerer, room: &room, id: &id, question: &text, from };
                match answers.begin(session.id, wanted) {
                    Ok(()) => Vec::new(),
                    Err(reason) => reply(&Told::Error { reason }),
                }
            }
            Asked::Typing { room } => {
                vec![to_others(&room, &Told::Typing { room: &room, from: session.into() })]
            }
            Asked::Read { room, number } => {
                vec![to_others(&room, &Told::Read { room: &room, from: session.into(), number })]
            }
            Asked::History { room, before, limit } => {
                let limit = limit.unwrap_or(PAGE).min(LONGEST_PAGE);
                match patiently(|| self.store.history(&room, before, limit)).await {
                    Ok(past) => {
                        let past = past.into_iter().map(PastView::from).collect();
                        let messages = page::newest(past, page::bytes(self.store.settings()));
                        reply(&Told::History { room: &room, messages })
                    }
                    Err(_) => reply(&Told::Error { reason: "no history can be had" }),
                }
            }
            Asked::Members { room } => match patiently(|| self.store.members(&room)).await {
                Ok(members) => {
                    let mut members: Vec<_> = members.into_iter().map(MemberView::from).collect();
                    let all = members.len();
                    members.truncate(page::fitting(members.iter(), page::bytes(self.store.settings())));
                    let more = all - members.len();
                    reply(&Told::Members { room: &room, members, more })
                }
                Err(_) => reply(&Told::Error { reason: "nobody can tell who is there" }),
            },
        }
    }
}

impl Application for Chat {
    async fn on_message(&self, session: &SessionInfo, payload: Payload) -> Vec<Effect> {
        let Some(asked) = messages::read(&payload) else {
            // Nothing of ours: it comes back as it is.
            return vec![Effect::Reply(payload)];
        };
        match asked {
            Ok(asked) if asked.room().is_some_and(|room| !(1..=LONGEST_ROOM).contains(&room.len())) => {
                reply(&Told::Error { reason: "a room's name has 1 to 128 bytes" })
            }
            Ok(asked) => self.answer(session, asked).await,
            Err(error) => reply(&Told::Error { reason: &error.to_string() }),
        }
    }

    async fn on_end(&self, ended: &Ended) -> Vec<Effect> {
        let left = |room: &String| to_all(room, &Told::Left { room, from: ended.into() }, Past::Forget);
        ended.rooms.iter().map(left).collect()
    }
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat").finish_non_exhaustive()
    }
}

/// Whether a message goes into the room's history.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Past {
    Keep,
    Forget,
}

fn to_all(room: &str, told: &Told<'_>, past: Past) -> Effect {
    Effect::Broadcast { room: room.into(), payload: told.payload(), to_self: true, keep: past == Past::Keep }
}

fn to_others(room: &str, told: &Told<'_>) -> Effect {
    Effect::Broadcast { room: room.into(), payload: told.payload(), to_self: false, keep: false }
}

fn reply(told: &Told<'_>) -> Vec<Effect> {
    vec![Effect::Reply(told.payload())]
}

/// Asks until the store is there: the client sees a pause.
async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        match call().await {
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(PAUSE.mul_f64(0.5 + chance::share())).await,
            answer => return answer,
        }
    }
}
