//! Where sessions live.
//!
//! A store is a log with one rule: what a client's message brings about happens once, all of it or nothing. The message's
//! number, the answers, the broadcasts to every member of a room and the room's history are one transaction. So a server
//! may die between any two steps: the client sends again what nobody acknowledged, to this process or to another one, and
//! a number that was committed before is not committed twice.
//!
//! What is sent to a client is in its session's outbox from that transaction on, with a number, until the client
//! acknowledges it. A connection's task only copies from there to its socket.
//!
//! There are three. What a call has answered outlives, as far as it may be needed again:
//!
//! | | the process | Redis, killed | the machine's power | processes |
//! |---|---|---|---|---|
//! | [`MemoryStore`] | no | | no | one |
//! | `SqliteStore` (feature `sqlite`) | yes | | yes | one for each file |
//! | `RedisStore` (feature `redis`), `appendonly yes`, `appendfsync always` | yes | yes | yes | many |
//! | `RedisStore`, `appendonly yes`, `appendfsync everysec` | yes | yes | but for a second | many |
//! | `RedisStore`, without `appendonly` | yes | no | no | many |
//!
//! Where less came back than a client knows of, its session is ended when it claims it, and when its connection next reads
//! or acknowledges, rather than gone on with as if nothing were missing.
//!
//! A room's history stays when its last member has left, and is never ended: who lets clients choose names of rooms that
//! keep history lets them choose how much is kept.

mod clock;
mod listeners;
mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redial_session::{Payload, SessionId};
use tokio::sync::mpsc::UnboundedReceiver;

pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

/// Keeps sessions, rooms and history. Every method may be called again after [`StoreError::Unavailable`]: what had happened
/// all the same does not happen twice, but for [`apply`](Self::apply).
///
/// An implementation must be shared by all connections, so it is called through `&self`, and by an `Arc<dyn SessionStore>`.
#[async_trait]
pub trait SessionStore: Send + Sync + fmt::Debug + 'static {
    /// What it was set up with.
    fn settings(&self) -> &StoreSettings;

    /// Makes a session and gives it to the connection that asks: its first lease. Asked again with the same id and secret, it
    /// answers as the first time.
    ///
    /// # Errors
    /// [`StoreError::TooManySessions`] if its user has as many as allowed.
    async fn create(&self, new: NewSession) -> Result<Lease, StoreError>;

    /// Gives an existing session to a new connection. Whoever held it before is [superseded](StoreError::Superseded).
    /// `received` is how far the client has got: what it acknowledges thereby is forgotten.
    ///
    /// [`Claim::Unknown`] also where the secret is wrong, so that nobody learns which ids exist; where the client claims to
    /// have got what was never sent: such a session can't go on, and it is ended; and where it claims less than it
    /// acknowledged before: that is a claim that was given up and comes late, and the session is its successor's.
    async fn claim(&self, id: SessionId, secret: SecretHash, received: u64) -> Result<Claim, StoreError>;

    /// Does what messages bring about, all in one transaction, in order. Those whose number was committed before are left
    /// out; the next number must be the one after the last committed.
    ///
    /// # Errors
    /// [`StoreError::Superseded`], [`StoreError::Gone`]. A gap in the numbers is a [`StoreError::Gap`]. Nothing has happened
    /// then, but where the session's own outbox overflows by what it asks for: that ends it, and others get what they get.
    async fn commit(&self, lease: Lease, messages: Vec<Committed>) -> Result<(), StoreError>;

    /// Does things that no client's message brought about: a server's announcement, an answer that took long. `session` is
    /// whom [`Effect::Reply`], [`Effect::Join`] and [`Effect::Leave`] mean; without one they do nothing.
    ///
    /// # Errors
    /// [`StoreError::Gone`] if the session is, or if it overflows by this.
    async fn apply(&self, session: Option<SessionId>, effects: Vec<Effect>) -> Result<(), StoreError>;

    /// What waits in the session's outbox with a number above `after`, in order: at most `most_messages`, and no more once
    /// `most_bytes` are reached; but one at least, if one is allowed.
    ///
    /// # Errors
    /// [`StoreError::Superseded`], [`StoreError::Gone`]: also where `after` was never sent, which is a store that came back
    /// with less than it had. To go on would give numbers again that the client knows.
    async fn read(
        &self,
        lease: Lease,
        after: u64,
        most_messages: usize,
        most_bytes: usize,
    ) -> Result<Vec<Outgoing>, StoreError>;

    /// The client has everything up to this number: it is forgotten.
    ///
    /// # Errors
    /// [`StoreError::Superseded`], [`StoreError::Gone`]: also where that number was never sent, as with [`read`](Self::read).
    async fn acknowledge(&self, lease: Lease, up_to: u64) -> Result<(), StoreError>;

    /// These sessions still have their connection: their time to live counts from no earlier than now. To be called well
    /// more often than the time to live. Leases that stand no more are ignored.
    async fn keep(&self, leases: &[Lease]) -> Result<(), StoreError>;

    /// The connection has ended: the time to live counts from now. Nothing if the lease stands no more.
    async fn release(&self, lease: Lease) -> Result<(), StoreError>;

    /// The client wants the session no more: it is gone. Nothing if the lease stands no more.
    async fn end(&self, lease: Lease) -> Result<Option<Ended>, StoreError>;

    /// Ends sessions whose time has passed, at most `most` at once. Each is reported by one call of one process
    /// at most, and so is each that was ended meanwhile by an [overflow](Reason::Overflow) or by a [`claim`](Self::claim); by
    /// none where the answer is lost on its way.
    async fn expire(&self, most: usize) -> Result<Vec<Ended>, StoreError>;

    /// The room's newest messages with a number below `before`, or the newest of all, oldest first. At most `most`.
    async fn history(&self, room: &str, before: Option<u64>, most: usize) -> Result<Vec<Past>, StoreError>;

    /// Who is in the room, in the order of their coming.
    async fn members(&self, room: &str) -> Result<Vec<Member>, StoreError>;

    /// Counts one more for the key and gives the count; a key that nobody counted for the time to live begins anew.
    ///
    /// The one method that may count twice after [`StoreError::Unavailable`]: its callers are clients without a session,
    /// which number nothing.
    async fn count(&self, key: &str) -> Result<u64, StoreError>;

    /// How much it holds. For metrics.
    async fn totals(&self) -> Result<Totals, StoreError>;

    /// Hears of sessions that have something new from now on: of this process and, where there are others, of theirs.
    fn changes(&self) -> UnboundedReceiver<Change>;
}

/// What a store was set up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// How long a session waits for its client to come back; by default 5 minutes. It lives at least that long after its
    /// connection ended, and a quarter longer at most.
    pub ttl: Duration,
    /// The most messages in a session's outbox; by default 10,000. A session that would need more is ended
    /// ([`Reason::Overflow`]): its client is told, rather than left with a hole.
    pub outbox_messages: usize,
    /// The most bytes of payload in a session's outbox; by default 1 MiB. The same.
    pub outbox_bytes: usize,
    /// The most messages of history that a room keeps; by default 1,000. The oldest go.
    pub history_messages: usize,
    /// The most sessions of one user; by default 100. Sessions without a user don't count.
    pub sessions_per_user: usize,
}

/// A session in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// 128 random bits.
    pub id: SessionId,
    /// What proves it.
    pub secret: SecretHash,
    /// Whose it is, where that is known.
    pub user: Option<String>,
    /// By what others know it: never its id.
    pub alias: u64,
}

/// The SHA-256 of a session's secret and of its user's name: who reads the store can't take the sessions over, and neither
/// can another user who has the secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

/// The right to act for a session: of the connection that claimed it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The session.
    pub session: SessionId,
    /// Higher each time that it is given to a connection. Only the newest counts. Higher than the
    /// store's own it is [`StoreError::Gone`]: the store came back with less than it had.
    pub epoch: u64,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It goes on.
    Resumed(Resumed),
    /// There is none that this client may have: never was, or ended.
    Unknown,
}

/// A session that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// The right to act for it.
    pub lease: Lease,
    /// The number of the client's last committed message.
    pub received: u64,
    /// Whose it is.
    pub user: Option<String>,
    /// By what others know it.
    pub alias: u64,
}

/// A client's message and what it brings about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its number, from 1.
    pub number: u64,
    /// In order.
    pub effects: Vec<Effect>,
}

/// Something that a message brings about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A message to the session itself.
    Reply(Payload),
    /// A message to every member of a room.
    Broadcast {
        /// The room.
        room: String,
        /// The message.
        payload: Payload,
        /// To the session itself, too, if it is a member.
        to_self: bool,
        /// Into the room's history, too.
        keep: bool,
    },
    /// The session becomes a member of the room. Nothing if it is one.
    Join(String),
    /// The session is no longer a member of the room. Nothing if it is none.
    Leave(String),
}

/// A message in a session's outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its number, from 1, without gaps.
    pub number: u64,
    /// The message.
    pub payload: Payload,
}

/// A message of a room's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its number in the room: later ones are higher; there may be gaps.
    pub number: u64,
    /// When it was committed: milliseconds since 1970-01-01 UTC.
    pub at_millis: u64,
    /// The message.
    pub payload: Payload,
}

/// A member of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// By what others know it.
    pub alias: u64,
    /// Whose session it is.
    pub user: Option<String>,
    /// Whether its client is there now, or may come back.
    pub connected: bool,
}

/// A session that was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// By what others know it.
    pub alias: u64,
    /// Whose it was.
    pub user: Option<String>,
    /// The rooms that it was in.
    pub rooms: Vec<String>,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sessions that live, connected or not.
    pub sessions: u64,
    /// Messages in all outboxes, where the store can tell without looking at each.
    pub outbox_messages: Option<u64>,
}

/// A session has something new in its outbox, or was claimed, or has ended. [`SessionStore::read`] tells which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These.
    Sessions(Vec<SessionId>),
    /// Nobody knows which: some news may have been missed. All are to be looked at.
    Any,
}

/// Why a store did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// Another connection has claimed the session.
    Superseded,
    /// The session is no more.
    Gone(Reason),
    /// A message's number is not the one after the last. None of the call's messages was committed.
    Gap {
        /// The number after the last that is committed.
        expected: u64,
    },
    /// The user has as many sessions as allowed.
    TooManySessions,
    /// The store can't be reached, or failed. Worth another try.
    Unavailable(String),
}

/// Why a session is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Its time to live has passed, it was ended, or the store has lost its memory.
    Unknown,
    /// Its outbox would have passed its limits.
    Overflow,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(5 * 60),
            outbox_messages: 10_000,
            outbox_bytes: 1 << 20,
            history_messages: 1_000,
            sessions_per_user: 100,
        }
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Superseded => f.write_str("another connection has claimed the session"),
            Self::Gone(Reason::Unknown) => f.write_str("the session is no more"),
            Self::Gone(Reason::Overflow) => f.write_str("the session's outbox has passed its limits"),
            Self::Gap { expected } => write!(f, "a message is missing: the next number is {expected}"),
            Self::TooManySessions => f.write_str("the user has as many sessions as allowed"),
            Self::Unavailable(why) => write!(f, "the store can't be reached: {why}"),
        }
    }
}

impl Error for StoreError {}

/// The messages that are new to a session that has this many, and how many it has with them.
fn fresh(messages: Vec<Committed>, received: u64) -> Result<(Vec<Committed>, u64), StoreError> {
    let mut last = received;
    let mut fresh = Vec::with_capacity(messages.len());
    for message in messages {
        if message.number <= last {
            continue;
        }
        if message.number - last > 1 {
            return Err(StoreError::Gap { expected: received + 1 });
        }
        last = message.number;
        fresh.push(message);
    }
    Ok((fresh, last))
}
