//! A client's messages and what waits for it.

use super::*;
use redial_server::store::{Change, Reason, StoreError, Totals};

/// What a store says that came back with less than it had.
const LOST: StoreError = StoreError::Gone(Reason::Unknown);

pub(crate) async fn a_message_is_committed_once(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(new(1)).await.unwrap();
    let first = vec![message(1, vec![reply("a"), say("r", "a")]), message(2, vec![reply("b")])];
    store.commit(lease, first.clone()).await.unwrap();
    store.commit(lease, first).await.unwrap();
    // Its connection broke, and it sends again what nobody acknowledged; twice, even.
    let lease = resumed(store.claim(id(1), secret(1), 0).await.unwrap()).lease;
    let again = [1, 2, 3, 2, 3, 4].map(|number| message(number, vec![reply("c"), say("r", "c")]));
    store.commit(lease, again.to_vec()).await.unwrap();
    assert_eq!(outbox(&store, lease).await, ["1 a", "2 b", "3 c", "4 c"]);
    assert_eq!(past(&store.history("r", None, 10).await.unwrap()), ["1 a", "2 c", "3 c"]);
    assert_eq!(resumed(store.claim(id(1), secret(1), 0).await.unwrap()).received, 4);
}

pub(crate) async fn a_gap_is_refused_and_nothing_of_the_call_is_done(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(new(1)).await.unwrap();
    let gap = |expected| Err(StoreError::Gap { expected });
    assert_eq!(store.commit(lease, vec![message(2, vec![reply("a")])]).await, gap(1));
    let call = vec![message(1, vec![reply("a"), join("r")]), message(3, vec![reply("b")])];
    assert_eq!(store.commit(lease, call).await, gap(1));
    assert_eq!(store.commit(lease, vec![message(u64::MAX, vec![])]).await, gap(1));
    assert_eq!(outbox(&store, lease).await, [""; 0]);
    assert!(store.members("r").await.unwrap().is_empty());
    store.commit(lease, vec![message(1, vec![reply("c")])]).await.unwrap();
    assert_eq!(store.commit(lease, vec![message(3, vec![])]).await, gap(2));
    assert_eq!(outbox(&store, lease).await, ["1 c"]);
}

pub(crate) async fn an_outbox_has_no_gaps(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(new(1)).await.unwrap();
    for number in 1..=20 {
        let effects = (0..number % 4).map(|n| reply(&format!("{number}.{n}"))).collect();
        store.commit(lease, vec![message(number, effects)]).await.unwrap();
        if number % 5 == 0 {
            store.acknowledge(lease, number).await.unwrap();
        }
    }
    let waiting = store.read(lease, 0, usize::MAX, usize::MAX).await.unwrap();
    assert_eq!(waiting.iter().map(|message| message.number).collect::<Vec<_>>(), (21..=30).collect::<Vec<_>>());
    assert_eq!(lines(&waiting)[9], "30 19.2");
}

pub(crate) async fn payloads_come_back_as_they_were(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(new(1)).await.unwrap();
    let all: Vec<u8> = (0..=255).collect();
    let payloads = [
        Payload::binary(all),
        Payload::text("a"),
        Payload::binary(&b"a"[..]),
        Payload::text(""),
        Payload::binary(&b""[..]),
        Payload::text("\0 \r\n\" é 中 🦀"),
        Payload::binary(vec![0xAB; 100_000]),
    ];
    let room = "\0ro:om é {}\r\n";
    let mut effects = vec![join(room)];
    for payload in &payloads {
        effects.push(Effect::Reply(payload.clone()));
        let (room, payload) = (room.to_owned(), payload.clone());
        effects.push(Effect::Broadcast { room, payload, to_self: true, keep: true });
    }
    store.commit(lease, vec![message(1, effects)]).await.unwrap();
    let read = store.read(lease, 0, usize::MAX, usize::MAX).await.unwrap();
    let read: Vec<_> = read.into_iter().map(|message| message.payload).collect();
    assert_eq!(read.chunks(2).map(|two| two[0].clone()).collect::<Vec<_>>(), payloads);
    assert_eq!(read.chunks(2).map(|two| two[1].clone()).collect::<Vec<_>>(), payloads);
    let kept = store.history(room, None, 10).await.unwrap();
    assert_eq!(kept.into_iter().map(|past| past.payload).collect::<Vec<_>>(), payloads);
    assert_eq!(store.end(lease).await.unwrap().unwrap().rooms, [room]);
}

pub(crate) async fn a_read_keeps_to_its_limits(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(new(1)).await.unwrap();
    let many = (0..1_000).map(|n| reply(&format!("{n:04}"))).collect();
    store.commit(lease, vec![message(1, many)]).await.unwrap();
    let numbers = |read: Vec<Outgoing>| read.first().map(|first| (first.number, read.len()));
    for (after, most, bytes, expected) in [
        (0, usize::MAX, usize::MAX, Some((1, 1_000))),
        (0, 3, usize::MAX, Some((1, 3))),
        (997, 10, usize::MAX, Some((998, 3))),
        (10, usize::MAX, 8, Some((11, 2))),
        (10, usize::MAX, 9, Some((11, 3))),
        // One at least: whoever reads goes on.
        (10, usize::MAX, 0, Some((11, 1))),
        (10, usize::MAX, 2_001, Some((11, 501))),
        (10, 0, usize::MAX, None),
        (1_000, usize::MAX, usize::MAX, None),
    ] {
        let read = store.read(lease, after, most, bytes).await.unwrap();
        assert_eq!(numbers(read), expected, "{after} {most} {bytes}");
    }
}

pub(crate) async fn what_is_acknowledged_is_forgotten(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(new(1)).await.unwrap();
    store.commit(lease, vec![message(1, vec![reply("a"), reply("b"), reply("c")])]).await.unwrap();
    store.acknowledge(lease, 2).await.unwrap();
    assert_eq!(outbox(&store, lease).await, ["3 c"]);
    store.acknowledge(lease, 1).await.unwrap();
    assert_eq!(outbox(&store, lease).await, ["3 c"]);
    assert_eq!(store.totals().await.unwrap(), Totals { sessions: 1, outbox_messages: Some(1) });
}

pub(crate) async fn who_is_further_than_what_was_sent_is_told_that_it_is_lost(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(new(1)).await.unwrap();
    store.commit(lease, vec![message(1, vec![reply("a"), reply("b")])]).await.unwrap();
    store.acknowledge(lease, 1).await.unwrap();
    for beyond in [3, u64::MAX] {
        assert_eq!(store.acknowledge(lease, beyond).await, Err(LOST));
        assert_eq!(store.read(lease, beyond, 10, 10).await, Err(LOST));
    }
    assert_eq!(outbox(&store, lease).await, ["2 b"]);
    assert_eq!(store.read(lease, 2, 10, 10).await.unwrap(), []);
    store.acknowledge(lease, 2).await.unwrap();
    assert_eq!(store.read(lease, 3, 10, 10).await, Err(LOST));
}

pub(crate) async fn a_lease_that_was_never_given_is_of_a_session_that_is_lost(rig: &mut Rig) {
    let store = open(rig).await;
    let lease = store.create(new(1)).await.unwrap();
    let higher = Lease { epoch: lease.epoch + 1, ..lease };
    assert_eq!(store.read(higher, 0, 10, 10).await, Err(LOST));
    assert_eq!(store.acknowledge(higher, 0).await, Err(LOST));
    assert_eq!(store.commit(higher, vec![message(1, vec![reply("a")])]).await, Err(LOST));
    store.release(higher).await.unwrap();
    assert_eq!(store.end(higher).await.unwrap(), None);
    assert_eq!(outbox(&store, lease).await, [""; 0]);
}

pub(crate) async fn an_application_can_speak_without_a_message(rig: &mut Rig) {
    let store = open(rig).await;
    let leases = room(&store, "r", [1, 2]).await;
    store.apply(None, vec![say("r", "a"), reply("nobody"), join("r"), leave("r")]).await.unwrap();
    store.apply(Some(id(1)), vec![reply("b"), tell("r", "c"), leave("r"), say("r", "d")]).await.unwrap();
    assert_eq!(outbox(&store, leases[0]).await, ["1 a", "2 b"]);
    assert_eq!(outbox(&store, leases[1]).await, ["1 a", "2 c", "3 d"]);
    assert_eq!(past(&store.history("r", None, 10).await.unwrap()), ["1 a", "2 d"]);
    // It was no message of the client's.
    assert_eq!(resumed(store.claim(id(1), secret(1), 0).await.unwrap()).received, 1);
}

pub(crate) async fn changes_name_who_has_something_new(rig: &mut Rig) {
    let store = open(rig).await;
    let leases = room(&store, "r", [1, 2, 3]).await;
    let mut changes = store.changes();
    let mut others = store.changes();
    let of = |sessions: &[u16]| Change::Sessions(sessions.iter().map(|n| id(*n)).collect());

    store.commit(leases[0], vec![message(2, vec![])]).await.unwrap();
    store.commit(leases[0], vec![message(3, vec![reply("a")])]).await.unwrap();
    assert_eq!(changes.recv().await, Some(of(&[1])));
    store.commit(leases[0], vec![message(4, vec![tell("r", "a"), tell("r", "b")])]).await.unwrap();
    assert_eq!(changes.recv().await, Some(of(&[2, 3])));
    store.claim(id(2), secret(2), 0).await.unwrap();
    assert_eq!(changes.recv().await, Some(of(&[2])));
    store.end(leases[2]).await.unwrap();
    assert_eq!(changes.recv().await, Some(of(&[3])));
    rig.pass(TTL * 2).await;
    store.expire(10).await.unwrap();
    assert_eq!(changes.recv().await, Some(of(&[1, 2])));
    for expected in [of(&[1]), of(&[2, 3]), of(&[2]), of(&[3]), of(&[1, 2])] {
        assert_eq!(others.recv().await, Some(expected));
    }
}

pub(crate) async fn totals_count(rig: &mut Rig) {
    let store = open(rig).await;
    assert_eq!(store.totals().await.unwrap(), Totals { sessions: 0, outbox_messages: Some(0) });
    let leases = room(&store, "r", 0..5).await;
    store.commit(leases[0], vec![message(2, vec![say("r", "a"), reply("b")])]).await.unwrap();
    assert_eq!(store.totals().await.unwrap(), Totals { sessions: 5, outbox_messages: Some(6) });
    store.acknowledge(leases[0], 1).await.unwrap();
    store.end(leases[1]).await.unwrap();
    assert_eq!(store.totals().await.unwrap(), Totals { sessions: 4, outbox_messages: Some(4) });
}

pub(crate) async fn many_tasks_at_once_keep_each_session_s_order(rig: &mut Rig) {
    let store = open(rig).await;
    let leases = room(&store, "r", 0..8).await;
    let writers: Vec<_> = leases
        .iter()
        .enumerate()
        .map(|(n, lease)| {
            let (store, lease) = (std::sync::Arc::clone(&store), *lease);
            tokio::spawn(async move {
                for number in 2..=26 {
                    // Twice, as after a broken connection; and with a gap in between, which harms nobody.
                    let said =
                        message(number, vec![reply(&format!("own {number}")), say("r", &format!("{n} {number}"))]);
                    store.commit(lease, vec![said.clone()]).await.unwrap();
                    assert!(store.commit(lease, vec![message(number + 5, vec![reply("x")])]).await.is_err());
                    store.commit(lease, vec![said]).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let history = store.history("r", None, 1_000).await.unwrap();
    assert_eq!(history.len(), 8 * 25);
    assert!(history.windows(2).all(|two| two[0].number < two[1].number));
    let history: Vec<_> = history.iter().map(|past| text(&past.payload)).collect();
    for (n, lease) in leases.iter().enumerate() {
        let read = store.read(*lease, 0, usize::MAX, usize::MAX).await.unwrap();
        assert!((1..=225).eq(read.iter().map(|message| message.number)));
        // Everybody has the room's messages in the room's order, and one's own answers next to one's own messages.
        let texts: Vec<_> = read.iter().map(|message| text(&message.payload)).collect();
        let (own, all): (Vec<_>, Vec<_>) = texts.iter().cloned().partition(|text| text.starts_with("own"));
        assert_eq!(all, history);
        assert_eq!(own, (2..=26).map(|number| format!("own {number}")).collect::<Vec<_>>());
        for number in 2..=26 {
            let at = texts.iter().position(|text| *text == format!("own {number}")).unwrap();
            assert_eq!(texts[at + 1], format!("{n} {number}"));
        }
    }
}
