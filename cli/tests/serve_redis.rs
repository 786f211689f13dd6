//! `redial serve`, twice, on one real Redis.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use common::Server;
use common::client::Client;
use serde_json::json;

/// A redis-server on a socket in a folder of its own, killed at the end.
struct Redis {
    process: Child,
    folder: tempfile::TempDir,
}

impl Redis {
    fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), &["--unixsocket", "redis.sock"])
    }

    fn start_in(folder: tempfile::TempDir, args: &[&str]) -> Self {
        let mut process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--dir", "."])
            .args(args)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server is installed");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("eady to accept connections")), "redis-server starts");
        Self { process, folder }
    }

    fn store(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("redis.sock").display())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn what_began_with_one_server_goes_on_with_the_other() {
    let redis = Redis::start();
    let store = redis.store();
    let [one, two] = [(); 2].map(|()| Server::start(&["--store", &store]));
    assert_eq!((one.store.as_str(), two.store.as_str()), ("redis", "redis"));
    let path = "/ws/chat/?session=a";
    assert_eq!([&one, &two, &one].map(|server| server.plain(path).count(&json!("x"))["count"].clone()), [1, 2, 3]);

    let urls = [one.url("/ws/chat/"), two.url("/ws/chat/")];
    let mut client = Client::start(&urls, &["--set", "maxAttempts=none"]);
    client.event("session started");
    client.say("to the one");
    assert_eq!(client.message(), "to the one");
    one.kill();
    client.event("lost after");
    client.say("to whoever lives");
    client.event("session resumed");
    assert_eq!(client.message(), "to whoever lives");
    client.say("/quit");
    assert!(client.end().0.success());
    assert_eq!(two.health()["sessions"], 0);
}

#[test]
fn redis_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["localhost".to_owned()];
    let rcgen::CertifiedKey { cert, key_pair } = rcgen::generate_simple_self_signed(names).unwrap();
    std::fs::write(folder.path().join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(folder.path().join("key.pem"), key_pair.serialize_pem()).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let tls = ["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-auth-clients", "no", "--tls-port"];
    let redis = Redis::start_in(folder, &[&tls[..], &[&port.to_string()]].concat());
    let store = format!("rediss://localhost:{port}");

    let stranger = Command::new(env!("CARGO_BIN_EXE_redial")).args(["serve", "--store", &store]).output().unwrap();
    assert_eq!(stranger.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&stranger.stderr).contains("certificate"), "{stranger:?}");
    let server = Server::start_trusting(&redis.folder.path().join("cert.pem"), &["--store", &store]);
    assert_eq!(server.plain("/ws/chat/?session=a").count(&json!("x"))["count"], 1);
}
