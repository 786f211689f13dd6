//! What other processes, and this one, have done.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redial_session::{ID_BYTES, SessionId};
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, RedisError, Value};
use tokio::time::{sleep, timeout};

use super::link::PATIENCE;
use crate::store::listeners::Listeners;
use crate::store::{Change, StoreError};

/// After how long without news a subscription is asked whether it is still there.
const QUIET: Duration = Duration::from_secs(5);

/// Between two tries to subscribe.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) type Subscription = (PubSubSink, PubSubStream);

pub(super) async fn subscribe(client: &Client, channel: &str) -> Result<Subscription, StoreError> {
    let subscribing = async {
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(channel).await?;
        Ok::<_, RedisError>(subscription.split())
    };
    match timeout(PATIENCE, subscribing).await {
        Ok(Ok(subscription)) => Ok(subscription),
        Ok(Err(error)) => Err(super::link::unavailable(&error)),
        Err(_) => Err(StoreError::Unavailable("Redis does not answer".to_owned())),
    }
}

/// Passes on what comes, for ever; subscribes again where it has to.
pub(super) async fn pass_on(client: Client, channel: String, first: Subscription, listeners: Arc<Listeners>) {
    let mut subscription = first;
    loop {
        until_lost(&mut subscription, &listeners).await;
        subscription = loop {
            sleep(PAUSE).await;
            if let Ok(subscription) = subscribe(&client, &channel).await {
                break subscription;
            }
        };
        // Nobody knows what was said meanwhile.
        listeners.tell(&Change::Any);
    }
}

async fn until_lost((sink, stream): &mut Subscription, listeners: &Listeners) {
    loop {
        match timeout(QUIET, stream.next()).await {
            Ok(Some(message)) => hear(message.get_payload_bytes(), listeners),
            Ok(None) => return,
            Err(_) => match timeout(PATIENCE, sink.ping::<Value>()).await {
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return,
            },
        }
    }
}

fn hear(ids: &[u8], listeners: &Listeners) {
    let mut sessions = Vec::with_capacity(ids.len() / ID_BYTES);
    for id in ids.chunks(ID_BYTES) {
        match <[u8; ID_BYTES]>::try_from(id) {
            Ok(id) => sessions.push(SessionId::from_bytes(id)),
            // Somebody speaks of something else; what of, nobody knows.
            Err(_) => return listeners.tell(&Change::Any),
        }
    }
    listeners.tell_of(sessions);
}
