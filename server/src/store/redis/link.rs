//! The connection to Redis: made again when it is lost, and never waited for without end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, ScriptInvocation, ServerErrorKind, Value};
use tokio::time::{Instant, sleep, timeout_at};

use crate::store::StoreError;

/// How long Redis may be silent until a call is given up.
pub(super) const PATIENCE: Duration = Duration::from_millis(2_000);

/// How long a call waits for a Redis that answers others: it has too much to do.
const CROWDED: Duration = Duration::from_secs(10);

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
    connection: tokio::sync::Mutex<Option<Connection>>,
}

#[derive(Clone)]
struct Connection {
    redis: MultiplexedConnection,
    /// When Redis last did what it was asked for over it.
    heard: Arc<Mutex<Instant>>,
}

/// How far a call has come.
#[derive(Default)]
struct Trace {
    connection: Option<Connection>,
    /// Why it had to be tried again.
    why: Option<RedisError>,
}

impl Link {
    pub(super) fn new(client: Client) -> Self {
        Self { client, connection: tokio::sync::Mutex::new(None) }
    }

    /// What the script answers.
    pub(super) async fn call(&self, script: &ScriptInvocation<'_>, again: Again) -> Result<Value, StoreError> {
        let trace = Mutex::new(Trace::default());
        let start = Instant::now();
        let mut tries = Box::pin(self.tries(script, again, &trace));
        loop {
            let alive = start.max(heard(&trace).unwrap_or(start));
            let end = (alive + PATIENCE).min(start + CROWDED);
            if let Ok(outcome) = timeout_at(end, &mut tries).await {
                return outcome.map_err(|error| unavailable(&error));
            }
            // Others may have been answered meanwhile.
            let heard = heard(&trace);
            if end < start + CROWDED && heard.is_some_and(|heard| heard + PATIENCE > end) {
                continue;
            }
            // It may be about to connect, and others wait for that.
            drop(tries);
            let Trace { connection, why } = std::mem::take(&mut *lock(&trace));
            if let Some(connection) = connection.filter(|_| heard.is_none_or(|heard| heard <= start)) {
                // A peer that vanished without a word is found so: the next call gets a new connection.
                self.forget(&connection).await;
            }
            return Err(late(why));
        }
    }

    /// Tries until it is done, or can't be done.
    async fn tries(
        &self,
        script: &ScriptInvocation<'_>,
        again: Again,
        trace: &Mutex<Trace>,
    ) -> Result<Value, RedisError> {
        loop {
            let error = match self.connection().await {
                Ok(mut connection) => {
                    lock(trace).connection = Some(connection.clone());
                    let error = match script.invoke_async(&mut connection.redis).await {
                        Ok(value) => {
                            *lock(&connection.heard) = Instant::now();
                            return Ok(value);
                        }
                        Err(error) => error,
                    };
                    if !matches!(error.kind(), ErrorKind::Server(_)) || is_replica(&error) {
                        self.forget(&connection).await;
                        lock(trace).connection = None;
                    }
                    let may = is_refused(&error) || (error.is_io_error() && again == Again::Yes);
                    if !may {
                        return Err(error);
                    }
                    error
                }
                Err(error) => error,
            };
            lock(trace).why = Some(error);
            sleep(PAUSE).await;
        }
    }

    async fn connection(&self) -> Result<Connection, RedisError> {
        let mut current = self.connection.lock().await;
        if let Some(connection) = &*current {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECTING)).set_response_timeout(None);
        let redis = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let connection = Connection { redis, heard: Arc::new(Mutex::new(Instant::now())) };
        *current = Some(connection.clone());
        Ok(connection)
    }

    /// Unless it was replaced already.
    async fn forget(&self, connection: &Connection) {
        let mut current = self.connection.lock().await;
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(&current.heard, &connection.heard)) {
            *current = None;
        }
    }
}

/// When the call's connection last had an answer.
fn heard(trace: &Mutex<Trace>) -> Option<Instant> {
    lock(trace).connection.as_ref().map(|connection| *lock(&connection.heard))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether it is no primary any more: another one has its name now.
fn is_replica(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
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
