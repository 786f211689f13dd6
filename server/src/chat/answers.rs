//! Rooms in which somebody answers: piece by piece, into the asker's outbox, whether its client is there or not.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redial_session::SessionId;

use super::messages::Told;
use super::script::Answerer;
use super::{patiently, reply};
use crate::store::SessionStore;

/// The longest name of a question, in bytes.
const LONGEST_ID: usize = 64;
/// Answers under way, of one session and of all.
const MOST_OF_ONE: usize = 4;
const MOST: usize = 1_000;

/// A question: who asked it, and what it calls it.
type Question = (SessionId, String);

/// Answers under way.
#[derive(Clone)]
pub(super) struct Answers {
    store: Arc<dyn SessionStore>,
    running: Arc<Mutex<HashSet<Question>>>,
}

/// What to answer, and from which piece on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) answerer: Answerer,
    pub(super) room: &'a str,
    pub(super) id: &'a str,
    pub(super) question: &'a str,
    pub(super) from: usize,
}

impl Answers {
    pub(super) fn new(store: Arc<dyn SessionStore>) -> Self {
        Self { store, running: Arc::default() }
    }

    /// Answers in the background. Nothing if this answer is under way: a message may be handled more than once.
    pub(super) fn begin(&self, session: SessionId, wanted: Wanted<'_>) -> Result<(), &'static str> {
        if wanted.id.len() > LONGEST_ID {
            return Err("an id has 64 bytes at most");
        }
        let question = (session, wanted.id.to_owned());
        {
            let mut running = self.running();
            if running.contains(&question) {
                return Ok(());
            }
            if running.len() >= MOST || running.iter().filter(|(whose, _)| *whose == session).count() >= MOST_OF_ONE {
                return Err("too many answers are under way");
            }
            running.insert(question.clone());
        }
        let guard = Running { answers: self.clone(), question };
        let (answerer, room, from) = (wanted.answerer, wanted.room.to_owned(), wanted.from);
        let pieces = answerer.answer(wanted.question);
        tokio::spawn(async move { guard.tell(answerer, &room, &pieces, from).await });
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, HashSet<Question>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer under way.
struct Running {
    answers: Answers,
    question: Question,
}

impl Running {
    async fn tell(&self, answerer: Answerer, room: &str, pieces: &[String], from: usize) {
        let (session, id) = &self.question;
        for (piece, text) in pieces.iter().enumerate().skip(from) {
            tokio::time::sleep(answerer.pause()).await;
            let last = piece + 1 == pieces.len();
            let told = Told::Piece { room, alias: answerer.name(), id, piece, text, last };
            // After an outage of the store a piece may come twice: it has its number.
            if patiently(|| self.answers.store.apply(Some(*session), reply(&told))).await.is_err() {
                // Nobody is there any more who would hear it.
                return;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.answers.running().remove(&self.question);
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").field("running", &self.running().len()).finish_non_exhaustive()
    }
}
