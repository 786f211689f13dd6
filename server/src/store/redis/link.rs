//! The connection to Redis: made again when it is lost, and never waited for without end.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, ScriptInvocation, ServerErrorKind, Value};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout_at};

use crate::store::StoreError;

/// How long a call waits in all.
pub(super) const PATIENCE: Duration = Duration::from_millis(2_000);

/// How long a connection may take: so that a call can try twice.
const CONNECTING: Duration = Duration::from_millis(900);

/// Between two tries of a call.
const PAUSE: Duration = Duration::from_millis(50);

/// Whether a call that may have been done may be done again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Yes,
    No,
}

pub(super) struct Link {
    client: Client,
    /// With the number of connections before it.
    connection: Mutex<(u64, Option<MultiplexedConnection>)>,
}

impl Link {
    pub(super) fn new(client: Client) -> Self {
        Self { client, connection: Mutex::new((0, None)) }
    }

    /// What the script answers.
    pub(super) async fn call(&self, script: &ScriptInvocation<'_>, again: Again) -> Result<Value, StoreError> {
        let end = Instant::now() + PATIENCE;
        let mut why = None;
        loop {
            let connected = timeout_at(end, self.connection()).await;
            let (number, mut connection) = match connected {
                Ok(Ok(connection)) => connection,
                Ok(Err(error)) => {
                    if self.pause(end).await {
                        why = Some(error);
                        continue;
                    }
                    return Err(unavailable(&error));
                }
                Err(_) => return Err(late(why)),
            };
            let error = match timeout_at(end, script.invoke_async(&mut connection)).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => error,
                Err(_) => {
                    // A peer that vanished without a word is found so: the next call gets a new connection.
                    self.forget(number).await;
                    return Err(late(why));
                }
            };
            let refused = is_refused(&error);
            if !matches!(error.kind(), ErrorKind::Server(_))
                || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
            {
                self.forget(number).await;
            }
            let lost = error.is_io_error() && again == Again::Yes;
            if !(refused || lost) || !self.pause(end).await {
                return Err(unavailable(&error));
            }
            why = Some(error);
        }
    }

    async fn connection(&self) -> Result<(u64, MultiplexedConnection), RedisError> {
        let mut current = self.connection.lock().await;
        if let (number, Some(connection)) = &*current {
            return Ok((*number, connection.clone()));
        }
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECTING)).set_response_timeout(Some(PATIENCE));
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        current.0 += 1;
        current.1 = Some(connection.clone());
        Ok((current.0, connection))
    }

    /// Unless it was replaced already.
    async fn forget(&self, number: u64) {
        let mut current = self.connection.lock().await;
        if current.0 == number {
            current.1 = None;
        }
    }

    /// Whether there is time for another try, and then it is there.
    async fn pause(&self, end: Instant) -> bool {
        if Instant::now() + PAUSE >= end {
            return false;
        }
        sleep(PAUSE).await;
        true
    }
}

/// Whether Redis has told that it did nothing, and soon may.
fn is_refused(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, MasterDown, NoScript, ReadOnly, TryAgain};
    let ErrorKind::Server(kind) = error.kind() else { return false };
    matches!(kind, BusyLoading | MasterDown | NoScript | ReadOnly | TryAgain)
}

pub(super) fn unavailable(why: &RedisError) -> StoreError {
    StoreError::Unavailable(format!("Redis: {why}"))
}

fn late(why: Option<RedisError>) -> StoreError {
    why.map_or_else(|| StoreError::Unavailable("Redis does not answer".to_owned()), |why| unavailable(&why))
}
