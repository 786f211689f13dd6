//! The page over HTTP, without a socket.

use std::net::{Ipv4Addr, SocketAddr};

use axum::body::{Body, to_bytes};
use axum::http::HeaderMap;
use tokio::task::JoinSet;
use tower_service::Service;

use super::*;
use crate::chaos::Proxy;

const BUILT: Files = Files(&[
    ("assets/index-Ab12.js", b"js"),
    ("assets/logo.svg", b"svg"),
    ("favicon.ico", b"icon"),
    ("index.html", b"the page"),
]);

async fn ask(router: &Router, method: Method, path: &str, mark: bool, body: &str) -> (u16, HeaderMap, String) {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost:1");
    if mark {
        request = request.header("x-redial-chaos", "1");
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = router.clone().call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

async fn get(router: &Router, path: &str) -> (u16, HeaderMap, String) {
    ask(router, Method::GET, path, false, "").await
}

#[tokio::test]
async fn each_file_has_its_type_and_its_time() {
    let router = serving(BUILT, None);
    for (path, body, kind, cache) in [
        ("/", "the page", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "the page", "text/html; charset=utf-8", "no-cache"),
        ("/?a=b", "the page", "text/html; charset=utf-8", "no-cache"),
        ("/assets/index-Ab12.js", "js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/assets/logo.svg", "svg", "image/svg+xml", "public, max-age=31536000, immutable"),
        ("/favicon.ico", "icon", "image/x-icon", "no-cache"),
    ] {
        let (status, headers, text) = get(&router, path).await;
        assert_eq!((status, text.as_str()), (200, body), "{path}");
        assert!(headers["content-type"] == kind && headers["cache-control"] == cache, "{path}: {headers:?}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("connect-src 'self' ws://localhost:1 wss://localhost:1;"), "{policy}");
    }
}

#[tokio::test]
async fn nothing_else_is_there() {
    let router = serving(BUILT, None);
    for path in ["/nothing", "/assets", "/assets/", "/assets/../index.html", "//index.html", "/INDEX.HTML", "/chaos"] {
        assert_eq!(get(&router, path).await.0, 404, "{path}");
    }
    let (status, headers, _) = ask(&router, Method::POST, "/", false, "").await;
    assert!(status == 405 && headers["allow"] == "GET, HEAD", "{headers:?}");
    assert_eq!(ask(&router, Method::POST, "/chaos", true, "drop").await.0, 404);
    assert_eq!(get(&router, "/page.json").await.2, r#"{"version":"0.1.0","chaosPort":null}"#);
}

#[tokio::test]
async fn what_was_not_built_says_how_to_build_it() {
    let router = serving(Files(&[]), None);
    let (status, headers, text) = get(&router, "/").await;
    assert!(status == 200 && headers["content-type"] == "text/html; charset=utf-8", "{headers:?}");
    assert!(text.contains("npm --prefix web run build"), "{text}");
    assert_eq!(get(&router, "/assets/index-Ab12.js").await.0, 404);
}

#[test]
fn the_files_of_this_build_are_a_page_or_none() {
    let index = Files::BUILT.find("/").unwrap();
    assert_eq!(index.kind(), "text/html; charset=utf-8");
    assert!(Files::BUILT.0.is_empty() || Files::BUILT.0.iter().any(|(name, _)| name.starts_with("assets/")));
    assert!(Files::BUILT.0.iter().all(|(name, _)| !name.starts_with('.')));
}

#[tokio::test]
async fn the_page_alone_drives_the_faulty_network() {
    let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
    let proxy = Proxy::bind(any, any).unwrap();
    let faulty = Faulty { control: proxy.control(), address: proxy.local_addr() };
    let port = faulty.address.port();
    let mut network = JoinSet::new();
    network.spawn(async { match proxy.run().await {} });
    let router = serving(BUILT, Some(faulty));

    assert_eq!(get(&router, "/page.json").await.2, format!(r#"{{"version":"0.1.0","chaosPort":{port}}}"#));
    let (_, headers, _) = get(&router, "/").await;
    assert!(headers["content-security-policy"].to_str().unwrap().contains(&format!(" ws://localhost:{port};")));
    let post = |mark, line| ask(&router, Method::POST, "/chaos", mark, line);
    let (status, _, text) = post(true, "refuse on").await;
    assert_eq!((status, text.as_str()), (200, "ok"));
    let (status, _, text) = get(&router, "/chaos").await;
    assert!(status == 200 && text.contains(", refuse on;"), "{text}");
    assert_eq!(post(false, "heal").await.0, 403);
    assert_eq!(post(true, "upstream 127.0.0.1:1").await.0, 403);
    assert!(get(&router, "/chaos").await.2.contains(", refuse on;"), "nothing has changed");
    let (status, _, text) = post(true, "explode").await;
    assert!(status == 400 && text.contains("allowed is"), "{text}");
    network.shutdown().await;
    assert_eq!(post(true, "heal").await.0, 503);
}
