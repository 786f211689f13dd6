//! What every adapter shows beside its own types.

pub use crate::{ConfigError, Target, rustls};
pub use futures_util::{SinkExt, StreamExt};
pub use redial::{
    Cause, ConnectionId, Dial, DialBudget, EndpointHealth, Endpoints, Failover, Hint, HoldReason, Jitter, Limit,
    Micros, NetworkDetail, Notice, Phase, PingId, Policy, PolicyBuilder, PolicyError, Quality, Timestamp, Verdict,
    VerdictKey,
};
pub use redial_driver::{
    Clock, Connect, DropReason, Event, Handle, Kind, OutboxLimit, OutboxLimits, Overflow, Protocol, Record, SendError,
    SessionConfig, SessionEvent, SessionHandle, SessionStatus, SessionTransport, Status, Watch,
};
pub use redial_session::{
    AckPolicy, Advice, ClientEvent, EndReason, GivenUp, LossReason, MessageId, Payload, SavedSession, SessionLost,
    Unacknowledged,
};
pub use tungstenite::protocol::WebSocketConfig;
pub use tungstenite::{self, Message};
