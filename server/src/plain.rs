//! Clients that know no subprotocol: each JSON message is counted, per session, and everything else is echoed.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::admission::bearer::query;
use crate::admission::bucket::{Bucket, Rate};
use crate::admission::gate::Admitted;
use crate::chance;
use crate::connection::WebSocket;
use crate::hub::{Hub, Stage};
use crate::refusal::Refusal;

/// The longest name of a session.
const MOST_CHARACTERS: usize = 128;
/// So many messages wait for their answers before no more are read.
const MOST_WAITING: usize = 256;
/// How long a client may take to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The session that the request names, or a new name.
pub(crate) fn session(request: &Parts) -> Result<String, Refusal> {
    match query(request, "session") {
        Some(name) if name.is_empty() || name.chars().count() > MOST_CHARACTERS => Err(Refusal::BadSession),
        Some(name) => Ok(name),
        None => chance::name().map_err(|_| Refusal::StoreDown),
    }
}

/// Serves a client to its end.
pub(crate) async fn serve(hub: Arc<Hub>, web: WebSocket, session: String, admitted: Admitted) {
    hub.metrics.connections.inc();
    let (mut sink, mut stream) = web.split();
    let (waiting, to_answer) = mpsc::channel(MOST_WAITING);
    let mut stage = hub.stage.subscribe();
    let refusal = tokio::select! {
        refusal = read(&hub, &mut stream, waiting) => refusal,
        refusal = answer(&hub, &mut sink, to_answer, &session) => refusal,
        _ = stage.wait_for(|stage| *stage != Stage::Serving) => Some(Refusal::Draining),
    };
    if let Some(refusal) = refusal {
        hub.metrics.refused(refusal);
        let frame = CloseFrame { code: refusal.close_code().into(), reason: refusal.reason().into() };
        let close = async {
            if sink.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = stream.next().await {}
            }
        };
        if !matches!(refusal, Refusal::Silent | Refusal::NotReading) {
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, close).await;
        }
    }
    hub.metrics.connections.dec();
    drop(admitted);
}

type Stream = futures_util::stream::SplitStream<WebSocket>;
type Sink = futures_util::stream::SplitSink<WebSocket, Message>;

/// What is to be answered.
enum Asked {
    Message(Message),
    /// Nothing has been heard for a while.
    Silence,
}

/// Reads until the client is gone, or gives a reason why it should be.
async fn read(hub: &Hub, stream: &mut Stream, waiting: mpsc::Sender<Asked>) -> Option<Refusal> {
    const SECOND: u64 = 1_000_000;
    let rate = hub.limits.messages_per_second.map(|count| Rate::new(count, SECOND, hub.limits.message_burst));
    let mut bucket = Bucket::FULL;
    let mut pinged = false;
    loop {
        let patience = if pinged { hub.limits.ping_timeout } else { hub.limits.ping_interval };
        let Ok(message) = tokio::time::timeout(patience, stream.next()).await else {
            if pinged {
                return Some(Refusal::Silent);
            }
            pinged = true;
            let _ = waiting.try_send(Asked::Silence);
            continue;
        };
        pinged = false;
        match message? {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => {
                if message.len() > hub.limits.message_bytes {
                    return Some(Refusal::MessageTooLong);
                }
                if rate.is_some_and(|rate| bucket.take(rate, hub.clock.now()).is_err()) {
                    return Some(Refusal::MessagesTooFast);
                }
                waiting.send(Asked::Message(message)).await.ok()?;
            }
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
            // Read on: that is what sends the answer to it.
            Ok(Message::Close(_)) => {}
            Err(Error::Capacity(_)) => return Some(Refusal::MessageTooLong),
            Err(_) => return None,
        }
    }
}

async fn answer(hub: &Hub, sink: &mut Sink, mut to_answer: mpsc::Receiver<Asked>, session: &str) -> Option<Refusal> {
    while let Some(asked) = to_answer.recv().await {
        let answer = match asked {
            Asked::Message(Message::Text(text)) => Message::text(answer_to(hub, session, &text).await?),
            Asked::Message(other) => other,
            Asked::Silence => Message::Ping(bytes::Bytes::new()),
        };
        match tokio::time::timeout(hub.limits.send_timeout, sink.send(answer)).await {
            Ok(sent) => sent.ok()?,
            Err(_) => return Some(Refusal::NotReading),
        }
    }
    // The reader knows why it ended.
    std::future::pending().await
}

async fn answer_to(hub: &Hub, session: &str, text: &str) -> Option<String> {
    let message = match serde_json::from_str(text) {
        Ok(Value::Object(mut fields)) => fields.remove("message"),
        Ok(_) | Err(_) => None,
    };
    let Some(message) = message else { return Some(format!("Echo: {text}")) };
    let access = &hub.access;
    let key = format!("plain {session}");
    let count = access.patiently(|| access.store.count(&key)).await.ok()?;
    Some(json!({ "session": session, "count": count, "message": message }).to_string())
}
