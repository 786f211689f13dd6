//! What the machine answers: commands to carry out and notices to read.

use crate::cause::Cause;
use crate::time::{Micros, Timestamp};
use crate::words::{ConnectionId, Limit, Phase, PingId, Quality};

/// One answer of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(untagged))]
pub enum Output {
    /// To be carried out.
    Command(Command),
    /// To be read, or ignored.
    Notice(Notice),
}

/// What the driver must carry out. Exhaustive: a driver that forgets one does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "output", rename_all = "camelCase")
)]
pub enum Command {
    /// Open a connection, then report `Opened` or `Failed` with its id.
    Dial(Dial),
    /// End the connection. Its id is stale at once: nothing need be reported.
    HangUp {
        /// The connection to end.
        connection: ConnectionId,
        /// Why. After `User` a close handshake is proper; a peer that went silent is to be aborted.
        cause: Cause,
    },
    /// Send a ping; report `Pong` with both ids when it is answered.
    Ping {
        /// The connection to send it on.
        connection: ConnectionId,
        /// The id to find in the answer.
        ping: PingId,
    },
}

/// One dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "camelCase"))]
pub struct Dial {
    /// The name of the connection that the dial begins.
    pub connection: ConnectionId,
    /// Which endpoint to dial, from 0.
    pub endpoint: u32,
    /// 0 for the dial of `start` or `reconnect`, n for the n-th automatic dial of the outage.
    pub attempt: u32,
    /// Credentials were refused (HTTP 401 or 403): fetch new ones for this dial.
    pub fresh_credentials: bool,
}

/// What happened. More kinds may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "output", rename_all = "camelCase", rename_all_fields = "camelCase")
)]
#[non_exhaustive]
pub enum Notice {
    /// The phase changed.
    Phase {
        /// The phase before.
        from: Phase,
        /// The phase now.
        to: Phase,
    },
    /// A dial has got its time, or another time.
    RetryScheduled(RetryScheduled),
    /// A dial, or a handshake, failed.
    AttemptFailed {
        /// The connection that did not come about.
        connection: ConnectionId,
        /// The number of the attempt in its outage.
        attempt: u32,
        /// Why.
        cause: Cause,
    },
    /// A connection is ready for use.
    Opened {
        /// The connection.
        connection: ConnectionId,
        /// The number of the attempt in its outage.
        attempt: u32,
        /// Time since the outage began.
        downtime: Micros,
    },
    /// The connection has lasted: the outage is over and the retry count is 0 again.
    Stable {
        /// The connection.
        connection: ConnectionId,
    },
    /// A connection that was ready ended.
    Lost {
        /// The connection.
        connection: ConnectionId,
        /// Why.
        cause: Cause,
        /// How long it was ready.
        uptime: Micros,
    },
    /// A ping was answered.
    HealthCheck {
        /// The connection.
        connection: ConnectionId,
        /// From the ping to its pong.
        latency: Micros,
        /// The latency smoothed as in RFC 6298 (SRTT), to the nearest microsecond.
        smoothed: Micros,
        /// The grade that follows from it.
        quality: Quality,
    },
    /// The grade changed.
    QualityChanged {
        /// The grade before; `None` before a connection's first sample.
        from: Option<Quality>,
        /// The grade now; `None` before a connection's first sample.
        to: Option<Quality>,
    },
    /// The machine will not dial by itself any more: the phase is `failed`.
    GaveUp {
        /// Which limit was met.
        limit: Limit,
        /// Retries dialled in this outage.
        attempts: u32,
        /// Time since the outage began that counts for `maxElapsed`: without time held or slept.
        elapsed: Micros,
        /// The last failure.
        cause: Cause,
    },
}

/// When the next dial is due, and how that came about.
///
/// `delay` is `hint` where there is one, else `jittered`, plus `budget`, counted from the moment of scheduling. Said again
/// whenever the time changes: the last one counts. With a shared budget it comes before every dial, that of attempt 0 too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "camelCase"))]
pub struct RetryScheduled {
    /// The number that the dial will have in its outage.
    pub attempt: u32,
    /// From this notice to the dial, everything included.
    pub delay: Micros,
    /// When the dial is due.
    pub dial_at: Timestamp,
    /// The schedule's delay before jitter, already within `minDelay` and `maxDelay`.
    pub raw: Micros,
    /// The delay after jitter.
    pub jittered: Micros,
    /// The delay that a hint or a Retry-After made of it.
    pub hint: Option<Micros>,
    /// What waiting for a token of the dial budget adds.
    pub budget: Micros,
}

/// The answers to one input, in order; at most [`Outputs::CAPACITY`].
///
/// Returned by value, so there is nothing to drain and no order of calls to get wrong.
///
/// ```
/// use redial::{Command, Input, Output, Policy, ReconnectMachine, Timestamp};
/// let mut machine = ReconnectMachine::new(Policy::chat(), 7);
/// let outputs = machine.handle(Timestamp::ZERO, Input::Start);
/// assert!(matches!(outputs.iter().next(), Some(Output::Command(Command::Dial(dial))) if dial.attempt == 0));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use = "a command that is not carried out leaves the machine waiting for ever"]
pub struct Outputs {
    items: [Option<Output>; Self::CAPACITY],
    len: usize,
}

impl Outputs {
    /// The most answers that one input can have: a connection becomes stable, dies of a ping timeout (hang up, lost,
    /// quality changed), its retry is scheduled (with the phase), and a delay of zero makes that dial due at once (with
    /// the phase). A test counts them.
    pub const CAPACITY: usize = 8;

    pub(crate) const fn new() -> Self {
        Self { items: [None; Self::CAPACITY], len: 0 }
    }

    // Inlined, the three of them, so that an output is made in its slot.
    #[inline(always)]
    pub(crate) fn command(&mut self, command: Command) {
        self.push(Output::Command(command));
    }

    #[inline(always)]
    pub(crate) fn notice(&mut self, notice: Notice) {
        self.push(Output::Notice(notice));
    }

    #[inline(always)]
    fn push(&mut self, output: Output) {
        let len = self.len;
        debug_assert!(len < Self::CAPACITY, "a step has more outputs than CAPACITY");
        if let Some(slot) = self.items.get_mut(len) {
            *slot = Some(output);
            self.len = len.wrapping_add(1);
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The answers in order.
    pub fn iter(&self) -> impl Iterator<Item = Output> + '_ {
        self.items.iter().map_while(|item| *item)
    }

    /// The commands among them, in order.
    pub fn commands(&self) -> impl Iterator<Item = Command> + '_ {
        self.iter().filter_map(|output| match output {
            Output::Command(command) => Some(command),
            Output::Notice(_) => None,
        })
    }
}

impl core::fmt::Debug for Outputs {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl IntoIterator for Outputs {
    type Item = Output;
    type IntoIter = core::iter::Flatten<core::array::IntoIter<Option<Output>, { Self::CAPACITY }>>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter().flatten()
    }
}
