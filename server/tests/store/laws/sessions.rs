//! Sessions come, are claimed, and end.

use super::*;
use redial_server::store::{Ended, Reason, StoreError};

pub(crate) async fn a_session_is_created_once(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(of_user(1, "ann")).await.unwrap();
    assert_eq!(lease.session, id(1));
    store.commit(lease, vec![message(1, vec![reply("a")])]).await.unwrap();
    assert_eq!(store.create(of_user(1, "ann")).await.unwrap(), lease);
    assert_eq!(outbox(&store, lease).await, ["1 a"]);
    assert_eq!(store.totals().await.unwrap().sessions, 1);

    // Asked late, when somebody else has it already.
    resumed(store.claim(id(1), secret(1), 0).await.unwrap());
    assert_eq!(store.create(of_user(1, "ann")).await.unwrap(), lease);
    assert_eq!(store.read(lease, 0, 1, 1).await, Err(StoreError::Superseded));
}

pub(crate) async fn an_id_that_is_taken_is_not_given_again(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(new(1)).await.unwrap();
    let other = NewSession { secret: secret(2), ..new(1) };
    assert_eq!(store.create(other).await, Err(StoreError::Gone(Reason::Unknown)));
    assert_eq!(outbox(&store, lease).await, [""; 0]);
}

pub(crate) async fn a_wrong_secret_finds_nothing(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(new(1)).await.unwrap();
    assert_eq!(store.claim(id(1), secret(2), 0).await.unwrap(), Claim::Unknown);
    assert_eq!(store.claim(id(2), secret(2), 0).await.unwrap(), Claim::Unknown);
    // And takes nothing from whoever has it, whatever it claims to have got.
    assert_eq!(store.claim(id(1), secret(2), 7).await.unwrap(), Claim::Unknown);
    store.commit(lease, vec![message(1, vec![reply("a")])]).await.unwrap();
}

pub(crate) async fn a_claim_supersedes_the_lease_before(rig: &mut Rig) {
    let store = open(rig).await;
    let first = store.create(new(1)).await.unwrap();
    let second = resumed(store.claim(id(1), secret(1), 0).await.unwrap()).lease;
    let third = resumed(store.claim(id(1), secret(1), 0).await.unwrap()).lease;
    assert!(first.epoch < second.epoch && second.epoch < third.epoch);
    for old in [first, second] {
        assert_eq!(store.commit(old, vec![message(1, vec![reply("a")])]).await, Err(StoreError::Superseded));
        assert_eq!(store.commit(old, vec![]).await, Err(StoreError::Superseded));
        assert_eq!(store.read(old, 0, 1, 1).await, Err(StoreError::Superseded));
        assert_eq!(store.acknowledge(old, 0).await, Err(StoreError::Superseded));
    }
    store.commit(third, vec![message(1, vec![reply("b")])]).await.unwrap();
    assert_eq!(outbox(&store, third).await, ["1 b"]);
}

pub(crate) async fn a_claim_tells_how_far_the_session_is(rig: &mut Rig) {
    let store = open(rig).await;
    let first = store.create(of_user(1, "ann")).await.unwrap();
    let effects = vec![reply("a"), reply("b"), reply("c")];
    store.commit(first, vec![message(1, effects), message(2, vec![])]).await.unwrap();
    let claimed = resumed(store.claim(id(1), secret(1), 2).await.unwrap());
    assert_eq!((claimed.received, claimed.alias), (2, alias(1)));
    assert_eq!(claimed.user.as_deref(), Some("ann"));
    assert_eq!(claimed.lease.session, id(1));
    // What it has got is forgotten.
    assert_eq!(outbox(&store, claimed.lease).await, ["3 c"]);
}

pub(crate) async fn a_claim_beyond_what_was_sent_ends_the_session(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = room(&store, "r", [1]).await[0];
    store.commit(lease, vec![message(2, vec![reply("a")])]).await.unwrap();
    assert_eq!(store.claim(id(1), secret(1), 2).await.unwrap(), Claim::Unknown);
    assert_eq!(store.claim(id(1), secret(1), 1).await.unwrap(), Claim::Unknown);
    assert_eq!(store.read(lease, 0, 1, 1).await, Err(StoreError::Gone(Reason::Unknown)));
    assert!(store.members("r").await.unwrap().is_empty());
    let ended = Ended { alias: alias(1), user: None, rooms: vec!["r".to_owned()] };
    assert_eq!(store.expire(10).await.unwrap(), [ended]);
    assert!(store.expire(10).await.unwrap().is_empty());

    // As far beyond as a number goes.
    store.create(new(2)).await.unwrap();
    assert_eq!(store.claim(id(2), secret(2), u64::MAX).await.unwrap(), Claim::Unknown);
    assert_eq!(store.totals().await.unwrap().sessions, 0);
}

pub(crate) async fn a_claim_below_what_was_acknowledged_comes_late_and_changes_nothing(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(new(1)).await.unwrap();
    store.commit(lease, vec![message(1, vec![reply("a"), reply("b")])]).await.unwrap();
    store.acknowledge(lease, 2).await.unwrap();
    let lease = resumed(store.claim(id(1), secret(1), 2).await.unwrap()).lease;
    assert_eq!(store.claim(id(1), secret(1), 1).await.unwrap(), Claim::Unknown);
    store.acknowledge(lease, 2).await.unwrap();
    assert!(store.expire(10).await.unwrap().is_empty());
}

pub(crate) async fn a_released_session_lives_for_its_time(rig: &mut Rig) {
    let store = open(rig).await;
    let first = store.create(new(1)).await.unwrap();
    store.create(new(2)).await.unwrap();
    store.release(first).await.unwrap();
    rig.pass(TTL - MILLI).await;
    // A second time changes nothing; and there is nothing to keep any more.
    store.release(first).await.unwrap();
    store.keep(&[first]).await.unwrap();
    assert!(store.expire(10).await.unwrap().is_empty());
    let second = resumed(store.claim(id(1), secret(1), 0).await.unwrap()).lease;

    store.release(second).await.unwrap();
    rig.pass(TTL).await;
    assert_eq!(store.claim(id(1), secret(1), 0).await.unwrap(), Claim::Unknown);
    let mut ended: Vec<_> = store.expire(10).await.unwrap().into_iter().map(|ended| ended.alias).collect();
    ended.sort_unstable();
    // Nobody kept the other one.
    assert_eq!(ended, [alias(2), alias(1)]);
    assert_eq!(store.read(second, 0, 1, 1).await, Err(StoreError::Gone(Reason::Unknown)));
}

pub(crate) async fn a_kept_session_lives(rig: &mut Rig) {
    let store = open(rig).await;
    let kept: Vec<_> = room(&store, "r", 0..3).await;
    for _ in 0..10 {
        rig.pass(TTL / 2).await;
        store.keep(&kept).await.unwrap();
        assert!(store.expire(10).await.unwrap().is_empty());
    }
    store.keep(&[]).await.unwrap();
    // The process that kept them dies.
    rig.pass(TTL + TTL / 4 - MILLI).await;
    assert!(store.expire(10).await.unwrap().is_empty());
    rig.pass(MILLI).await;
    assert_eq!(store.expire(10).await.unwrap().len(), 3);
}

pub(crate) async fn a_session_that_nobody_keeps_ends(rig: &mut Rig) {
    let store = open(rig).await;
    store.create(of_user(1, "ann")).await.unwrap();
    rig.pass(TTL + TTL / 4 - MILLI).await;
    let lease = resumed(store.claim(id(1), secret(1), 0).await.unwrap()).lease;
    store.commit(lease, vec![message(1, vec![reply("a"), join("r"), join("q")])]).await.unwrap();
    rig.pass(TTL + TTL / 4 - MILLI).await;
    assert!(store.expire(10).await.unwrap().is_empty());
    rig.pass(MILLI).await;
    assert_eq!(store.claim(id(1), secret(1), 0).await.unwrap(), Claim::Unknown);
    assert!(store.expire(0).await.unwrap().is_empty());
    let rooms = vec!["r".to_owned(), "q".to_owned()];
    let ended = Ended { alias: alias(1), user: Some("ann".to_owned()), rooms };
    assert_eq!(store.expire(1).await.unwrap(), [ended]);
    assert!(store.expire(1).await.unwrap().is_empty());
    assert!(store.members("r").await.unwrap().is_empty());
    assert_eq!(store.commit(lease, vec![]).await, Err(StoreError::Gone(Reason::Unknown)));
    assert_eq!(store.totals().await.unwrap().sessions, 0);
}

pub(crate) async fn a_superseded_connection_neither_keeps_nor_releases_nor_ends(rig: &mut Rig) {
    let store = open(rig).await;
    let old = room(&store, "r", [1]).await[0];
    let lease = resumed(store.claim(id(1), secret(1), 0).await.unwrap()).lease;
    rig.pass(TTL).await;
    store.keep(&[old]).await.unwrap();
    store.release(old).await.unwrap();
    assert_eq!(store.end(old).await.unwrap(), None);
    assert!(store.members("r").await.unwrap()[0].connected);
    store.commit(lease, vec![]).await.unwrap();
    rig.pass(TTL / 4).await;
    assert_eq!(store.expire(10).await.unwrap().len(), 1);
}

pub(crate) async fn a_session_that_is_ended_is_gone(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(of_user(1, "ann")).await.unwrap();
    let effects = vec![join("r"), join("q"), leave("r"), join("r"), reply("a")];
    store.commit(lease, vec![message(1, effects)]).await.unwrap();
    let rooms = vec!["q".to_owned(), "r".to_owned()];
    let ended = Ended { alias: alias(1), user: Some("ann".to_owned()), rooms };
    assert_eq!(store.end(lease).await.unwrap(), Some(ended));
    assert_eq!(store.end(lease).await.unwrap(), None);
    assert_eq!(store.claim(id(1), secret(1), 0).await.unwrap(), Claim::Unknown);
    let gone = StoreError::Gone(Reason::Unknown);
    assert_eq!(store.commit(lease, vec![]).await, Err(gone.clone()));
    assert_eq!(store.apply(Some(id(1)), vec![reply("b")]).await, Err(gone.clone()));
    assert_eq!(store.acknowledge(lease, 1).await, Err(gone.clone()));
    assert_eq!(store.read(lease, 0, 1, 1).await, Err(gone));
    store.keep(&[lease]).await.unwrap();
    store.release(lease).await.unwrap();
    assert!(store.members("r").await.unwrap().is_empty());
    rig.pass(TTL * 2).await;
    // It was reported to who ended it.
    assert!(store.expire(10).await.unwrap().is_empty());

    // What comes after it under the same id finds nothing of it.
    let lease = store.create(of_user(1, "ann")).await.unwrap();
    assert_eq!(outbox(&store, lease).await, [""; 0]);
}
