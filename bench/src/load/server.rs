//! The server of the load: redial-server as an application has it, and beside it a second port that takes orders.

use super::clients::{BROADCAST, MESSAGE};
use crate::clocks::{common_nanos, cpu};
use crate::idle::{memory, raise_limit};
use redial_server::store::{MemoryStore, StoreSettings};
use redial_server::{Application, Effect, Limits, Payload, SessionInfo, Sessions};
use rustix::net::{Shutdown, getpeername, getsockname, shutdown};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tokio::net::TcpSocket;
use tokio::runtime::Handle;

/// The room that everybody is in.
const ROOM: &str = "all";
/// Connections that wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 16_384;

/// The server as a child process; it ends with this.
pub(super) struct Server {
    child: Child,
    addresses: String,
}

impl Server {
    /// Starts `bench session-server`.
    pub(super) fn start() -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let mut command = Command::new(program);
        let command = command.arg("session-server").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let mut addresses = String::new();
        let stdout = BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut addresses);
        stdout.expect("the server's addresses");
        Self { child, addresses }
    }

    /// Where sessions are.
    pub(super) fn address(&self) -> &str {
        self.addresses.split_whitespace().next().expect("an address")
    }

    /// Where orders are taken.
    pub(super) fn control(&self) -> &str {
        self.addresses.split_whitespace().nth(1).expect("an address")
    }
}

/// With SIGKILL.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers every message with itself, and has everybody in one room.
struct Echo;

impl Application for Echo {
    async fn on_message(&self, _: &SessionInfo, payload: Payload) -> Vec<Effect> {
        vec![Effect::Reply(payload)]
    }

    async fn on_start(&self, _: &SessionInfo) -> Vec<Effect> {
        vec![Effect::Join(ROOM.to_owned())]
    }
}

/// `bench session-server`: prints its addresses, and serves until it is killed.
pub(crate) fn serve() {
    raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Arc::new(MemoryStore::new(StoreSettings::default()));
        // All clients have one address here.
        let limits = Limits { connections_per_address: None, connects_per_minute: None, ..Limits::default() };
        let sessions = Sessions::builder(store, Echo).limits(limits).build();
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        let listener = socket.listen(BACKLOG).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let orders = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        println!("{address} {}", orders.local_addr().expect("an address"));
        let (handle, told) = (Handle::current(), sessions.clone());
        std::thread::spawn(move || {
            for stream in orders.incoming().flatten() {
                // Whoever gives orders may go away.
                let _ = obey(stream, &handle, &told, address.port());
            }
        });
        sessions.serve(listener).await.expect("it serves");
    });
}

/// One order a line, and one line of answer.
fn obey(stream: TcpStream, handle: &Handle, sessions: &Sessions, port: u16) -> io::Result<()> {
    let mut answers = stream.try_clone()?;
    for order in BufReader::new(stream).lines() {
        match order?.as_str() {
            "memory" => {
                let [heap, blocks, rss] = memory();
                writeln!(answers, "{heap} {blocks} {rss}")?;
            }
            "cpu" => writeln!(answers, "{}", cpu().as_secs_f64())?,
            "broadcast" => {
                let now = common_nanos();
                let mut message = vec![BROADCAST; MESSAGE];
                message[8..16].copy_from_slice(&now.to_be_bytes());
                handle.block_on(sessions.broadcast(ROOM, Payload::binary(message))).expect("it is in memory");
                writeln!(answers, "{now}")?;
            }
            "cut" => {
                let now = common_nanos();
                let count = cut(port)?;
                writeln!(answers, "{now} {count} {}", common_nanos())?;
            }
            order => panic!("no order {order}"),
        }
    }
    Ok(())
}

/// Cuts all connections to a port, as a network would: nothing in the server knows of it. Says how many there were.
fn cut(port: u16) -> io::Result<usize> {
    // There is no other safe way to a descriptor that somebody else has.
    let own = pidfd_open(getpid(), PidfdFlags::empty())?;
    let names = std::fs::read_dir("/proc/self/fd")?.flatten().map(|entry| entry.file_name());
    let descriptors: Vec<i32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
    let mut count = 0;
    for descriptor in descriptors {
        // Some may have been closed since.
        let Ok(copy) = pidfd_getfd(&own, descriptor, PidfdGetfdFlags::empty()) else { continue };
        let here = getsockname(&copy).ok().and_then(|address| SocketAddr::try_from(address).ok());
        if here.is_some_and(|here| here.port() == port) && getpeername(&copy).is_ok() {
            count += usize::from(shutdown(&copy, Shutdown::Both).is_ok());
        }
    }
    Ok(count)
}
