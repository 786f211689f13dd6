//! Clients that know no subprotocol.

use crate::client::dial;
use crate::server::{memory, serve_echo};
use serde_json::{Value, json};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn json_messages_are_counted_and_the_count_goes_on_after_a_reconnect() {
    let server = serve_echo(memory()).await;
    for path in ["/ws/chat/?session=s-1", "/ws/chat?session=s-2"] {
        let session = path.split_once('=').unwrap().1;
        let mut client = dial(server.port, path, &[]).await.unwrap();
        for count in 1..=3 {
            let answer = parsed(&client.ask(r#"{"message":{"any":["thing",1]}}"#).await);
            assert_eq!(answer, json!({ "session": session, "count": count, "message": { "any": ["thing", 1] } }));
        }
        drop(client);
        let mut again = dial(server.port, path, &[]).await.unwrap();
        assert_eq!(parsed(&again.ask(r#"{"message":"back"}"#).await)["count"], 4);
    }
}

#[tokio::test]
async fn what_is_no_json_message_is_answered_as_plain_text_and_not_counted() {
    let server = serve_echo(memory()).await;
    let mut client = dial(server.port, "/ws/chat/?session=x", &[]).await.unwrap();
    for text in ["hello", "{", "[1]", "{\"other\":1}", "", "\"message\""] {
        let answer = client.ask(text).await;
        assert_eq!(answer, format!("Echo: {text}"));
    }
    assert_eq!(parsed(&client.ask(r#"{"message":null}"#).await)["count"], 1);
}

#[tokio::test]
async fn who_brings_no_session_gets_one_of_their_own_and_one_that_is_too_long_is_refused() {
    let server = serve_echo(memory()).await;
    let mut first = dial(server.port, "/ws/chat/", &[]).await.unwrap();
    let mut second = dial(server.port, "/ws/chat/", &[]).await.unwrap();
    let (one, two) = (first.ask(r#"{"message":1}"#).await, second.ask(r#"{"message":1}"#).await);
    assert_eq!(parsed(&two)["count"], 1);
    assert_ne!(parsed(&one)["session"], parsed(&two)["session"]);

    let longest = format!("/ws/chat/?session={}", "%C3%A4".repeat(128));
    assert!(dial(server.port, &longest, &[]).await.is_ok());
    let longer = format!("/ws/chat/?session={}", "x".repeat(129));
    let answer = dial(server.port, &longer, &[]).await.err().unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.body().as_deref(), Some(&b"session: 1 to 128 characters"[..]));
}
