//! The chat, as `docs/chat.md` has it.

use std::sync::Arc;

use redial_server::store::{Effect, MemoryStore, NewSession, SecretHash, SessionStore, StoreSettings};
use redial_session::{Frame, Payload};
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

#[tokio::test]
async fn no_answer_is_more_than_an_outbox_holds() {
    let settings = StoreSettings { outbox_bytes: 40_000, ..StoreSettings::default() };
    let server = serve_chat(Arc::new(MemoryStore::new(settings))).await;
    // What grows as it is written down, what fills a page by itself, and what does not.
    let binary = Payload::binary(vec![0; 9_000]);
    let medium = |n: u32| Payload::text(format!("{n}{}", "x".repeat(2_990)));
    server.sessions.broadcast("r", binary).await.unwrap();
    for n in 0..40 {
        server.sessions.broadcast("r", medium(n)).await.unwrap();
    }
    let (mut client, _) = start(server.port).await;
    let mut before = json!(null);
    let mut pages = Vec::new();
    for number in 1.. {
        say(&mut client, number, json!({"type":"history","room":"r","before":before,"limit":200})).await;
        let (received, page) = client.message().await;
        client.send(Frame::Ack { received }).await;
        let page = serde_json::from_str::<Value>(&page).unwrap()["messages"].clone();
        let page = page.as_array().unwrap();
        let Some(oldest) = page.first() else { break };
        before = oldest["number"].clone();
        assert!(page.iter().all(|past| past["message"].is_string() || past["number"] == 1), "{page:?}");
        pages.push(page.len());
    }
    assert_eq!(pages.iter().sum::<usize>(), 41);
    assert_eq!((pages[0], *pages.last().unwrap()), (3, 1));
    assert_eq!(before, 1);
}

#[tokio::test]
async fn a_full_room_s_members_are_no_more_than_an_outbox_holds() {
    let store = Arc::new(MemoryStore::new(StoreSettings { outbox_bytes: 8_000, ..StoreSettings::default() }));
    for n in 0..200 {
        let id = redial_session::SessionId::from_bytes([n; 16]);
        let new = NewSession { id, secret: SecretHash([n; 32]), user: None, alias: u64::from(n) };
        store.create(new).await.unwrap();
        store.apply(Some(id), vec![Effect::Join("r".into())]).await.unwrap();
    }
    let server = serve_chat(store).await;
    let (mut client, _) = start(server.port).await;
    say(&mut client, 1, json!({"type":"members","room":"r"})).await;
    let answer = told(&mut client).await;
    let shown = answer["members"].as_array().unwrap();
    assert!((20..50).contains(&shown.len()), "{}", shown.len());
    assert_eq!(shown[0]["alias"], "0".repeat(16));
    assert_eq!(answer["more"], 200 - shown.len());
}

fn answered(store: &Arc<dyn SessionStore>) -> redial_server::Builder {
    redial_server::Sessions::builder(Arc::clone(store), redial_server::Chat::new(Arc::clone(store)).with_answers())
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_in_pieces_to_the_asker_alone_and_outlives_its_connection() {
    let store = memory();
    let (door, _sessions) = crate::server::serve_pipe(answered(&store)).await;
    let (mut bob, _) = start(&door).await;
    say(&mut bob, 1, json!({"type":"join","room":"ai-assistant"})).await;
    assert_eq!(told(&mut bob).await["type"], "joined");
    let (mut ann, welcome) = start(&door).await;
    let question = json!({"type":"message","room":"ai-assistant","text":"Why?","id":"q1"});
    say(&mut ann, 1, question).await;
    let (_, echo) = ann.message().await;
    let echo: Value = serde_json::from_str(&echo).unwrap();
    assert_eq!((&echo["type"], &echo["text"], &echo["id"]), (&json!("message"), &json!("Why?"), &json!("q1")));
    let (received, first) = ann.message().await;
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&first["type"], &first["piece"], &first["last"]), (&json!("piece"), &json!(0), &json!(false)));
    assert_eq!((&first["id"], &first["alias"]), (&json!("q1"), &json!("assistant")));
    // Asked for again while it is under way, it doesn't come twice.
    say(&mut ann, 2, json!({"type":"continue","room":"ai-assistant","id":"q1","text":"Why?","from":0})).await;
    ann.until_acknowledged(2).await;
    drop(ann);

    let (mut ann, _) = crate::client::resume(&door, welcome.id, welcome.secret, received).await;
    let mut text = first["text"].as_str().unwrap().to_owned();
    for number in 1.. {
        let piece = told(&mut ann).await;
        assert_eq!((&piece["type"], &piece["piece"]), (&json!("piece"), &json!(number)));
        text.push_str(piece["text"].as_str().unwrap());
        if piece["last"] == true {
            break;
        }
    }
    assert!(text.starts_with("You asked: “Why?”.") && text.ends_with("worth the wait."), "{text}");

    // As after the death of the server: only what is missing.
    say(&mut ann, 3, json!({"type":"continue","room":"ai-assistant","id":"q1","text":"Why?","from":20})).await;
    assert_eq!(told(&mut ann).await["piece"], 20);
    // Nobody else has heard anything.
    say(&mut bob, 2, json!({"type":"who"})).await;
    assert_eq!(told(&mut bob).await["type"], "you");
    assert!(store.history("ai-assistant", None, 9).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn support_answers_a_keyword_and_too_many_questions_are_refused() {
    let store = memory();
    let (door, _sessions) = crate::server::serve_pipe(answered(&store)).await;
    let (mut ann, _) = start(&door).await;
    say(&mut ann, 1, json!({"type":"message","room":"support-chat","text":"My password?"})).await;
    assert_eq!(told(&mut ann).await["text"], "My password?");
    let answer = told(&mut ann).await;
    assert!(answer["text"].as_str().unwrap().contains("password") && answer["last"] == true, "{answer}");
    assert_eq!((&answer["alias"], &answer["id"]), (&json!("support"), &json!("")));

    for (number, id) in (2..).zip(["1", "2", "3", "4", "5"]) {
        say(&mut ann, number, json!({"type":"message","room":"ai-assistant","text":"?","id":id})).await;
    }
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    while kinds.values().sum::<usize>() < 5 {
        let told = told(&mut ann).await;
        if told["type"] != "piece" {
            *kinds.entry(told["type"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert_eq!((kinds["message"], kinds["error"]), (4, 1));
    let long = "x".repeat(65);
    say(&mut ann, 7, json!({"type":"continue","room":"support-chat","id":long,"text":"?","from":0})).await;
    loop {
        let told = told(&mut ann).await;
        if told["type"] == "error" {
            break assert_eq!(told["reason"], "an id has 64 bytes at most");
        }
    }
}

#[tokio::test]
async fn where_nobody_answers_a_room_of_that_name_is_a_room() {
    let server = serve_chat(memory()).await;
    let (mut ann, _) = start(server.port).await;
    say(&mut ann, 1, json!({"type":"continue","room":"ai-assistant","id":"q","text":"?","from":0})).await;
    assert_eq!(told(&mut ann).await, json!({"type":"error","reason":"nobody answers in this room"}));
    say(&mut ann, 2, json!({"type":"join","room":"ai-assistant"})).await;
    assert_eq!(told(&mut ann).await["type"], "joined");
    say(&mut ann, 3, json!({"type":"message","room":"ai-assistant","text":"?","id":"q"})).await;
    assert_eq!(told(&mut ann).await["id"], "q");
}
