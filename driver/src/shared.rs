//! What a driver and its handles have in common.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redial::{Input, Phase};

use crate::error::SendError;
use crate::outbox::{Outbox, OutboxLimits};
use crate::signal::Signal;
use crate::status::{Standing, Status};

pub(crate) struct Shared<M> {
    pub(crate) signal: Arc<Signal>,
    /// Notified when the status has changed, once anybody has watched: it allocates at the first notification.
    pub(crate) changed: event_listener::Event,
    board: Mutex<Board<M>>,
}

/// Under the lock. No foreign code runs under it but `Connect::size` and what drops a message.
pub(crate) struct Board<M> {
    pub(crate) outbox: Outbox<M>,
    /// The users' commands, in order. The machine takes them at the driver's next poll.
    pub(crate) commands: Vec<Input>,
    standing: Standing,
    version: u32,
    /// Somebody follows the status, or did.
    watched: bool,
    pub(crate) gone: bool,
}

impl<M> Shared<M> {
    pub(crate) fn new(limits: OutboxLimits) -> Self {
        Self {
            signal: Arc::default(),
            changed: event_listener::Event::new(),
            board: Mutex::new(Board {
                outbox: Outbox::new(limits),
                commands: Vec::new(),
                standing: Standing::idle(),
                version: 0,
                watched: false,
                gone: false,
            }),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Board<M>> {
        // Nothing that runs under the lock leaves the board half changed.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn command(&self, input: Input) {
        let mut board = self.lock();
        // Said twice is said once: a loop that repeats itself must not fill the memory of a driver that isn't polled.
        if board.commands.last() != Some(&input) {
            board.commands.push(input);
        }
        drop(board);
        self.signal.raise();
    }

    pub(crate) fn send(&self, message: M) -> Result<(), SendError<M>> {
        let mut board = self.lock();
        if board.is_finished() {
            return Err(SendError::Finished { message });
        }
        board.outbox.push_uncounted(message)?;
        drop(board);
        self.signal.raise();
        Ok(())
    }

    /// An endpoint or a cause that is not said anew stays.
    pub(crate) fn publish(&self, mut standing: Standing) {
        let mut board = self.lock();
        standing.endpoint = standing.endpoint.or(board.standing.endpoint);
        standing.last_cause = standing.last_cause.or(board.standing.last_cause);
        if board.standing == standing {
            return;
        }
        board.standing = standing;
        board.version = board.version.wrapping_add(1);
        self.tell(board);
    }

    pub(crate) fn leave(&self) {
        let mut board = self.lock();
        board.gone = true;
        self.tell(board);
    }

    /// Whoever watches from here on sees the board as it is now.
    fn tell(&self, board: MutexGuard<'_, Board<M>>) {
        let watched = board.watched;
        drop(board);
        if watched {
            self.changed.notify(usize::MAX);
        }
    }
}

impl<M> Board<M> {
    /// The last status published, with the outbox as it is now.
    pub(crate) fn status(&self) -> Status {
        self.standing.status(&self.outbox)
    }

    pub(crate) const fn version(&self) -> u32 {
        self.version
    }

    /// From here on somebody follows the status. Returns the version that they see.
    pub(crate) const fn watch(&mut self) -> u32 {
        self.watched = true;
        self.version
    }

    /// Whether nothing will be sent any more, unless somebody starts anew.
    pub(crate) fn is_finished(&self) -> bool {
        let ended = match self.standing.phase {
            Phase::Closed | Phase::Failed => true,
            Phase::Idle | Phase::Connecting | Phase::Handshaking | Phase::Open | Phase::Waiting | Phase::Held => false,
        };
        self.gone || (ended && !self.commands.iter().any(|input| matches!(input, Input::Start | Input::Reconnect)))
    }
}

impl<M> fmt::Debug for Shared<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("status", &self.lock().status()).finish_non_exhaustive()
    }
}
