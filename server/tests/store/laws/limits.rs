//! What a store has enough of.

use super::*;
use redial_server::store::{Reason, StoreError, Totals};

const OVERFLOW: StoreError = StoreError::Gone(Reason::Overflow);

async fn small(rig: &mut Rig) -> Store {
    let settings = StoreSettings { ttl: TTL, outbox_messages: 3, outbox_bytes: 100, ..StoreSettings::default() };
    rig.store(settings).await
}

pub(crate) async fn an_overflow_by_number_ends_that_session_only(rig: &mut Rig) {
    let store = small(rig).await;
    let leases = room(&store, "r", [1, 2, 3]).await;
    store.commit(leases[0], vec![message(2, ["a", "b", "c"].map(|text| say("r", text)).to_vec())]).await.unwrap();
    for lease in [leases[0], leases[2]] {
        store.acknowledge(lease, 1).await.unwrap();
    }
    store.commit(leases[0], vec![message(3, vec![say("r", "d")])]).await.unwrap();
    assert_eq!(store.read(leases[1], 0, 1, 1).await, Err(OVERFLOW));
    assert_eq!(store.commit(leases[1], vec![]).await, Err(OVERFLOW));
    assert_eq!(store.acknowledge(leases[1], 3).await, Err(OVERFLOW));
    assert_eq!(store.apply(Some(id(2)), vec![]).await, Err(OVERFLOW));
    assert_eq!(store.claim(id(2), secret(2), 0).await.unwrap(), Claim::Unknown);
    assert_eq!(store.create(new(2)).await, Err(OVERFLOW));
    for lease in [leases[0], leases[2]] {
        assert_eq!(outbox(&store, lease).await, ["2 b", "3 c", "4 d"]);
    }
    assert_eq!(store.totals().await.unwrap(), Totals { sessions: 2, outbox_messages: Some(6) });
    assert_eq!(store.members("r").await.unwrap().len(), 2);
    let ended = store.expire(10).await.unwrap();
    assert_eq!((ended.len(), ended[0].alias, &*ended[0].rooms), (1, alias(2), &["r".to_owned()][..]));
    assert!(store.expire(10).await.unwrap().is_empty());
}

pub(crate) async fn an_overflow_by_bytes_ends_that_session_only(rig: &mut Rig) {
    let store = small(rig).await;
    let leases = room(&store, "r", [1, 2]).await;
    store.commit(leases[1], vec![message(2, vec![reply(&"x".repeat(100))])]).await.unwrap();
    store.acknowledge(leases[1], 1).await.unwrap();
    store.commit(leases[1], vec![message(3, vec![reply(&"x".repeat(60))])]).await.unwrap();
    store.apply(None, vec![say("r", &"y".repeat(40))]).await.unwrap();
    assert_eq!(outbox(&store, leases[1]).await.len(), 2);
    store.apply(None, vec![say("r", "z")]).await.unwrap();
    assert_eq!(store.read(leases[1], 0, 1, 1).await, Err(OVERFLOW));
    assert_eq!(outbox(&store, leases[0]).await.len(), 2);
}

pub(crate) async fn one_s_own_overflow_is_told_and_does_not_stop_the_others_messages(rig: &mut Rig) {
    let store = small(rig).await;
    let leases = room(&store, "r", [1, 2]).await;
    let flood = vec![
        message(2, vec![say("r", "a"), reply("1"), reply("2"), reply("3"), say("r", "b"), join("q"), leave("r")]),
        message(3, vec![reply("4"), say("r", "c")]),
    ];
    assert_eq!(store.commit(leases[0], flood.clone()).await, Err(OVERFLOW));
    assert_eq!(store.commit(leases[0], flood).await, Err(OVERFLOW));
    assert_eq!(outbox(&store, leases[1]).await, ["1 a", "2 b", "3 c"]);
    assert_eq!(past(&store.history("r", None, 10).await.unwrap()), ["1 a", "2 b", "3 c"]);
    assert!(store.members("q").await.unwrap().is_empty());
    assert_eq!(store.apply(Some(id(2)), vec![reply("d")]).await, Err(OVERFLOW));
    assert_eq!(store.totals().await.unwrap(), Totals { sessions: 0, outbox_messages: Some(0) });
    let ended: Vec<_> = store.expire(10).await.unwrap().into_iter().map(|ended| (ended.alias, ended.rooms)).collect();
    assert_eq!(ended, [(alias(1), vec!["r".to_owned()]), (alias(2), vec!["r".to_owned()])]);
}

pub(crate) async fn an_overflow_is_forgotten_in_time(rig: &mut Rig) {
    let store = small(rig).await;
    let lease = store.create(new(1)).await.unwrap();
    assert_eq!(store.commit(lease, vec![message(1, vec![reply(&"x".repeat(101))])]).await, Err(OVERFLOW));
    rig.pass(TTL - MILLI).await;
    assert_eq!(store.expire(10).await.unwrap().len(), 1);
    assert_eq!(store.read(lease, 0, 1, 1).await, Err(OVERFLOW));
    rig.pass(MILLI).await;
    assert_eq!(store.read(lease, 0, 1, 1).await, Err(StoreError::Gone(Reason::Unknown)));
    assert!(store.expire(10).await.unwrap().is_empty());
    store.create(new(1)).await.unwrap();
}

pub(crate) async fn a_user_has_so_many_sessions(rig: &mut Rig) {
    let settings = StoreSettings { ttl: TTL, sessions_per_user: 2, ..StoreSettings::default() };
    let store = rig.store(settings).await;
    let first = store.create(of_user(1, "ann")).await.unwrap();
    store.create(of_user(2, "ann")).await.unwrap();
    let full = Err(StoreError::TooManySessions);
    assert_eq!(store.create(of_user(3, "ann")).await, full);
    assert_eq!(store.create(of_user(1, "ann")).await.unwrap(), first);
    store.create(of_user(4, "bob")).await.unwrap();
    for n in 5..9 {
        store.create(new(n)).await.unwrap();
    }
    store.end(first).await.unwrap();
    store.create(of_user(3, "ann")).await.unwrap();
    assert_eq!(store.create(of_user(1, "ann")).await, full);
    rig.pass(TTL * 2).await;
    assert_eq!(store.expire(100).await.unwrap().len(), 7);
    store.create(of_user(1, "ann")).await.unwrap();
}

pub(crate) async fn a_count_goes_on_until_nobody_counted_for_long(rig: &mut Rig) {
    let store = open(rig).await;
    for count in 1..=3 {
        assert_eq!(store.count("a").await.unwrap(), count);
        rig.pass(TTL - MILLI).await;
        store.expire(10).await.unwrap();
    }
    assert_eq!(store.count("b \0é").await.unwrap(), 1);
    assert_eq!(store.count("a").await.unwrap(), 4);
    rig.pass(TTL).await;
    assert_eq!(store.count("a").await.unwrap(), 1);
    store.expire(10).await.unwrap();
    assert_eq!(store.count("b \0é").await.unwrap(), 1);
    assert_eq!(store.count("a").await.unwrap(), 2);
}
