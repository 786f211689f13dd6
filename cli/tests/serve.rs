//! `redial serve`, from the outside.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use std::net::TcpListener;

use common::{Plain, Server, redial, refused};
use serde_json::json;

#[test]
fn it_says_where_it_listens_and_how_it_is() {
    let mut server = Server::start(&[]);
    assert_eq!(server.store, "memory");
    let line = server.event("listening");
    assert!(line.contains(&server.address.to_string()) && line.contains("memory"), "{line}");
    let (status, _) = server.get("/health");
    assert_eq!((status, &server.health()["status"]), (200, &json!("ok")));
    assert!(server.get("/metrics").1.contains("# TYPE"));
    for path in ["/ws/chat/?session=a", "/ws/chat?session=b"] {
        assert_eq!(server.plain(path).count(&json!("x"))["count"], 1);
    }
}

#[test]
fn an_interrupt_ends_it_gracefully() {
    for signal in ["-INT", "-TERM"] {
        let mut server = Server::start(&["--spread", "0"]);
        let mut client = server.plain("/ws/chat/?session=a");
        assert_eq!(client.count(&json!("x"))["count"], 1);
        server.signal(signal);
        assert_eq!(client.closed(), 1012, "{signal}");
        assert_eq!(server.wait().code(), Some(0), "{signal}");
    }
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    let mut server = Server::start(&["--spread", "300"]);
    // One that answers nothing, not even a close frame, keeps the server from leaving.
    let _client = server.plain("/ws/chat/?session=a");
    server.event("listening");
    server.signal("-TERM");
    server.event("going away");
    server.signal("-TERM");
    server.event("connections that are cut: 1");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_path_is_a_file_s_name_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:chat.db?mode=memory"] {
        let server = Server::start_in(folder.path(), &["--store", &format!("sqlite:{name}")]);
        assert!(std::fs::metadata(folder.path().join(name)).unwrap().len() > 0, "{name}");
        drop(server);
    }
}

#[test]
fn sqlite_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("chat.db").display());
    let server = Server::start(&["--store", &store]);
    assert_eq!(server.store, "sqlite");
    let mut client = server.plain("/ws/chat/?session=a");
    for count in 1..=3 {
        assert_eq!(client.count(&json!(count))["count"], count);
    }
    let address = server.kill();
    let server = Server::start_at(&address.to_string(), &["--store", &store]);
    assert_eq!(server.plain("/ws/chat/?session=a").count(&json!("on"))["count"], 4);
}

#[test]
fn who_brings_no_token_of_the_file_is_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    std::fs::write(&file, "open-sesame ali\n\nanother\n").unwrap();
    let server = Server::start(&["--tokens", file.to_str().unwrap()]);
    let path = "/ws/chat/?session=a";
    assert_eq!(Plain::connect(server.address, path, &[]).err(), Some(401));
    assert_eq!(Plain::connect(server.address, path, &[("authorization", "Bearer ali")]).err(), Some(401));
    for token in ["Bearer open-sesame", "Bearer another"] {
        assert!(Plain::connect(server.address, path, &[("authorization", token)]).is_ok());
    }

    std::fs::write(&file, "\n").unwrap();
    refused(&["serve", "--tokens", file.to_str().unwrap()], 2, &["--tokens", "TOKEN"]);
    refused(&["serve", "--tokens", "/no/such/file"], 2, &["--tokens", "/no/such/file"]);
}

#[test]
fn pages_of_other_origins_are_turned_away() {
    let from =
        |server: &Server, origin| Plain::connect(server.address, "/ws/chat/?session=a", &[("origin", origin)]).err();
    let server = Server::start(&[]);
    let own = format!("http://{}", server.address);
    assert_eq!([from(&server, own.as_str()), from(&server, "https://a.example")], [None, Some(403)]);
    let server = Server::start(&["--origin", "https://a.example", "--origin", "https://b.example/"]);
    let answers = ["https://a.example", "https://b.example", "https://c.example"].map(|origin| from(&server, origin));
    assert_eq!(answers, [None, None, Some(403)]);
    let server = Server::start(&["--origin", "any"]);
    assert_eq!(from(&server, "https://c.example"), None);
}

#[test]
fn limits_hold_and_can_be_lifted() {
    let path = "/ws/chat/?session=a";
    let server = Server::start(&["--connections-per-address", "1"]);
    let first = server.plain(path);
    assert_eq!(Plain::connect(server.address, path, &[]).err(), Some(429));
    drop(first);

    let server = Server::start(&["--connects-per-minute", "2"]);
    let answers = [(); 3].map(|()| Plain::connect(server.address, path, &[]).err());
    assert_eq!(answers, [None, None, Some(429)]);
    let server = Server::start(&["--connects-per-minute", "none"]);
    // More than are allowed by default.
    assert!((0..400).all(|_| Plain::connect(server.address, path, &[]).is_ok()));
}

#[test]
fn bad_usage_is_one_line_that_says_what_is_allowed() {
    let stores = ["--store", "allowed: memory, sqlite:PATH, redis[s]://"];
    for store in ["", "disk", "sqlite:", "redis:", "redis://", "postgres://a"] {
        refused(&["serve", "--store", store], 2, &stores);
    }
    refused(&["serve", "--listen", "8080"], 2, &["--listen", "8080", "IP:PORT"]);
    refused(&["serve", "--ttl", "0"], 2, &["--ttl", "from 1 to 31536000"]);
    refused(&["serve", "--spread", "soon"], 2, &["--spread", "soon", "from 0 to 300"]);
    refused(&["serve", "--connections", "0"], 2, &["--connections", "allowed: none, or a whole number from 1"]);
    for origin in ["a.example", "https://", "https://a.example/page"] {
        refused(&["serve", "--origin", origin], 2, &["--origin", "SCHEME://HOST"]);
    }
    refused(&["serve", "--port", "1"], 2, &["--port", "--listen", "--store"]);
    refused(&["serve", "memory"], 2, &["'memory'"]);
}

#[test]
fn what_can_not_be_had_is_one_line_too() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(&["serve", "--listen", &address], 1, &["--listen", &address]);

    let free = ["serve", "--listen", "127.0.0.1:0", "--store"];
    let with = |store: &str, named: &[&str]| refused(&[&free[..], &[store]].concat(), 1, named);
    with("sqlite:/no/such/folder/chat.db", &["--store sqlite:/no/such/folder/chat.db: "]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.txt");
    std::fs::write(&file, "Dear Ms Ada, this is no database. ".repeat(100)).unwrap();
    with(&format!("sqlite:{}", file.display()), &["--store", "letter.txt"]);
    // Nobody listens there: the port was free a moment ago.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    with(&format!("redis://me:secret@{nobody}/"), &["--store redis://…@", &nobody.to_string()]);
    let output = redial(&[&free[..], &[&format!("redis://me:secret@{nobody}/")]].concat());
    assert!(!String::from_utf8(output.stderr).unwrap().contains("secret"));
}

#[test]
fn the_page_stands_in_nobodys_way() {
    let server = Server::start(&[]);
    let (status, page) = server.get("/");
    assert!(status == 200 && page.contains("<title>redial"), "{page}");
    assert_eq!(server.health()["status"], "ok");
    assert!(server.get("/metrics").1.ends_with("# EOF\n"));
    assert_eq!(server.get("/ws/chat/").0, 426);
    assert!(server.get("/rooms/r/history").1.contains("\"messages\""));
    assert_eq!(server.get("/page.json"), (200, r#"{"version":"0.1.0","chaosPort":null}"#.to_owned()));
    assert_eq!((server.get("/nothing").0, server.get("/chaos").0), (404, 404));
    assert_eq!(server.plain("/ws/chat/?session=p").count(&json!(1))["count"], 1);
}

#[test]
fn whoever_asks_only_for_the_head_gets_no_page() {
    use std::io::{Read, Write};
    let server = Server::start(&[]);
    let length = server.get("/").1.len();
    let mut stream = std::net::TcpStream::connect(server.address).unwrap();
    write!(stream, "HEAD / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.contains(&format!("content-length: {length}")), "{head}");
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    assert_eq!(body, "");
}

#[test]
fn a_network_to_break_is_there_only_if_asked_for() {
    let server = Server::start(&["--chaos", "127.0.0.1:0"]);
    let about: serde_json::Value = serde_json::from_str(&server.get("/page.json").1).unwrap();
    let port: u16 = about["chaosPort"].as_u64().unwrap().try_into().unwrap();
    let through = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let page = format!("http://{}", server.address);
    let mut client = Plain::connect(through, "/ws/chat/?session=p", &[("origin", &page)]).unwrap();
    assert_eq!(client.count(&json!(1))["count"], 1);
    assert!(server.get("/chaos").1.contains("live 1,"));
    let elsewhere = Plain::connect(through, "/ws/chat/", &[("origin", "http://elsewhere.example")]);
    assert_eq!(elsewhere.err(), Some(403));
}
