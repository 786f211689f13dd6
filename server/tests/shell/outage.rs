//! A store that goes away and comes back, and a process that dies at the worst moment.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redial_server::store::SessionStore;
use redial_server::{Chat, Payload, SessionInfo, Sessions};
use redial_session::{EndReason, Frame, Outcome};
use tokio::time::Instant;

use crate::client::{dial, resume, start};
use crate::faulty::FaultyStore;
use crate::server::{echo, serve_echo, serve_pipe};

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_clients_see_a_pause_and_lose_nothing() {
    let store = FaultyStore::new(Default::default());
    let (place, _sessions) = serve_pipe(Sessions::builder(store.clone(), echo)).await;
    let (mut client, _) = start(&place).await;
    let mut plain = dial(&place, "/ws/chat/?session=p", &[]).await.unwrap();
    client.say(1, "before").await;
    assert_eq!(client.message().await, (1, "before".to_owned()));

    store.set_down(true);
    for number in 2..=50 {
        client.say(number, &number.to_string()).await;
    }
    plain.text(r#"{"message":1}"#).await;
    store.asked.notified().await;
    for id in 1..=20 {
        client.send(Frame::Ping { id }).await;
        let answer = client.frame().await.unwrap();
        assert_eq!(answer, Frame::Pong { id }, "nothing may be acknowledged");
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    store.set_down(false);
    for number in 2..=50 {
        assert_eq!(client.message().await, (number, number.to_string()));
    }
    assert!(plain.next_text().await.contains(r#""count":1"#));
    client.say(51, "after").await;
    client.until_acknowledged(51).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_while_the_store_is_away_is_not_waited_for_for_long() {
    let store = FaultyStore::new(Default::default());
    let nothing = |_: &SessionInfo, _: Payload| Vec::new();
    let (place, sessions) = serve_pipe(Sessions::builder(store.clone(), nothing)).await;
    let (mut client, _) = start(&place).await;
    client.say(1, "its acknowledgement is owed").await;
    store.committed.notified().await;
    store.set_down(true);
    client.say(2, "it can't be committed").await;
    store.asked.notified().await;
    drop(client);
    let began = Instant::now();
    sessions.until_connections(0).await;
    // Five for the message, and five to say that the client is gone.
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn a_connection_that_dies_between_commit_and_acknowledgement_commits_once() {
    let store = FaultyStore::new(Default::default());
    let server = serve_echo(store.clone()).await;
    let (mut client, welcome) = start(server.port).await;
    store.swallow_commits.store(true, Ordering::SeqCst);
    client.say(1, "once").await;
    store.swallowed.notified().await;
    drop(client);
    store.swallow_commits.store(false, Ordering::SeqCst);

    let (mut client, resumed) = resume(server.port, welcome.id, welcome.secret, 0).await;
    assert_eq!((resumed.outcome, resumed.received), (Outcome::Resumed, 1));
    client.say(1, "once").await;
    client.say(2, "twice").await;
    assert_eq!(client.message().await, (1, "once".to_owned()));
    assert_eq!(client.message().await, (2, "twice".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_no_more_does_not_keep_other_sessions_from_their_end() {
    let store = FaultyStore::new(Default::default());
    let shared: Arc<dyn SessionStore> = store.clone();
    let (place, sessions) = serve_pipe(Sessions::builder(Arc::clone(&shared), Chat::new(shared))).await;
    let leave = async || {
        let (mut client, _) = start(&place).await;
        client.say(1, r#"{"type":"join","room":"r"}"#).await;
        client.until_acknowledged(1).await;
        drop(client);
        sessions.until_connections(0).await;
    };
    leave().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    leave().await;
    store.refuse_applies.store(true, Ordering::SeqCst);
    // Nobody hears that they left.
    tokio::time::sleep(Duration::from_secs(2 * 300)).await;
    assert_eq!(store.totals().await.unwrap().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn who_is_told_that_a_session_has_ended_finds_it_gone() {
    let store = FaultyStore::new(Default::default());
    let (place, _sessions) = serve_pipe(Sessions::builder(store.clone(), echo)).await;
    let (mut client, _) = start(&place).await;
    store.set_down(true);
    client.send(Frame::End { reason: EndReason::Done }).await;
    store.asked.notified().await;
    assert!(tokio::time::timeout(Duration::from_secs(1), client.frame()).await.is_err());
    store.set_down(false);
    assert_eq!(client.frame().await, Ok(Frame::End { reason: EndReason::Done }));
    assert_eq!(store.totals().await.unwrap().sessions, 0);
}
