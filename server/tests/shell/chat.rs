//! The chat, as `docs/chat.md` has it.

use serde_json::{Value, json};

use crate::client::{Client, start};
use crate::server::{get, memory, serve_chat};

async fn told(client: &mut Client) -> Value {
    serde_json::from_str(&client.message().await.1).unwrap()
}

async fn say(client: &mut Client, number: u64, asked: Value) {
    client.say(number, &asked.to_string()).await;
}

#[tokio::test]
async fn a_room_hears_who_comes_what_is_said_and_who_goes() {
    let server = serve_chat(memory()).await;
    let (mut ann, _) = start(server.port).await;
    let (mut bob, _) = start(server.port).await;
    say(&mut ann, 1, json!({"type":"who"})).await;
    let me = told(&mut ann).await["you"]["alias"].clone();
    assert_eq!(me.as_str().unwrap().len(), 16);

    say(&mut ann, 2, json!({"type":"join","room":"r"})).await;
    assert_eq!(told(&mut ann).await, json!({"type":"joined","room":"r","alias":me,"user":null}));
    say(&mut bob, 1, json!({"type":"join","room":"r"})).await;
    assert_eq!(told(&mut bob).await["type"], "joined");
    let bobs = told(&mut ann).await["alias"].clone();
    assert_ne!(bobs, me);

    for (number, text) in (3..).zip(["one", "two", "three"]) {
        say(&mut ann, number, json!({"type":"message","room":"r","text":text})).await;
        let message = told(&mut ann).await;
        assert_eq!(message, told(&mut bob).await);
        assert_eq!((&message["type"], &message["text"], &message["alias"]), (&json!("message"), &json!(text), &me));
        assert!(message["at"].as_u64().unwrap() > 1_700_000_000_000);
    }
    say(&mut ann, 6, json!({"type":"typing","room":"r"})).await;
    say(&mut ann, 7, json!({"type":"read","room":"r","number":2})).await;
    assert_eq!(told(&mut bob).await, json!({"type":"typing","room":"r","alias":me,"user":null}));
    assert_eq!(told(&mut bob).await, json!({"type":"read","room":"r","alias":me,"user":null,"number":2}));

    say(&mut bob, 2, json!({"type":"history","room":"r","limit":2})).await;
    let page = told(&mut bob).await;
    let texts = |page: &Value| -> Vec<String> {
        let messages = page["messages"].as_array().unwrap().iter();
        messages.map(|past| past["message"]["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&page), ["two", "three"]);
    let before = page["messages"][0]["number"].clone();
    let (status, _, body) = get(server.port, &format!("/rooms/r/history?before={before}&limit=9"), "").await;
    assert_eq!((status, texts(&serde_json::from_str(&body).unwrap())), (200, vec!["one".to_owned()]));

    say(&mut bob, 3, json!({"type":"members","room":"r"})).await;
    let members = told(&mut bob).await["members"].clone();
    let member = |alias: &Value| json!({"alias":alias,"user":null,"connected":true});
    assert_eq!(members, json!([member(&me), member(&bobs)]));
    let (_, _, body) = get(server.port, "/rooms/r/members", "").await;
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["members"], members);

    bob.send(redial_session::Frame::End { reason: redial_session::EndReason::Done }).await;
    assert_eq!(told(&mut ann).await, json!({"type":"left","room":"r","alias":bobs,"user":null}));
    say(&mut ann, 8, json!({"type":"leave","room":"r"})).await;
    assert_eq!(told(&mut ann).await["type"], "left");
}

#[tokio::test]
async fn what_is_not_the_chats_comes_back_and_what_is_wrong_is_an_answer() {
    let server = serve_chat(memory()).await;
    let (mut client, _) = start(server.port).await;
    for (number, text) in (1..).zip(["hello", "{", r#"{"message":1}"#, "[]", ""]) {
        client.say(number, text).await;
        assert_eq!(client.message().await.1, text);
    }
    for (number, wrong) in (6..).zip([
        json!({"type":"dance"}),
        json!({"type":"join"}),
        json!({"type":"join","room":""}),
        json!({"type":"join","room":"r".repeat(129)}),
    ]) {
        say(&mut client, number, wrong).await;
        assert_eq!(told(&mut client).await["type"], "error");
    }
}
