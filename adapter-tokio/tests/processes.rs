//! A server in a process of its own, so that killing, stopping and restarting it are real.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests
#![cfg(unix)]

mod common;

use common::{Client, accept, connect, echo, ms, quick};
use redial_tokio::{Cause, NetworkDetail, Notice};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// Where the child is to listen; only the child has it set.
const LISTEN: &str = "REDIAL_TEST_LISTEN";

/// The child's own life: an echo server. As a test it is nothing.
#[tokio::test]
async fn child() {
    let Ok(addr) = std::env::var(LISTEN) else { return };
    let listener = TcpListener::bind(addr).await.unwrap();
    println!("\nlistening on {}", listener.local_addr().unwrap());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async { echo(accept(stream).await).await });
    }
}

struct Process {
    child: Child,
    addr: SocketAddr,
}

impl Process {
    /// Runs this very test binary again, as the server.
    async fn start(addr: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(LISTEN, addr)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let addr = loop {
            let line = lines.next_line().await.unwrap().expect("the child says where it listens");
            if let Some(addr) = line.strip_prefix("listening on ") {
                break addr.parse().unwrap();
            }
        };
        Self { child, addr }
    }

    fn url(&self) -> String {
        format!("ws://{}/ws", self.addr)
    }

    async fn kill(mut self) {
        self.child.kill().await.unwrap(); // SIGKILL
    }

    async fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().await.unwrap().success());
    }
}

#[tokio::test]
async fn a_server_killed_and_restarted_on_the_same_port_is_found_again() {
    let server = Process::start("127.0.0.1:0").await;
    let addr = server.addr.to_string();
    let mut client = Client::new(connect(&server.url(), quick()));
    client.opened().await;
    client.send("before").await;
    assert_eq!(client.text().await, "before");

    server.kill().await;
    let cause = client.lost().await;
    assert!(matches!(cause, Cause::Close { code: 1006, .. } | Cause::Network { .. }), "{cause}");
    client.send("while away").await;
    for _ in 0..3 {
        assert_eq!(client.attempt_failed().await, Cause::network(NetworkDetail::Refused));
    }

    let _server = Process::start(&addr).await;
    client.opened().await;
    assert_eq!(client.text().await, "while away");
    client.send("after").await;
    assert_eq!(client.text().await, "after");
}

#[tokio::test]
async fn a_stopped_server_is_noticed_by_its_silence_and_found_again() {
    let server = Process::start("127.0.0.1:0").await;
    let policy = quick().health_check_interval(ms(30)).ping_timeout(ms(300)).connect_timeout(ms(200));
    let mut client = Client::new(connect(&server.url(), policy));
    let health = |notice: Notice| matches!(notice, Notice::HealthCheck { .. }).then_some(());
    client.notice("healthCheck", health).await;

    server.signal("-STOP").await;
    let begun = Instant::now();
    assert_eq!(client.lost().await, Cause::PingTimeout);
    // Not a moment longer than it must: a close handshake with the dead would take the whole close timeout.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    // The kernel still accepts for the stopped process; nobody answers the upgrade.
    assert_eq!(client.attempt_failed().await, Cause::Timeout);

    server.signal("-CONT").await;
    client.opened().await;
    client.notice("healthCheck", health).await;
}
