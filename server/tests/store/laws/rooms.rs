//! Rooms, their members and their history.

use super::*;
use redial_server::store::{Member, StoreError};

pub(crate) async fn a_broadcast_reaches_every_member_and_the_history_in_order(rig: &mut Rig) {
    let store = open(rig).await;
    let leases = room(&store, "r", [1, 2, 3]).await;
    let stranger = store.create(new(4)).await.unwrap();
    let effects = vec![reply("a"), say("r", "b"), tell("r", "c"), reply("d"), say("r", "e")];
    store.commit(leases[0], vec![message(2, effects)]).await.unwrap();
    // To a room that one is not in.
    store.commit(stranger, vec![message(1, vec![say("r", "f"), say("nobody's", "g")])]).await.unwrap();
    assert_eq!(outbox(&store, leases[0]).await, ["1 a", "2 b", "3 d", "4 e", "5 f"]);
    for lease in &leases[1..] {
        assert_eq!(outbox(&store, *lease).await, ["1 b", "2 c", "3 e", "4 f"]);
    }
    assert_eq!(outbox(&store, stranger).await, [""; 0]);
    assert_eq!(past(&store.history("r", None, 10).await.unwrap()), ["1 b", "2 e", "3 f"]);
    assert_eq!(past(&store.history("nobody's", None, 10).await.unwrap()), ["1 g"]);
}

pub(crate) async fn a_broadcast_to_others_leaves_oneself_out(rig: &mut Rig) {
    let store = open(rig).await;
    let leases = room(&store, "r", [1, 2]).await;
    let kept = Effect::Broadcast { room: "r".to_owned(), payload: "a".into(), to_self: false, keep: true };
    store.commit(leases[0], vec![message(2, vec![kept])]).await.unwrap();
    assert_eq!(outbox(&store, leases[0]).await, [""; 0]);
    assert_eq!(outbox(&store, leases[1]).await, ["1 a"]);
    assert_eq!(past(&store.history("r", None, 10).await.unwrap()), ["1 a"]);
}

pub(crate) async fn members_come_and_go(rig: &mut Rig) {
    let store = open(rig).await;
    assert!(store.members("r").await.unwrap().is_empty());
    let ann = store.create(of_user(1, "ann")).await.unwrap();
    let other = store.create(new(2)).await.unwrap();
    store.commit(other, vec![message(1, vec![join("r")])]).await.unwrap();
    store.commit(ann, vec![message(1, vec![join("r"), join("q")])]).await.unwrap();
    let member =
        |n, user: Option<&str>, connected| Member { alias: alias(n), user: user.map(str::to_owned), connected };
    let members = async || store.members("r").await.unwrap();
    assert_eq!(members().await, [member(2, None, true), member(1, Some("ann"), true)]);

    store.release(other).await.unwrap();
    assert_eq!(members().await, [member(2, None, false), member(1, Some("ann"), true)]);
    let other = resumed(store.claim(id(2), secret(2), 0).await.unwrap()).lease;
    assert_eq!(members().await, [member(2, None, true), member(1, Some("ann"), true)]);
    // Who leaves and comes again comes last.
    store.commit(other, vec![message(2, vec![leave("r"), leave("r"), leave("q"), join("r")])]).await.unwrap();
    assert_eq!(members().await, [member(1, Some("ann"), true), member(2, None, true)]);
    store.end(ann).await.unwrap();
    assert_eq!(members().await, [member(2, None, true)]);
    store.commit(other, vec![message(3, vec![leave("r")])]).await.unwrap();
    assert!(members().await.is_empty());
    assert!(store.members("q").await.unwrap().is_empty());
}

pub(crate) async fn joining_twice_is_joining_once(rig: &mut Rig) {
    let store = open(rig).await;
    let leases = room(&store, "r", [1, 2]).await;
    store.commit(leases[0], vec![message(2, vec![join("r"), say("r", "a")])]).await.unwrap();
    assert_eq!(outbox(&store, leases[0]).await, ["1 a"]);
    let aliases: Vec<_> = store.members("r").await.unwrap().iter().map(|member| member.alias).collect();
    assert_eq!(aliases, [alias(1), alias(2)]);
    store.commit(leases[0], vec![message(3, vec![leave("r"), say("r", "b")])]).await.unwrap();
    assert_eq!(outbox(&store, leases[0]).await, ["1 a"]);
}

pub(crate) async fn history_has_pages_and_an_end(rig: &mut Rig) {
    let settings = StoreSettings { ttl: TTL, history_messages: 25, ..StoreSettings::default() };
    let store = rig.store(settings).await;
    assert!(store.history("r", None, 10).await.unwrap().is_empty());
    let lease = room(&store, "r", [1]).await[0];
    for number in 2..=31 {
        store.commit(lease, vec![message(number, vec![say("r", &number.to_string())])]).await.unwrap();
    }
    // 30 were said, 25 are kept: 6 to 30, of which each says one more than its number.
    let mut before = None;
    let mut pages = Vec::new();
    loop {
        let page = store.history("r", before, 10).await.unwrap();
        let Some(first) = page.first() else { break };
        before = Some(first.number);
        assert!(page.iter().all(|past| text(&past.payload) == (past.number + 1).to_string()));
        pages.push(page.iter().map(|past| past.number).collect::<Vec<_>>());
    }
    assert_eq!(pages, [(21..=30).collect::<Vec<_>>(), (11..=20).collect(), (6..=10).collect()]);
    assert!(store.history("r", None, 0).await.unwrap().is_empty());
    assert_eq!(store.history("r", Some(u64::MAX), usize::MAX).await.unwrap().len(), 25);
    assert!(store.history("r", Some(0), 10).await.unwrap().is_empty());

    // It stays when nobody is there, and its numbers go on.
    store.end(lease).await.unwrap();
    store.apply(None, vec![say("r", "x")]).await.unwrap();
    let newest = store.history("r", None, 1).await.unwrap();
    assert_eq!(past(&newest), ["31 x"]);
    assert!(newest[0].at_millis > 1_600_000_000_000, "{newest:?}");
}

pub(crate) async fn a_room_of_ten_thousand(rig: &mut Rig) {
    let store = open(rig).await;
    let mut leases = Vec::new();
    let numbers: Vec<u16> = (0..10_000).collect();
    for some in numbers.chunks(200) {
        let come = some.iter().map(|n| async {
            let lease = store.create(new(*n)).await?;
            store.commit(lease, vec![message(1, vec![join("r")])]).await?;
            Ok::<_, StoreError>(lease)
        });
        leases.extend(futures_util::future::join_all(come).await.into_iter().map(Result::unwrap));
    }
    let mut changes = store.changes();
    store.commit(leases[0], vec![message(2, vec![say("r", "a")])]).await.unwrap();
    // However many pieces the news come in.
    let mut heard = std::collections::HashSet::new();
    while heard.len() < 10_000 {
        match changes.recv().await.unwrap() {
            redial_server::store::Change::Sessions(sessions) => heard.extend(sessions),
            redial_server::store::Change::Any => panic!("nothing was missed"),
        }
    }
    for lease in [leases[0], leases[1], leases[5_000], leases[9_999]] {
        assert_eq!(outbox(&store, lease).await, ["1 a"]);
    }
    assert_eq!(store.members("r").await.unwrap().len(), 10_000);
    store.keep(&leases).await.unwrap();
    rig.pass(TTL * 2).await;
    let mut ended = 0;
    while ended < 10_000 {
        let some = store.expire(3_000).await.unwrap().len();
        assert!(some > 0 && some <= 3_000);
        ended += some;
    }
    assert_eq!(store.totals().await.unwrap().sessions, 0);
}
