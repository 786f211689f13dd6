//! How much a client may ask for.

use std::time::Duration;

/// How much clients may ask for, and how long they are waited for. `None` lifts a limit.
///
/// What bounds a session rather than a connection is the store's: the outbox, a user's sessions, history and the time to
/// live are in [`StoreSettings`](crate::store::StoreSettings). What becomes of who passes a limit is in the table of
/// [`Refusal`](crate::Refusal).
///
/// ```
/// use redial_server::Limits;
/// let strict = Limits { connections_per_address: Some(8), message_bytes: 4096, ..Limits::default() };
/// # assert_eq!(strict.connections, Some(20_000));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, in all; by default 20,000.
    pub connections: Option<usize>,
    /// Connections at a time from one address; by default 200: an office or a mobile operator may be one address.
    pub connections_per_address: Option<usize>,
    /// New connections from one address, per minute, spread evenly, and as many at once; by default 300.
    pub connects_per_minute: Option<u32>,
    /// The addresses that are remembered for it; by default 65,536. If there are more at a time, those seen longest ago
    /// are forgotten.
    pub remembered_addresses: usize,
    /// Messages per second of one connection, on average; by default 100.
    pub messages_per_second: Option<u32>,
    /// How many messages may come faster than that; by default 10,000. A client that comes back sends all at once what it
    /// could not send meanwhile, and this must not end its session: no less than what its outbox holds.
    pub message_burst: u32,
    /// The length of a message in bytes; by default 256 KiB. No more than the store's `outbox_bytes`, if messages of that
    /// length are to be broadcast.
    pub message_bytes: usize,
    /// How many bytes of a connection's messages may wait for the store before no more are read, counting 64 for each
    /// message besides its length; by default 2 MiB. While none are read the client's pings aren't either, so it should be what
    /// a client's outbox holds.
    pub pending_bytes: usize,
    /// How many bytes may be read from the store ahead of what the socket takes; by default 256 KiB.
    pub send_ahead_bytes: usize,
    /// How long a client may take for its first frame, and for a request's head with [`Sessions::serve`](crate::Sessions::serve);
    /// by default 10 s.
    pub greeting_timeout: Duration,
    /// How long nothing of what is to be sent may be taken by the client before its connection is aborted; by default 20 s.
    pub send_timeout: Duration,
    /// How often a client is pinged; by default every 30 s.
    pub ping_interval: Duration,
    /// How long a pinged client may be silent before its connection is aborted; by default 15 s.
    pub ping_timeout: Duration,
    /// How long a shutdown may take until connections are cut; by default 10 s.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: Some(20_000),
            connections_per_address: Some(200),
            connects_per_minute: Some(300),
            remembered_addresses: 65_536,
            messages_per_second: Some(100),
            message_burst: 10_000,
            message_bytes: 256 << 10,
            pending_bytes: 2 << 20,
            send_ahead_bytes: 256 << 10,
            greeting_timeout: Duration::from_secs(10),
            send_timeout: Duration::from_secs(20),
            ping_interval: Duration::from_secs(30),
            ping_timeout: Duration::from_secs(15),
            drain_timeout: Duration::from_secs(10),
        }
    }
}
