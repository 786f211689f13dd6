//! The handle that tells a proxy what to do.

use std::{fmt, io};

use tokio::sync::{mpsc, oneshot, watch};

use super::board::{Conditions, Counters};
use super::command::Command;

/// Tells one [`Proxy`](super::Proxy) what to do; a clone tells the same one.
#[derive(Clone, Debug)]
pub struct Control {
    orders: mpsc::Sender<Order>,
    counters: watch::Receiver<Counters>,
}

/// What came of a [`Command`]; as text, one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// It is in force.
    Done,
    /// So many connections have ended by it.
    Ended(u64),
    /// How things stand.
    Status(Status),
}

/// The answer to [`Command::Status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Status {
    /// The upstream, and the faults that are on.
    pub conditions: Conditions,
    /// What happened so far.
    pub counters: Counters,
}

/// Why a [`Command`] is not in force. As text it is one line.
#[derive(Debug)]
#[non_exhaustive]
pub enum ControlError {
    /// The proxy's future, or the proxy before it ran, has been dropped.
    Stopped,
    /// The port could not be listened on again, so new dials are still refused.
    Listen(io::Error),
}

/// A command on its way to the proxy, and where the answer goes.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) command: Command,
    pub(super) answer: oneshot::Sender<Result<Reply, ControlError>>,
}

impl Control {
    pub(super) const fn new(orders: mpsc::Sender<Order>, counters: watch::Receiver<Counters>) -> Self {
        Self { orders, counters }
    }

    /// Does what the command says and answers when it is in force; waits for as long as the proxy does not
    /// [run](super::Proxy::run). Dropping this future does not take the command back.
    ///
    /// # Errors
    /// [`ControlError::Stopped`] if the proxy is gone; [`ControlError::Listen`] if the port can't be had again after
    /// `refuse on`, in which case nothing has changed and a further try is possible.
    pub async fn apply(&self, command: Command) -> Result<Reply, ControlError> {
        let (answer, answered) = oneshot::channel();
        self.orders.send(Order { command, answer }).await.map_err(|_| ControlError::Stopped)?;
        answered.await.map_err(|_| ControlError::Stopped)?
    }

    /// The counters, as a watch: wait on it for something to have happened. While a value of it is borrowed nothing
    /// passes, so don't keep one across an await.
    #[must_use]
    pub fn counters(&self) -> watch::Receiver<Counters> {
        self.counters.clone()
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("ok"),
            Self::Ended(1) => f.write_str("ok, 1 connection ended"),
            Self::Ended(connections) => write!(f, "ok, {connections} connections ended"),
            Self::Status(status) => status.fmt(f),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counters { live, accepted, dropped, reset, unreachable, bytes_up, bytes_down } = self.counters;
        write!(
            f,
            "{}; live {live}, accepted {accepted}, dropped {dropped}, reset {reset}, upstream unreachable \
             {unreachable}; {bytes_up} bytes up, {bytes_down} bytes down",
            self.conditions
        )
    }
}

impl fmt::Display for Conditions {
    /// In the words of the commands that lead to it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "upstream {}", self.upstream)?;
        if *self == Self::clean(self.upstream) {
            return f.write_str(", no faults");
        }
        match (self.delay_ms, self.jitter_ms) {
            (0, 0) => {}
            (delay_ms, 0) => write!(f, ", delay {delay_ms}")?,
            (delay_ms, jitter_ms) => write!(f, ", delay {delay_ms} {jitter_ms}")?,
        }
        if let Some(rate) = self.bytes_per_second {
            write!(f, ", rate {rate}")?;
        }
        if self.refuse {
            f.write_str(", refuse on")?;
        }
        if self.accept_then_drop {
            f.write_str(", accept-then-drop on")?;
        }
        match (self.blackhole_up, self.blackhole_down) {
            (false, false) => Ok(()),
            (true, false) => f.write_str(", blackhole on up"),
            (false, true) => f.write_str(", blackhole on down"),
            (true, true) => f.write_str(", blackhole on both"),
        }
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("the proxy has stopped"),
            Self::Listen(error) => write!(f, "cannot listen again, dials are still refused: {error}"),
        }
    }
}

impl std::error::Error for ControlError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Stopped => None,
            Self::Listen(error) => Some(error),
        }
    }
}
