//! How a connection comes to its end.

use redial_session::{EndReason, ProtocolError, close_code};

use crate::refusal::Refusal;
use crate::store::{Reason, StoreError};

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The client is gone, or is closing.
    Left,
    /// The client has ended its session.
    Done,
    /// The server goes away, and nothing is left to do.
    Drained,
    /// The client is told why, and the connection closed.
    Refused(Refusal),
    /// The client's frames make no sense.
    Broken(ProtocolError),
    /// The store knows of other numbers than we do. Resuming mends it.
    OutOfStep,
    /// It is of no use to say anything to this client.
    Cut(Refusal),
}

impl Finish {
    /// What to count it as.
    pub(crate) const fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Refused(refusal) | Self::Cut(refusal) => Some(refusal),
            Self::Broken(_) | Self::OutOfStep => Some(Refusal::Broken),
            Self::Left | Self::Done | Self::Drained => None,
        }
    }

    /// Whether the session is over for this client, and why.
    pub(crate) const fn end(self) -> Option<EndReason> {
        match self {
            Self::Done => Some(EndReason::Done),
            Self::Refused(Refusal::Superseded) => Some(EndReason::Superseded),
            Self::Refused(Refusal::Overflow) => Some(EndReason::Overflow),
            Self::Refused(Refusal::Gone) => Some(EndReason::Gone),
            Self::Left | Self::Drained | Self::Refused(_) | Self::Broken(_) | Self::OutOfStep | Self::Cut(_) => None,
        }
    }

    /// The code and the reason to close with; `None` if the connection is dropped as it is.
    pub(crate) const fn close(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Left | Self::Cut(_) => None,
            Self::Done => Some((1000, "")),
            Self::Drained => Some((Refusal::Draining.close_code(), Refusal::Draining.reason())),
            Self::Refused(refusal) => Some((refusal.close_code(), refusal.reason())),
            Self::Broken(error) => Some((error.close_code(), Refusal::Broken.reason())),
            Self::OutOfStep => Some((close_code::OUT_OF_STEP, "out of step")),
        }
    }
}

impl From<StoreError> for Finish {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Superseded => Self::Refused(Refusal::Superseded),
            StoreError::Gone(Reason::Overflow) => Self::Refused(Refusal::Overflow),
            StoreError::Gone(Reason::Unknown) => Self::Refused(Refusal::Gone),
            StoreError::Gap { .. } => Self::OutOfStep,
            StoreError::TooManySessions => Self::Refused(Refusal::TooManySessions),
            StoreError::Unavailable(_) => Self::Refused(Refusal::StoreDown),
        }
    }
}

impl From<ProtocolError> for Finish {
    fn from(error: ProtocolError) -> Self {
        Self::Broken(error)
    }
}
