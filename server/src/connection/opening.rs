//! From a new socket to a session.

use std::sync::Arc;
use std::time::Duration;

use redial::Micros;
use redial_session::{AckPolicy, Greeting, Outcome, Secret, Server, SessionId, Welcome};

use super::finish::Finish;
use super::session::Connection;
use super::socket::{Came, Socket};
use crate::application::SessionInfo;
use crate::chance;
use crate::hub::{Hub, Stage};
use crate::metrics::Opened;
use crate::refusal::Refusal;
use crate::store::{Claim, Lease, NewSession, StoreError};

/// How long a client that has greeted waits for the store at most: less than it waits for its welcome (ours: 10 s), so that it
/// hears why.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// Waits for the greeting.
pub(super) async fn greeting(hub: &Hub, socket: &mut Socket) -> Result<Greeting, Finish> {
    let mut stage = hub.stage.subscribe();
    let first = async {
        loop {
            match std::future::poll_fn(|cx| socket.poll_read(cx)).await? {
                Came::Frame(frame) => return Greeting::decode(frame).map_err(Finish::from),
                Came::Life => {}
            }
        }
    };
    tokio::select! {
        greeting = tokio::time::timeout(hub.limits.greeting_timeout, first) => {
            greeting.unwrap_or(Err(Finish::Refused(Refusal::NoGreeting)))
        }
        _ = stage.wait_for(|stage| *stage != Stage::Serving) => Err(Finish::Drained),
    }
}

/// Answers the greeting: the session that the client asked for, or a new one.
pub(super) async fn open(
    hub: Arc<Hub>,
    socket: Socket,
    user: Option<String>,
    greeting: Greeting,
) -> Result<Connection, (Socket, Finish)> {
    let mut socket = socket;
    let opened = tokio::select! {
        biased;
        finish = given_up(&mut socket) => return Err((socket, finish)),
        opened = tokio::time::timeout(STORE_TIMEOUT, session(&hub, user, greeting)) => opened,
    };
    let opened = match opened.unwrap_or_else(|_| Err(StoreError::Unavailable("it took too long".into()))) {
        Ok(opened) => opened,
        Err(error) => return Err((socket, error.into())),
    };
    let Opening { outcome, secret, info, lease, received, acknowledged } = opened;
    let name = match outcome {
        Outcome::New => "new",
        Outcome::Resumed => "resumed",
        Outcome::Replaced => "replaced",
    };
    hub.metrics.opened.get_or_create(&Opened { outcome: name }).inc();
    let welcome = Welcome {
        outcome,
        id: info.id,
        secret,
        received,
        ttl: Micros::from(hub.ttl()),
        most_payload: hub.limits.message_bytes as u64,
    };
    let server = Server::new(AckPolicy::default(), welcome, acknowledged);
    Ok(Connection::new(hub, socket, server, info, lease))
}

/// Waits until the client no longer waits for its welcome. It may have greeted elsewhere meanwhile: a claim for one that is gone
/// would take the session from its own successor.
async fn given_up(socket: &mut Socket) -> Finish {
    loop {
        match std::future::poll_fn(|cx| socket.poll_read(cx)).await {
            Ok(Came::Life) => {}
            // Nothing comes before the welcome.
            Ok(Came::Frame(_)) => return Finish::Refused(Refusal::Broken),
            Err(finish) => return finish,
        }
    }
}

struct Opening {
    outcome: Outcome,
    secret: Secret,
    info: SessionInfo,
    lease: Lease,
    received: u64,
    acknowledged: u64,
}

async fn session(hub: &Hub, user: Option<String>, greeting: Greeting) -> Result<Opening, StoreError> {
    match greeting {
        Greeting::Start => new(hub, user, Outcome::New).await,
        Greeting::Resume { id, secret, received } => match resume(hub, &user, id, secret, received).await? {
            Some(opening) => Ok(opening),
            None => new(hub, user, Outcome::Replaced).await,
        },
    }
}

async fn resume(
    hub: &Hub,
    user: &Option<String>,
    id: SessionId,
    secret: Secret,
    received: u64,
) -> Result<Option<Opening>, StoreError> {
    let access = &hub.access;
    let hash = chance::hash(&secret, user.as_deref());
    let Claim::Resumed(resumed) = access.patiently(|| access.store.claim(id, hash, received)).await? else {
        return Ok(None);
    };
    let info = SessionInfo { id, alias: resumed.alias, user: resumed.user };
    Ok(Some(Opening {
        outcome: Outcome::Resumed,
        secret,
        info,
        lease: resumed.lease,
        received: resumed.received,
        acknowledged: received,
    }))
}

async fn new(hub: &Hub, user: Option<String>, outcome: Outcome) -> Result<Opening, StoreError> {
    let access = &hub.access;
    loop {
        let (id, secret, alias) =
            chance::identity().map_err(|_| StoreError::Unavailable("no random bits for a session's id".into()))?;
        let wanted = NewSession { id, secret: chance::hash(&secret, user.as_deref()), user: user.clone(), alias };
        let lease = access.patiently(|| access.store.create(wanted.clone())).await?;
        let info = SessionInfo { id, alias, user: wanted.user };
        let effects = hub.app.start(&info).await;
        let begun = if effects.is_empty() { Ok(()) } else { access.once(access.store.apply(Some(id), effects)).await };
        match begun {
            Ok(()) => return Ok(Opening { outcome, secret, info, lease, received: 0, acknowledged: 0 }),
            // Nobody knows whether it happened, and it must not happen twice: so it is another session that the client gets.
            Err(StoreError::Unavailable(_)) => super::end(hub, lease).await,
            Err(error) => return Err(error),
        }
    }
}
