//! A Redis of the test's own.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use redial_server::store::{RedisStore, StoreSettings};

/// It listens on a socket in its own folder, and ends with the test.
pub(crate) struct RedisServer {
    folder: tempfile::TempDir,
    process: Option<Child>,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        let mut server = Self { folder: tempfile::tempdir().unwrap(), process: None };
        server.start_again();
        server
    }

    /// With what is on its disk.
    pub(crate) fn start_again(&mut self) {
        let spawned = Command::new("redis-server")
            .args(["--port", "0", "--unixsocket", "socket", "--save", "", "--appendonly", "yes"])
            .args(["--appendfsync", "always", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .spawn();
        self.process = Some(spawned.expect("redis-server is missing: sudo apt-get install redis-server"));
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// SIGSTOP: connections stay open, and nobody answers.
    pub(crate) fn stop(&mut self) {
        self.signal("-STOP");
    }

    /// SIGCONT.
    pub(crate) fn go_on(&mut self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("socket").display())
    }

    /// A process' store. It may have to wait until Redis is there.
    pub(crate) async fn store(&self, prefix: &str, settings: StoreSettings, clock: &Arc<AtomicU64>) -> RedisStore {
        let start = tokio::time::Instant::now();
        loop {
            match RedisStore::connect_with_clock(&self.url(), prefix, settings, Arc::clone(clock)).await {
                Ok(store) => return store,
                Err(error) if start.elapsed() > Duration::from_secs(30) => panic!("{error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
