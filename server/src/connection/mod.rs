//! One WebSocket that speaks `redial.v1`.

mod alarm;
mod commit;
mod finish;
mod inbox;
mod opening;
mod outlet;
mod pace;
mod session;
mod socket;
mod valve;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::admission::gate::Admitted;
use crate::hub::Hub;
use crate::refusal::Refusal;
use crate::store::Lease;
use finish::Finish;
use session::Rest;
use socket::Socket;
pub(crate) use socket::{WebSocket, config};

/// What a frame takes besides the payload: its type and two numbers of eight bytes.
pub(crate) const FRAME_HEAD: usize = 17;

/// How long a connection that has ended may wait for the store.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves a connection to its end.
pub(crate) async fn serve(hub: Arc<Hub>, web: WebSocket, user: Option<String>, admitted: Admitted) {
    hub.metrics.connections.inc();
    let finish = run(&hub, Socket::new(web), user).await;
    if let Some(refusal) = finish.refusal() {
        hub.metrics.refused(refusal);
    }
    hub.metrics.connections.dec();
    drop(admitted);
}

async fn run(hub: &Arc<Hub>, mut socket: Socket, user: Option<String>) -> Finish {
    let greeting = match opening::greeting(hub, &mut socket).await {
        Ok(greeting) => greeting,
        Err(finish) => return turn_away(socket, finish).await,
    };
    let mut connection = match opening::open(Arc::clone(hub), socket, user, greeting).await {
        Ok(connection) => connection,
        Err((socket, finish)) => return turn_away(socket, finish).await,
    };
    let finish = connection.run().await;
    let last = connection.last_frames(finish);
    let Rest { socket, lease, acknowledged } = connection.into_rest();
    let settling = settle(hub, finish, lease, acknowledged);
    if finish == Finish::Done {
        // Who is told that the session has ended finds it gone.
        let last = if settling.await { last } else { Vec::new() };
        part(socket, finish, last).await;
    } else {
        let _ = tokio::join!(part(socket, finish, last), settling);
    }
    finish
}

async fn turn_away(socket: Socket, finish: Finish) -> Finish {
    part(socket, finish, Vec::new()).await;
    finish
}

/// Says why, and closes.
async fn part(mut socket: Socket, finish: Finish, last: Vec<Bytes>) {
    let goes_on = match finish.close() {
        Some((code, reason)) => socket.farewell(last, code, reason).await,
        None => finish == Finish::Left,
    };
    if goes_on {
        socket.until_closed().await;
    }
}

/// Tells the store what is left to tell. If it can't be reached for too long, the session's time counts from when it was last
/// kept, and what the client has received it says again when it comes back. Whether it was told.
async fn settle(hub: &Hub, finish: Finish, lease: Lease, acknowledged: u64) -> bool {
    let access = &hub.access;
    let settle = async {
        match finish {
            Finish::Done => end(hub, lease).await,
            // It is another's, or nobody's.
            Finish::Refused(Refusal::Superseded | Refusal::Overflow | Refusal::Gone) => {}
            Finish::Left
            | Finish::Drained
            | Finish::Refused(_)
            | Finish::Broken(_)
            | Finish::OutOfStep
            | Finish::Cut(_) => {
                let _ = access.once(access.store.acknowledge(lease, acknowledged)).await;
                let _ = access.patiently(|| access.store.release(lease)).await;
            }
        }
    };
    tokio::time::timeout(SETTLE_TIMEOUT, settle).await.is_ok()
}

/// Ends a session.
async fn end(hub: &Hub, lease: Lease) {
    let access = &hub.access;
    if let Ok(Some(ended)) = access.patiently(|| access.store.end(lease)).await {
        let effects = hub.app.end(&ended).await;
        let _ = access.apply(None, effects).await;
    }
}
