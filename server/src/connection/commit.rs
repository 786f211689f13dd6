//! From messages to what they bring about, in the store.

use std::sync::Arc;

use redial_session::Payload;

use super::inbox::Work;
use crate::application::SessionInfo;
use crate::hub::Hub;
use crate::store::{Committed, Effect, Lease};

/// What became of a batch.
pub(crate) struct Done {
    /// The number of the last message that was committed.
    pub(crate) last: u64,
    /// How many messages went into the client's own outbox thereby, at most.
    pub(crate) answers: usize,
    /// And how many bytes.
    pub(crate) answer_bytes: usize,
    /// The rest, for which there was no room.
    pub(crate) rest: Vec<(u64, Payload)>,
}

/// Asks the application, and commits what it answers: no more messages once their answers have reached so much.
pub(crate) fn commit(
    hub: Arc<Hub>,
    session: Arc<SessionInfo>,
    lease: Lease,
    batch: Vec<(u64, Payload)>,
    (most_answers, most_bytes): (usize, usize),
) -> Work<Done> {
    Box::pin(async move {
        let mut done = Done { last: 0, answers: 0, answer_bytes: 0, rest: Vec::new() };
        let mut messages = Vec::with_capacity(batch.len());
        let mut batch = batch.into_iter();
        for (number, payload) in batch.by_ref() {
            let effects = hub.app.message(&session, payload).await;
            for length in effects.iter().filter_map(answer) {
                done.answers += 1;
                done.answer_bytes += length;
            }
            messages.push(Committed { number, effects });
            done.last = number;
            if done.answers >= most_answers || done.answer_bytes >= most_bytes {
                break;
            }
        }
        done.rest = batch.collect();
        hub.access.commit(lease, messages).await?;
        Ok(done)
    })
}

/// The length of a message to the client itself.
fn answer(effect: &Effect) -> Option<usize> {
    match effect {
        Effect::Reply(payload) | Effect::Broadcast { payload, to_self: true, .. } => Some(payload.len()),
        Effect::Broadcast { to_self: false, .. } | Effect::Join(_) | Effect::Leave(_) => None,
    }
}
