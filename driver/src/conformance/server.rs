//! Servers on loopback: threads of their own, so that any runtime can be tested by them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::peer::{Peer, Wire};
use super::tls::Identity;
use super::{PATIENCE, now};

/// How a server takes a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Welcome {
    /// With the upgrade. The story gets the peer.
    Upgrade,
    /// With the upgrade, and the choice of this subprotocol.
    Choose(&'static str),
    /// With these lines of HTTP.
    Answer(&'static str),
    /// Not at all: it ends it at once.
    Drop,
    /// It says nothing for as long as it lives.
    Mute,
}

/// Listens until it is dropped; connections go on then.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) addr: SocketAddr,
    peers: Receiver<Peer>,
    accepted: Arc<Mutex<Vec<Instant>>>,
    is_closed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// The n-th connection is welcomed with the n-th of these, all later ones with the last.
    pub(super) fn start(welcomes: &'static [Welcome]) -> Self {
        Self::listen(TcpListener::bind(free_addr()).expect("the address is free"), welcomes, None)
    }

    /// Upgrades all connections, here.
    pub(super) fn start_at(addr: SocketAddr) -> Self {
        Self::listen(TcpListener::bind(addr).expect("the address is free"), &[Welcome::Upgrade], None)
    }

    /// Upgrades all connections, over TLS.
    pub(super) fn start_secure(identity: Identity) -> Self {
        let listener = TcpListener::bind(free_addr()).expect("the address is free");
        Self::listen(listener, &[Welcome::Upgrade], Some(identity))
    }

    pub(super) fn listen(listener: TcpListener, welcomes: &'static [Welcome], identity: Option<Identity>) -> Self {
        let addr = listener.local_addr().expect("a listener has an address");
        let (give, peers) = mpsc::channel();
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let is_closed = Arc::new(AtomicBool::new(false));
        let (log, closed) = (Arc::clone(&accepted), Arc::clone(&is_closed));
        let mut mute = Vec::new();
        let thread = thread::spawn(move || {
            for n in 0_usize.. {
                let Ok((tcp, _)) = listener.accept() else { return };
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                log.lock().unwrap().push(now());
                let choice = match welcomes.get(n).or_else(|| welcomes.last()) {
                    None | Some(Welcome::Drop) => continue,
                    Some(Welcome::Mute) => {
                        mute.push(tcp);
                        continue;
                    }
                    Some(Welcome::Answer(lines)) => {
                        drop(answer(tcp, lines));
                        continue;
                    }
                    Some(Welcome::Upgrade) => None,
                    Some(Welcome::Choose(name)) => Some(*name),
                };
                let (identity, give) = (identity.clone(), give.clone());
                thread::spawn(move || upgrade(tcp, identity.as_ref(), n, choice, &give));
            }
        });
        Self { addr, peers, accepted, is_closed, thread: Some(thread) }
    }

    pub(super) fn url(&self) -> String {
        format!("ws://{}/ws", self.addr)
    }

    pub(super) fn secure_url(&self) -> String {
        format!("wss://{}/ws", self.addr)
    }

    /// The next connection's other end.
    pub(super) fn peer(&self) -> Peer {
        self.peers.recv_timeout(PATIENCE).expect("the client has connected")
    }

    /// All of them, as they come.
    #[cfg(unix)]
    pub(super) fn peers(&self) -> impl Iterator<Item = Peer> + '_ {
        self.peers.iter()
    }

    /// When it accepted each connection.
    pub(super) fn accepted(&self) -> Vec<Instant> {
        self.accepted.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::SeqCst);
        // Wakes the thread; if nobody listens any more it has ended.
        drop(TcpStream::connect(self.addr));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// An address on which nobody listens.
///
/// Below the ports that systems give to those who ask for any (from 32,768 on Linux, from 49,152 elsewhere): no client's own
/// end can take it in the meantime. Suites that run beside each other begin at different ports.
pub(super) fn free_addr() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 11_000;
    const COUNT: u16 = 20_000;
    let begin = u16::try_from(std::process::id().wrapping_mul(61) % u32::from(COUNT)).unwrap_or_default();
    loop {
        let n = NEXT.fetch_add(1, Ordering::SeqCst);
        assert!(n < COUNT, "every port is taken");
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + (begin + n) % COUNT));
        if TcpListener::bind(addr).is_ok() {
            return addr;
        }
    }
}

/// One that does not come about is the client's to notice.
fn upgrade(
    tcp: TcpStream,
    identity: Option<&Identity>,
    number: usize,
    choice: Option<&'static str>,
    give: &Sender<Peer>,
) {
    let wire = match identity {
        Some(identity) => identity.accept(tcp),
        None => Some(Wire::Plain(tcp)),
    };
    if let Some(peer) = wire.and_then(|wire| Peer::accept(wire, number, choice)) {
        drop(give.send(peer));
    }
}

/// Reads the request, all of it: what is left unread would make the end a reset.
fn answer(mut tcp: TcpStream, lines: &str) -> std::io::Result<()> {
    tcp.set_read_timeout(Some(PATIENCE))?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        tcp.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    tcp.write_all(format!("{lines}\n\n").replace('\n', "\r\n").as_bytes())
}
