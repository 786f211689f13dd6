//! Processes that a test starts, kills and starts again.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::application::Setup;

/// How long a process may take to start.
const STARTING: Duration = Duration::from_secs(20);

/// A port that nobody listens on, below those that the system gives to clients: it must stay free while its server is down.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Others that run these tests at the same time have other ports.
    let first = u16::try_from(std::process::id() % 280 * 64).unwrap();
    loop {
        let port = 12_000 + first + NEXT.fetch_add(1, Ordering::Relaxed) % 64;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A server of the tests' application.
pub(crate) struct ServerProcess {
    pub(crate) setup: Setup,
    child: Child,
}

impl ServerProcess {
    pub(crate) async fn start(setup: Setup) -> Self {
        let child = Self::spawn(&setup).await;
        Self { setup, child }
    }

    async fn spawn(setup: &Setup) -> Child {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "application::server_process"])
            .envs(setup.variables())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line == "listening" {
                    return true;
                }
            }
            false
        };
        let listens = tokio::time::timeout(STARTING, listening).await.expect("the server takes too long to start");
        assert!(listens, "the server ended before it listened");
        child
    }

    /// SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        self.child = Self::spawn(&self.setup).await;
    }

    /// SIGSTOP: its sockets stay open, and nobody is at home.
    pub(crate) async fn freeze(&self) {
        signal(&self.child, "-STOP").await;
    }

    /// SIGCONT.
    pub(crate) async fn thaw(&self) {
        signal(&self.child, "-CONT").await;
    }

    /// The most memory that it ever had, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        peak_memory(self.child.id().unwrap())
    }
}

/// The most memory that a process ever had, in bytes.
pub(crate) fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Debian's redis-server, every write on the disk before it is answered.
pub(crate) struct Redis {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        let mut redis = Self { folder: tempfile::tempdir().unwrap(), port: free_port(), child: None };
        redis.start_again().await;
        redis
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// With what is on its disk. Waits until it answers.
    pub(crate) async fn start_again(&mut self) {
        self.mend().await;
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"])
            .args(["--appendfsync", "always", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server is missing: sudo apt-get install redis-server");
        self.child = Some(child);
        let answers = async {
            while !self.pings().await {
                let ended = self.child.as_mut().unwrap().try_wait().unwrap();
                assert!(ended.is_none(), "redis-server ended: {ended:?}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(STARTING, answers).await.expect("redis-server takes too long to start");
    }

    /// As the documentation of the store says: Redis by itself leaves the beginning of a torn transaction in its file.
    async fn mend(&self) {
        let manifest = self.file("appendonly.aof.manifest");
        if !manifest.exists() {
            return;
        }
        let mut check = Command::new("redis-check-aof")
            .arg("--fix")
            .arg(manifest)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-check-aof is missing: sudo apt-get install redis-tools");
        // It asks nothing if nothing is torn, and may have ended by now.
        let _ = check.stdin.take().unwrap().write_all(b"y\n").await;
        let ended = tokio::time::timeout(STARTING, check.wait()).await.expect("redis-check-aof takes too long");
        assert!(ended.unwrap().success());
    }

    /// A file of those that it appends to.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("appendonlydir").join(name)
    }

    async fn pings(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)).await else { return false };
        let mut answer = [0; 7];
        stream.write_all(b"PING\r\n").await.is_ok()
            && stream.read_exact(&mut answer).await.is_ok()
            && &answer == b"+PONG\r\n"
    }

    /// SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    /// SIGTERM: it writes what it has to write.
    pub(crate) async fn stop(&mut self) {
        terminate(self.child.take().unwrap()).await;
    }
}

/// Debian's nginx in front of servers.
pub(crate) struct Nginx {
    pub(crate) port: u16,
    child: Option<Child>,
    _folder: TempDir,
}

impl Nginx {
    pub(crate) async fn start(servers: &[u16]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        std::fs::write(folder.path().join("nginx.conf"), configuration(port, servers)).unwrap();
        let child = spawn_nginx(folder.path());
        let listens = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(STARTING, listens).await.expect("nginx takes too long to start");
        Self { port, child: Some(child), _folder: folder }
    }

    pub(crate) async fn stop(mut self) {
        terminate(self.child.take().unwrap()).await;
    }
}

fn spawn_nginx(folder: &Path) -> Child {
    // Debian has it where only root looks.
    let spawn = |program: &str| {
        Command::new(program)
            .arg("-p")
            .arg(folder)
            .args(["-e", "stderr", "-c", "nginx.conf"])
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
    };
    spawn("nginx").or_else(|_| spawn("/usr/sbin/nginx")).expect("nginx is missing: sudo apt-get install nginx")
}

/// One process, so that a test that fails leaves nothing behind when it kills it.
fn configuration(port: u16, servers: &[u16]) -> String {
    let servers: String = servers.iter().map(|server| format!("server 127.0.0.1:{server} max_fails=0; ")).collect();
    format!(
        "daemon off;
        master_process off;
        pid nginx.pid;
        error_log stderr crit;
        events {{ worker_connections 512; }}
        http {{
            access_log off;
            client_body_temp_path body;
            proxy_temp_path proxy;
            fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi;
            scgi_temp_path scgi;
            upstream servers {{
                {servers}
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://servers;
                    proxy_http_version 1.1;
                    proxy_set_header Host $host;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection upgrade;
                    proxy_set_header X-Forwarded-For $remote_addr;
                    proxy_next_upstream error timeout http_502 http_503;
                    proxy_connect_timeout 2s;
                    proxy_read_timeout 60s;
                }}
            }}
        }}
        "
    )
}

async fn terminate(mut child: Child) {
    signal(&child, "-TERM").await;
    tokio::time::timeout(STARTING, child.wait()).await.expect("it does not end").unwrap();
}

async fn signal(child: &Child, signal: &str) {
    let process = child.id().unwrap().to_string();
    assert!(Command::new("kill").args([signal, &process]).status().await.unwrap().success());
}
