//! What the server says of itself.

use serde_json::Value;

use crate::client::{resume, start};
use crate::faulty::FaultyStore;
use crate::server::{get, memory, serve_echo};

#[tokio::test]
async fn health_says_how_the_store_is_and_how_many_there_are() {
    let store = FaultyStore::new(Default::default());
    let server = serve_echo(store.clone()).await;
    let (_client, _) = start(server.port).await;
    let health = async || {
        let (status, _, body) = get(server.port, "/health", "").await;
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    let (status, body) = health().await;
    assert_eq!((status, &body["status"], &body["store"]), (200, &"ok".into(), &"ok".into()));
    assert_eq!((&body["sessions"], &body["connections"]), (&1.into(), &1.into()));
    assert_eq!((&body["draining"], body["version"].is_string()), (&false.into(), true));
    store.set_down(true);
    let (status, body) = health().await;
    assert_eq!((status, &body["status"], &body["store"]), (503, &"store down".into(), &"down".into()));
    assert!(body["sessions"].is_null());
}

/// The samples: name with labels, and value.
fn samples(text: &str) -> Vec<(&str, f64)> {
    assert!(text.ends_with("# EOF\n"));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').map(|(name, value)| (name, value.parse().unwrap())).unwrap()).collect()
}

#[tokio::test]
async fn metrics_count_what_happens() {
    let server = serve_echo(memory()).await;
    let (mut client, welcome) = start(server.port).await;
    for number in 1..=3 {
        client.say(number, "x").await;
        client.message().await;
    }
    let (_second, _) = resume(server.port, welcome.id, welcome.secret, 3).await;
    client.end().await; // superseded
    server.sessions.until_connections(1).await;
    let (status, head, body) = get(server.port, "/metrics", "").await;
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/openmetrics-text"));
    let samples = samples(&body);
    let value = |name: &str| samples.iter().find(|(sample, _)| *sample == name).map(|(_, value)| *value);
    assert_eq!(value("redial_connections"), Some(1.0));
    assert_eq!(value("redial_sessions"), Some(1.0));
    assert_eq!(value("redial_messages_in_total"), Some(3.0));
    assert_eq!(value("redial_messages_out_total"), Some(3.0));
    assert_eq!(value(r#"redial_sessions_opened_total{outcome="new"}"#), Some(1.0));
    assert_eq!(value(r#"redial_sessions_opened_total{outcome="resumed"}"#), Some(1.0));
    assert_eq!(value(r#"redial_refusals_total{reason="superseded"}"#), Some(1.0));
    assert_eq!(value("redial_commit_seconds_count"), Some(3.0));
    assert_eq!(value("redial_store_errors_total"), Some(0.0));
}
