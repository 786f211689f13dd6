//! A Redis that was killed while it wrote: half a transaction is at the end of its file.

use std::fs::{self, OpenOptions};
use std::time::Duration;

use redial_server::store::{Committed, Effect, Lease, NewSession, SecretHash, SessionStore};
use redial_server::{Payload, SessionId};

use crate::application::{open, settings};
use crate::process::Redis;

const ROOM: &str = "room";

#[tokio::test]
async fn half_a_transaction_is_forgotten_for_good() {
    let mut redis = Redis::start().await;
    let file = redis.file("appendonly.aof.1.incr.aof");
    let store = open(&redis.url(), settings(Duration::from_secs(300))).await;
    let (half, whole) = (begin(&*store, 1).await, begin(&*store, 2).await);
    let before = fs::metadata(&file).unwrap().len();
    say(&*store, half, "half").await;
    redis.kill().await;
    let after = fs::metadata(&file).unwrap().len();
    // Whatever the kernel had taken of it when the process died.
    OpenOptions::new().write(true).open(&file).unwrap().set_len(before + (after - before) * 2 / 3).unwrap();

    redis.start_again().await;
    assert_eq!(history(&*store).await, Vec::<String>::new());
    say(&*store, whole, "whole").await;
    say(&*store, half, "again").await;
    redis.kill().await;
    redis.start_again().await;
    assert_eq!(history(&*store).await, ["whole", "again"]);
}

async fn begin(store: &dyn SessionStore, byte: u8) -> Lease {
    let new = NewSession {
        id: SessionId::from_bytes([byte; 16]),
        secret: SecretHash([byte; 32]),
        alias: byte.into(),
        user: None,
    };
    store.create(new).await.unwrap()
}

async fn say(store: &dyn SessionStore, lease: Lease, text: &str) {
    let broadcast = Effect::Broadcast { room: ROOM.into(), payload: Payload::text(text), to_self: true, keep: true };
    let message = Committed { number: 1, effects: vec![Effect::Join(ROOM.into()), broadcast] };
    store.commit(lease, vec![message]).await.unwrap();
}

async fn history(store: &dyn SessionStore) -> Vec<String> {
    let past = store.history(ROOM, None, 100).await.unwrap();
    past.iter().map(|past| past.payload.as_text().unwrap().to_owned()).collect()
}
