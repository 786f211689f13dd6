//! Who is turned away before the upgrade, and with what status.

use redial_server::{Limits, Origins, Sessions, TokenRefused};
use redial_session::{Frame, Outcome};

use crate::client::{Answer, dial, offer, start};
use crate::faulty::FaultyStore;
use crate::server::{echo, get, memory, serve, serve_echo};

fn refused<T>(answer: Result<T, Answer>) -> (u16, Option<u64>) {
    let answer = answer.err().expect("it was let in");
    let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
    (answer.status().as_u16(), retry_after)
}

async fn limited(limits: Limits) -> u16 {
    serve(Sessions::builder(memory(), echo).limits(limits)).await.port
}

#[tokio::test]
async fn an_address_has_so_many_connections_at_a_time() {
    let port = limited(Limits { connections_per_address: Some(2), ..Limits::default() }).await;
    let (_one, _) = start(port).await;
    let two = dial(port, "/ws/chat/?session=x", &[]).await.unwrap();
    assert_eq!(refused(offer(port).await), (429, Some(10)));
    drop(two);
}

#[tokio::test]
async fn an_address_connects_so_often_in_a_minute() {
    let port = limited(Limits { connects_per_minute: Some(3), ..Limits::default() }).await;
    for _ in 0..3 {
        drop(offer(port).await.unwrap());
    }
    let (status, retry_after) = refused(offer(port).await);
    assert_eq!(status, 429);
    assert!((19..=20).contains(&retry_after.unwrap()), "{retry_after:?}");
}

#[tokio::test]
async fn there_are_so_many_connections_in_all() {
    let port = limited(Limits { connections: Some(1), ..Limits::default() }).await;
    let (_one, _) = start(port).await;
    assert_eq!(refused(offer(port).await), (503, Some(5)));
}

#[tokio::test]
async fn a_page_of_another_origin_is_kept_out() {
    let port = serve_echo(memory()).await.port;
    let protocol = ("sec-websocket-protocol", "redial.v1");
    let from = async |origin| dial(port, "/ws/chat/", &[protocol, ("origin", origin)]).await;
    assert_eq!(refused(from("https://evil.example").await), (403, None));
    assert!(from("https://chat.example").await.is_ok());

    let these = Origins::These(vec!["https://app.example".into()]);
    let strict = serve(Sessions::builder(memory(), echo).origins(these).require_origin()).await;
    let to_strict = async |origin| dial(strict.port, "/ws/chat/", &[("origin", origin)]).await;
    assert!(to_strict("https://app.example").await.is_ok());
    assert_eq!(refused(to_strict("https://chat.example").await), (403, None));
    assert_eq!(refused(offer(strict.port).await), (403, None));
}

#[tokio::test]
async fn a_token_says_whose_session_it_is_and_another_user_cannot_resume_it() {
    let check = |token: String| async move {
        match token.as_str() {
            "ann" | "bob" => Ok(Some(token)),
            "eve" => Err(TokenRefused::Forbidden),
            _ => Err(TokenRefused::Invalid),
        }
    };
    let server = serve(Sessions::builder(memory(), echo).bearer(check)).await;
    let port = server.port;
    let protocol = ("sec-websocket-protocol", "redial.v1");
    assert_eq!(refused(offer(port).await), (401, None));
    assert_eq!(refused(dial(port, "/ws/chat/", &[protocol, ("authorization", "Bearer x")]).await), (401, None));
    assert_eq!(refused(dial(port, "/ws/chat/?token=eve", &[protocol]).await), (403, None));

    let mut ann = dial(port, "/ws/chat/", &[protocol, ("authorization", "Bearer ann")]).await.unwrap();
    ann.send(Frame::Start).await;
    let welcome = ann.welcome().await;
    let resume = Frame::Resume { id: welcome.id, secret: welcome.secret, received: 0 };
    let mut bob = dial(port, "/ws/chat/", &[("sec-websocket-protocol", "redial.v1, bearer.bob")]).await.unwrap();
    bob.send(resume.clone()).await;
    assert_eq!(bob.welcome().await.outcome, Outcome::Replaced);
    let mut again = dial(port, "/ws/chat/?token=ann", &[protocol]).await.unwrap();
    again.send(resume).await;
    assert_eq!(again.welcome().await.outcome, Outcome::Resumed);

    let (status, head, _) = get(port, "/rooms/r/members", "").await;
    assert_eq!(status, 401);
    assert!(head.contains("www-authenticate: bearer"));
    assert_eq!(get(port, "/rooms/r/members", "Authorization: Bearer ann\r\n").await.0, 200);
    assert_eq!(get(port, "/health", "").await.0, 200);
}

#[tokio::test]
async fn while_the_store_is_known_to_be_down_clients_are_asked_to_come_back() {
    let store = FaultyStore::new(Default::default());
    let port = serve_echo(store.clone()).await.port;
    store.set_down(true);
    assert_eq!(get(port, "/health", "").await.0, 503);
    assert_eq!(refused(offer(port).await), (503, Some(2)));
    store.set_down(false);
    assert_eq!(get(port, "/health", "").await.0, 200);
    assert!(offer(port).await.is_ok());
}

#[tokio::test]
async fn limits_by_address_need_addresses() {
    let sessions = Sessions::builder(memory(), echo).build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(axum::serve(listener, sessions.router()).into_future());
    assert_eq!(refused(offer(port).await), (500, None));
}

#[tokio::test]
async fn what_asks_for_no_websocket_is_told_what_is_here() {
    let port = serve_echo(memory()).await.port;
    assert_eq!(get(port, "/ws/chat/", "").await.0, 426);
    let own = Sessions::builder(memory(), echo).build();
    let app = axum::Router::new().route("/live", own.handler());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let service = app.into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(axum::serve(listener, service).into_future());
    assert_eq!(refused(dial(port, "/live", &[]).await), (400, None));
    assert!(dial(port, "/live", &[("sec-websocket-protocol", "other, redial.v1")]).await.is_ok());
}

#[tokio::test]
async fn behind_a_proxy_clients_are_who_it_says_they_are() {
    let limits = Limits { connections_per_address: Some(1), ..Limits::default() };
    let port = serve(Sessions::builder(memory(), echo).limits(limits).behind_proxy()).await.port;
    let from = async |hops| dial(port, "/ws/chat/", &[("x-forwarded-for", hops)]).await;
    let _one = from("192.0.2.1").await.unwrap();
    let _two = from("192.0.2.1, 192.0.2.2").await.unwrap();
    assert_eq!(refused(from("192.0.2.3, 192.0.2.1").await), (429, Some(10)));
}
