//! What comes from a server and decides about the next dial, for fuzzers: bytes in, a cause out.

use crate::Target;
use crate::classify;
use crate::upgrade::Answer;
use redial::Cause;
use tungstenite::protocol::CloseFrame;

/// Reads the answer to an upgrade: the subprotocol that the server chose, or why there is no connection; `None` while the
/// answer is incomplete.
#[must_use]
pub fn answer(received: &[u8], target: &Target, key: &str) -> Option<Result<Option<String>, Cause>> {
    let answer = Answer::read(&mut received.to_vec()).transpose()?;
    Some(answer.and_then(|answer| answer.check(target, key)))
}

/// The cause of a close frame.
#[must_use]
pub fn closed(frame: Option<&CloseFrame>) -> Cause {
    classify::closed(frame)
}
