//! What only Redis has to show: several processes, and a server that comes and goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redial_server::store::{Change, Claim, Reason, RedisStore, SessionStore, StoreError, StoreSettings};
use redis::FromRedisValue;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::laws::*;
use crate::redis_server::RedisServer;
use crate::rig::Store;

struct Two {
    server: RedisServer,
    clock: Arc<AtomicU64>,
    one: Store,
    other: Store,
}

/// Two processes' stores on one Redis.
async fn two() -> Two {
    let server = RedisServer::start();
    let clock = Arc::new(AtomicU64::new(1_700_000_000_000));
    let settings = StoreSettings { ttl: TTL, ..StoreSettings::default() };
    let one = Arc::new(server.store("redial", settings, &clock).await);
    let other = Arc::new(server.store("redial", settings, &clock).await);
    Two { server, clock, one, other }
}

async fn command<T: FromRedisValue>(server: &RedisServer, words: &[&str]) -> T {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(&mut connection).await.unwrap()
}

#[tokio::test]
async fn any_process_goes_on_with_any_session() {
    let two = two().await;
    let lease = room(&two.one, "r", [1]).await[0];
    two.one.commit(lease, vec![message(2, vec![reply("a"), say("r", "b")])]).await.unwrap();
    let claimed = resumed(two.other.claim(id(1), secret(1), 1).await.unwrap());
    assert_eq!(claimed.received, 2);
    assert_eq!(outbox(&two.other, claimed.lease).await, ["2 b"]);
    // The one before is out, wherever it is.
    let late = message(3, vec![say("r", "late")]);
    assert_eq!(two.one.commit(lease, vec![late]).await, Err(StoreError::Superseded));
    two.one.release(lease).await.unwrap();
    assert!(two.other.members("r").await.unwrap()[0].connected);
    assert_eq!(past(&two.other.history("r", None, 10).await.unwrap()), ["1 b"]);
}

#[tokio::test]
async fn each_process_hears_of_the_other_s_doings() {
    let two = two().await;
    let lease = room(&two.one, "r", [1]).await[0];
    let mut heard = two.one.changes();
    two.other.apply(None, vec![say("r", "a")]).await.unwrap();
    assert_eq!(heard.recv().await, Some(Change::Sessions(vec![id(1)])));
    assert_eq!(outbox(&two.one, lease).await, ["1 a"]);
    two.other.claim(id(1), secret(1), 1).await.unwrap();
    assert_eq!(heard.recv().await, Some(Change::Sessions(vec![id(1)])));
}

#[tokio::test]
async fn an_end_is_reported_once_by_one_process() {
    let two = two().await;
    room(&two.one, "r", 0..200).await;
    two.clock.fetch_add(10 * 300_000, Ordering::SeqCst);
    let mut all = Vec::new();
    loop {
        let (one, other) = futures_util::future::join(two.one.expire(7), two.other.expire(7)).await;
        let (one, other) = (one.unwrap(), other.unwrap());
        if one.is_empty() && other.is_empty() {
            break;
        }
        all.extend(one.into_iter().chain(other).map(|ended| ended.alias));
    }
    all.sort_unstable();
    all.reverse();
    assert_eq!(all, (0..200).map(alias).collect::<Vec<_>>());
}

#[tokio::test]
async fn other_prefixes_are_other_sessions() {
    let two = two().await;
    let apart = RedisStore::connect_with_prefix(&two.server.url(), "apart", StoreSettings::default()).await.unwrap();
    room(&two.one, "r", [1]).await;
    assert_eq!(apart.totals().await.unwrap().sessions, 0);
    assert!(apart.members("r").await.unwrap().is_empty());
    let mut heard = apart.changes();
    two.one.apply(None, vec![say("r", "a")]).await.unwrap();
    let apart: Store = Arc::new(apart);
    let lease = room(&apart, "r", [2]).await[0];
    apart.commit(lease, vec![message(2, vec![reply("b")])]).await.unwrap();
    assert_eq!(heard.recv().await, Some(Change::Sessions(vec![id(2)])));
}

async fn any(heard: &mut UnboundedReceiver<Change>) {
    while heard.recv().await.unwrap() != Change::Any {}
}

#[tokio::test]
async fn a_redis_that_is_away_is_waited_for_and_found_again() {
    let mut two = two().await;
    let lease = room(&two.one, "r", [1]).await[0];
    for round in 0..3 {
        let (number, texts) = (2 + 2 * round, ["a", "b"]);
        two.one.commit(lease, vec![message(number, vec![reply(texts[0])])]).await.unwrap();
        let mut heard = two.one.changes();
        two.server.kill();
        let start = Instant::now();
        let call = vec![message(number + 1, vec![reply(texts[1])])];
        let refused = two.one.commit(lease, call.clone()).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        // A call that is made while it is away is done when it is back in time.
        let store = Arc::clone(&two.one);
        let waiting = tokio::spawn(async move { store.commit(lease, call).await });
        two.server.start_again();
        match waiting.await.unwrap() {
            Ok(()) => {}
            // On a machine that took longer than that to start it.
            Err(StoreError::Unavailable(_)) => continue,
            Err(error) => panic!("{error}"),
        }
        // What was said meanwhile, if anything, was not heard.
        any(&mut heard).await;
        assert_eq!(resumed_received(&two.other).await, number + 1);
        let read = two.one.read(lease, 0, 10, 10).await;
        assert_eq!(read, Err(StoreError::Superseded));
        return;
    }
    panic!("Redis never came back in time");
}

async fn resumed_received(store: &Store) -> u64 {
    resumed(store.claim(id(1), secret(1), 0).await.unwrap()).received
}

#[tokio::test]
async fn a_redis_that_hangs_is_given_up_in_bounded_time() {
    let mut two = two().await;
    let lease = room(&two.one, "r", [1]).await[0];
    two.server.stop();
    let start = Instant::now();
    let refused = two.one.commit(lease, vec![message(2, vec![reply("a")])]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    two.server.go_on();
    // It was done, or not: once, in the end.
    two.one.commit(lease, vec![message(2, vec![reply("a")])]).await.unwrap();
    assert_eq!(outbox(&two.one, lease).await, ["1 a"]);
}

#[tokio::test]
async fn scripts_that_redis_forgot_are_sent_again() {
    let two = two().await;
    let lease = room(&two.one, "r", [1]).await[0];
    command::<()>(&two.server, &["SCRIPT", "FLUSH"]).await;
    two.one.commit(lease, vec![message(2, vec![reply("a")])]).await.unwrap();
    assert_eq!(outbox(&two.one, lease).await, ["1 a"]);
}

#[tokio::test]
async fn a_redis_without_memory_refuses_wholly_and_can_still_free_some() {
    let two = two().await;
    let lease = room(&two.one, "r", [1]).await[0];
    two.one.commit(lease, vec![message(2, vec![reply("a"), join("q")])]).await.unwrap();
    command::<()>(&two.server, &["CONFIG", "SET", "maxmemory", "1"]).await;
    // What leaves would need no memory: but the whole is refused.
    let call = vec![message(3, vec![leave("r"), say("q", "b")])];
    let refused = two.one.commit(lease, call.clone()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(two.one.members("r").await.unwrap().len(), 1);
    two.one.keep(&[lease]).await.unwrap();
    two.one.acknowledge(lease, 1).await.unwrap();
    let lease = resumed(two.one.claim(id(1), secret(1), 1).await.unwrap()).lease;
    two.one.release(lease).await.unwrap();
    command::<()>(&two.server, &["CONFIG", "SET", "maxmemory", "0"]).await;
    two.one.commit(lease, call).await.unwrap();
    assert!(two.one.members("r").await.unwrap().is_empty());
    assert_eq!(outbox(&two.one, lease).await, ["2 b"]);
}

#[tokio::test]
async fn a_session_leaves_nothing_behind() {
    let two = two().await;
    let keys = async || {
        let mut keys: Vec<String> = command(&two.server, &["KEYS", "*"]).await;
        keys.sort();
        keys
    };
    let lease = two.one.create(of_user(1, "ann")).await.unwrap();
    let effects = vec![join("r"), reply("a"), tell("r", "b"), join("q"), leave("q")];
    two.one.commit(lease, vec![message(1, effects)]).await.unwrap();
    two.one.end(lease).await.unwrap();
    assert_eq!(keys().await, ["redial:totals", "redial:version"]);
}

#[tokio::test]
async fn nonsense_in_redis_is_a_store_that_fails() {
    let two = two().await;
    let lease = room(&two.one, "r", [1]).await[0];
    two.one.commit(lease, vec![message(2, vec![say("r", "a")])]).await.unwrap();
    command::<()>(&two.server, &["SET", "redial:totals", "nonsense"]).await;
    command::<()>(&two.server, &["SET", "redial:history:r", "nonsense"]).await;
    command::<()>(&two.server, &["SET", "redial:members:r", "nonsense"]).await;
    for failed in [
        two.one.totals().await.map(|_| ()),
        two.one.history("r", None, 10).await.map(|_| ()),
        two.one.members("r").await.map(|_| ()),
        two.one.acknowledge(lease, 1).await,
    ] {
        assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    }
}

/// Keeps a copy of all keys.
const SAVE: &str = "for _, k in ipairs(redis.call('KEYS', 'redial:*')) do redis.call('COPY', k, 'old:' .. k) end";
/// Goes back to the copy.
const GO_BACK: &str = "for _, k in ipairs(redis.call('KEYS', 'redial:*')) do redis.call('DEL', k) end
    for _, k in ipairs(redis.call('KEYS', 'old:*')) do redis.call('RENAME', k, string.sub(k, 5)) end";

#[tokio::test]
async fn whoever_knows_more_than_a_redis_that_came_back_older_has_lost_its_session() {
    let two = two().await;
    let lost = StoreError::Gone(Reason::Unknown);
    let read = room(&two.one, "r", [1]).await[0];
    room(&two.one, "r", [2]).await;
    two.one.commit(read, vec![message(2, vec![reply("a")])]).await.unwrap();
    command::<()>(&two.server, &["EVAL", SAVE, "0"]).await;
    two.one.commit(read, vec![message(3, vec![reply("b"), reply("c")])]).await.unwrap();
    assert_eq!(outbox(&two.one, read).await, ["1 a", "2 b", "3 c"]);
    let claimed = resumed(two.one.claim(id(2), secret(2), 0).await.unwrap()).lease;
    command::<()>(&two.server, &["EVAL", GO_BACK, "0"]).await;

    // Its next would be a number 2 that the client takes for the one that it has.
    assert_eq!(two.one.read(read, 3, 10, 10).await, Err(lost.clone()));
    assert_eq!(two.one.acknowledge(read, 3).await, Err(lost.clone()));
    assert_eq!(two.one.claim(id(1), secret(1), 3).await.unwrap(), Claim::Unknown);
    // Nobody else has claimed it: to be superseded would stop its client for good.
    assert_eq!(two.one.read(claimed, 0, 10, 10).await, Err(lost.clone()));
    assert_eq!(two.one.commit(claimed, vec![message(2, vec![])]).await, Err(lost));
}

#[tokio::test]
async fn another_version_s_keys_are_refused() {
    let two = two().await;
    command::<()>(&two.server, &["SET", "redial:version", "2"]).await;
    let refused = RedisStore::connect(&two.server.url(), StoreSettings::default()).await;
    let expected = "what is in Redis is of another version of redial: 2, known is 1".to_owned();
    assert_eq!(refused.map(|_| ()).unwrap_err(), StoreError::Unavailable(expected));
}

#[tokio::test]
async fn a_url_s_password_is_shown_nowhere() {
    let url = "redis://ann:hunter2@127.0.0.1:1/";
    let refused = RedisStore::connect(url, StoreSettings::default()).await.map(|_| ()).unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("hunter2"));
    let two = two().await;
    assert!(!format!("{:?}", two.one).contains("socket"));
}
