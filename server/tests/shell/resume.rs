//! What a session promises: nothing lost, nothing twice, in order, for whoever has its secret.

use crate::client::{End, resume, start};
use crate::server::{memory, serve_echo};
use redial_session::{EndReason, Frame, Outcome, Payload, Secret, close_code};

#[tokio::test]
async fn resuming_delivers_exactly_what_was_missed() {
    let server = serve_echo(memory()).await;
    let (mut first, welcome) = start(server.port).await;
    assert_eq!((welcome.outcome, welcome.received), (Outcome::New, 0));
    for (number, text) in (1..).zip(["a", "b", "c"]) {
        first.say(number, text).await;
    }
    for (number, text) in (1..).zip(["a", "b", "c"]) {
        assert_eq!(first.message().await, (number, text.to_owned()));
    }
    drop(first);

    let (mut second, resumed) = resume(server.port, welcome.id, welcome.secret, 1).await;
    assert_eq!((resumed.outcome, resumed.received), (Outcome::Resumed, 3));
    assert_eq!(second.message().await, (2, "b".to_owned()));
    assert_eq!(second.message().await, (3, "c".to_owned()));
    second.say(3, "c").await; // sent again: its acknowledgement was lost
    second.say(4, "d").await;
    assert_eq!(second.message().await, (4, "d".to_owned()));
}

#[tokio::test]
async fn a_session_is_taken_over_only_with_its_secret() {
    let server = serve_echo(memory()).await;
    let (mut first, welcome) = start(server.port).await;

    let wrong = Secret::from_bytes([0; 16]);
    let (_stranger, other) = resume(server.port, welcome.id, wrong, 0).await;
    assert_eq!(other.outcome, Outcome::Replaced);
    assert!(other.id != welcome.id);
    first.say(1, "still mine").await;
    assert_eq!(first.message().await, (1, "still mine".to_owned()));

    let (mut second, resumed) = resume(server.port, welcome.id, welcome.secret, 1).await;
    assert_eq!(resumed.outcome, Outcome::Resumed);
    assert_eq!(first.end().await, (Some(EndReason::Superseded), End::Closed(close_code::SUPERSEDED)));
    second.say(2, "mine now").await;
    assert_eq!(second.message().await, (2, "mine now".to_owned()));
}

#[tokio::test]
async fn a_session_that_its_client_ends_is_gone_and_its_messages_are_done() {
    let server = serve_echo(memory()).await;
    let (mut client, welcome) = start(server.port).await;
    client.say(1, "last words").await;
    client.send(Frame::End { reason: EndReason::Done }).await;
    let mut acknowledged = 0;
    let end = loop {
        match client.frame().await {
            Ok(Frame::Ack { received } | Frame::Message { received, .. }) => acknowledged = received,
            Ok(Frame::End { reason }) => assert_eq!(reason, EndReason::Done),
            Ok(other) => panic!("{other:?}"),
            Err(end) => break end,
        }
    };
    assert_eq!((acknowledged, end), (1, End::Closed(1000)));
    let (_, again) = resume(server.port, welcome.id, welcome.secret, 0).await;
    assert_eq!(again.outcome, Outcome::Replaced);
}

#[tokio::test]
async fn a_gap_is_told_and_can_be_mended() {
    let server = serve_echo(memory()).await;
    let (mut client, welcome) = start(server.port).await;
    client.say(2, "what about the first?").await;
    assert_eq!(client.end().await, (None, End::Closed(close_code::OUT_OF_STEP)));
    let (_, resumed) = resume(server.port, welcome.id, welcome.secret, 0).await;
    assert_eq!((resumed.outcome, resumed.received), (Outcome::Resumed, 0));
}

#[tokio::test]
async fn two_processes_over_one_store_share_rooms_and_sessions() {
    let store = memory();
    let join = |_: &redial_server::SessionInfo, payload: Payload| {
        vec![
            redial_server::Effect::Join("all".into()),
            redial_server::Effect::Broadcast { room: "all".into(), payload, to_self: true, keep: true },
        ]
    };
    let one = crate::server::serve(redial_server::Sessions::builder(store.clone(), join)).await;
    let two = crate::server::serve(redial_server::Sessions::builder(store, join)).await;
    let (mut ann, welcome) = start(one.port).await;
    let (mut bob, _) = start(two.port).await;
    bob.say(1, "I am here").await;
    assert_eq!(bob.message().await, (1, "I am here".to_owned()));
    ann.say(1, "hello").await;
    assert_eq!(ann.message().await, (1, "hello".to_owned()));
    assert_eq!(bob.message().await, (2, "hello".to_owned()));
    one.sessions.broadcast("all", Payload::text("from one")).await.unwrap();
    assert_eq!(bob.message().await, (3, "from one".to_owned()));

    let (mut moved, resumed) = resume(two.port, welcome.id, welcome.secret, 1).await;
    assert_eq!((resumed.outcome, resumed.received), (Outcome::Resumed, 1));
    assert_eq!(moved.message().await, (2, "from one".to_owned()));
    assert_eq!(ann.end().await, (Some(EndReason::Superseded), End::Closed(close_code::SUPERSEDED)));
}

#[tokio::test]
async fn a_connection_whose_session_is_gone_is_told_so() {
    let server = serve_echo(memory()).await;
    let (mut first, welcome) = start(server.port).await;
    // It claims to have what was never sent: such a session can't go on.
    let (_, replaced) = resume(server.port, welcome.id, welcome.secret, 5).await;
    assert_eq!(replaced.outcome, Outcome::Replaced);
    assert_eq!(first.end().await, (Some(EndReason::Gone), End::Closed(close_code::ENDED)));
}
