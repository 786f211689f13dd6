//! The server: answers every number with itself, and keeps all numbers that arrive, which is the truth that the account
//! rests on.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use redial_server::store::{MemoryStore, SessionStore, StoreSettings};
use redial_server::{Effect, Limits, Payload, SessionInfo, Sessions};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::failure::Failure;

/// The room whose history has what arrived. Nobody is in it.
const ARRIVALS: &str = "arrivals";
/// Between two tries to listen again.
const PAUSE: Duration = Duration::from_millis(20);
/// How long its connections may take to end.
const DRAIN: Duration = Duration::from_secs(2);

/// A server that works in the background until it is [finished](Self::finish) or dropped.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    orders: UnboundedSender<Order>,
    store: Arc<dyn SessionStore>,
    work: JoinSet<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Restart,
    End,
}

impl Server {
    /// Listens on a free port of the loopback interface, for so many messages.
    pub(super) async fn start(messages: u32) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // Place for all of them twice: what must not happen is to be seen.
        let history_messages = usize::try_from(messages).unwrap_or(usize::MAX).saturating_mul(2);
        let settings = StoreSettings { history_messages, ..StoreSettings::default() };
        let store: Arc<dyn SessionStore> = Arc::new(MemoryStore::new(settings));
        let (orders, waiting) = unbounded_channel();
        let mut work = JoinSet::new();
        work.spawn(live(listener, address, Arc::clone(&store), waiting));
        Ok(Self { address, orders, store, work })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn restart(&self) -> Restart {
        Restart(self.orders.clone())
    }

    /// Ends it, and gives the numbers that arrived, in order.
    pub(super) async fn finish(mut self) -> Result<Vec<u32>, Failure> {
        // It may be gone already.
        let _ = self.orders.send(Order::End);
        if timeout(DRAIN.saturating_mul(2), self.work.join_next()).await.is_err() {
            self.work.shutdown().await;
        }
        let most = self.store.settings().history_messages;
        let history = self.store.history(ARRIVALS, None, most).await.map_err(Failure::check)?;
        Ok(history.iter().map(|past| number(&past.payload).unwrap_or_default()).collect())
    }
}

/// Lets the server go away gracefully, and start again on the same port with the same store.
#[derive(Clone, Debug)]
pub(super) struct Restart(UnboundedSender<Order>);

impl Restart {
    pub(super) fn ring(&self) {
        // A server that is gone is noticed by whoever waits for what follows.
        let _ = self.0.send(Order::Restart);
    }
}

/// The number that a message is.
pub(super) fn number(payload: &Payload) -> Option<u32> {
    payload.as_text()?.parse().ok()
}

/// One life after the other.
async fn live(
    mut listener: TcpListener,
    address: SocketAddr,
    store: Arc<dyn SessionStore>,
    mut orders: UnboundedReceiver<Order>,
) {
    loop {
        let sessions = Sessions::builder(Arc::clone(&store), answer).limits(limits()).build();
        let served = sessions.serve(listener);
        tokio::pin!(served);
        let order = tokio::select! {
            _ = &mut served => return,
            order = orders.recv() => order,
        };
        let (_, ()) = tokio::join!(served, sessions.shutdown(Duration::ZERO));
        if order != Some(Order::Restart) {
            return;
        }
        listener = loop {
            match TcpListener::bind(address).await {
                Ok(listener) => break listener,
                Err(_) => sleep(PAUSE).await,
            }
        };
    }
}

/// In one transaction: what is not committed has not arrived, and is not answered.
fn answer(_: &SessionInfo, payload: Payload) -> Vec<Effect> {
    let arrival = Effect::Broadcast { room: ARRIVALS.into(), payload: payload.clone(), to_self: false, keep: true };
    vec![arrival, Effect::Reply(payload)]
}

/// There is one client, and it is in a hurry.
fn limits() -> Limits {
    Limits {
        connections_per_address: None,
        connects_per_minute: None,
        messages_per_second: None,
        drain_timeout: DRAIN,
        ..Limits::default()
    }
}
