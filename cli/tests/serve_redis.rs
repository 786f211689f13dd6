//! `redial serve`, twice, on one real Redis.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use std::io::{BufRead, BufReader};
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
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--unixsocket", "redis.sock", "--dir", "."])
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
