//! A name with several addresses, some of which swallow every packet (RFC 8305); and a list of endpoints that changes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use common::{Client, Refusing, Server, accept, client, echo, ms, quick};
use redial_tokio::{Cause, NetworkDetail, Notice, Target};
#[cfg(target_os = "linux")]
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// An address whose accept queue is full: Linux drops what knocks, without a word.
#[cfg(target_os = "linux")]
struct BlackHole {
    addr: SocketAddr,
    _socket: socket2::Socket,
    _queue: Vec<TcpStream>,
}

#[cfg(target_os = "linux")]
impl BlackHole {
    /// On this address, if the computer has it.
    fn new(addr: &str) -> Option<Self> {
        let addr: SocketAddr = addr.parse().unwrap();
        let socket = socket2::Socket::new(socket2::Domain::for_address(addr), socket2::Type::STREAM, None).unwrap();
        socket.bind(&addr.into()).ok()?;
        socket.listen(0).unwrap();
        let addr = socket.local_addr().unwrap().as_socket().unwrap();
        let mut queue = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&addr, Duration::from_millis(300)) {
            queue.push(stream);
        }
        Some(Self { addr, _socket: socket, _queue: queue })
    }
}

async fn server() -> Server {
    Server::start(|_, stream| async { echo(accept(stream).await).await }).await
}

/// Opens at the first dial, or not at all: how long that took.
async fn opens(builder: redial_tokio::WebSocketBuilder) -> Duration {
    let begun = Instant::now();
    let mut client = Client::new(builder.build().unwrap());
    let attempt = client
        .notice("opened", |notice| if let Notice::Opened { attempt, .. } = notice { Some(attempt) } else { None })
        .await;
    assert_eq!(attempt, 0);
    begun.elapsed()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn addresses_that_swallow_packets_cost_a_quarter_of_a_second_each() {
    let server = server().await;
    let holes = ["[::1]:0", "127.0.0.1:0"].map(BlackHole::new);
    let holes: Vec<_> = holes.into_iter().flatten().collect();
    let addresses: Vec<_> = holes.iter().map(|hole| hole.addr).chain([server.addr]).collect();
    let before = u32::try_from(holes.len()).unwrap();
    let builder = client("ws://chat.example/", quick()).per_dial(move |_, target| {
        let addresses = addresses.clone();
        async move { Ok(target.addresses(addresses)) }
    });
    let took = opens(builder).await;
    // IPv6, then IPv4, then the server; the policy's `connectTimeout` is 10 s.
    assert!(took >= Duration::from_millis(250) * before, "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn an_address_that_refuses_is_no_failure_where_another_answers() {
    let (server, refusing) = (server().await, Refusing::new());
    let closed = refusing.addr;
    let addresses = [closed, server.addr];
    let builder =
        client("ws://chat.example/", quick()).per_dial(move |_, target| async move { Ok(target.addresses(addresses)) });
    opens(builder).await;

    let builder = client("ws://chat.example/", quick())
        .per_dial(move |_, target| async move { Ok(target.addresses([closed, closed])) });
    let mut refused = Client::new(builder.build().unwrap());
    assert_eq!(refused.attempt_failed().await, Cause::network(NetworkDetail::Refused));
}

/// The child's life, in namespaces of its own: a name of the system's with an address of each family, and every packet to the
/// IPv6 one is lost. As a test it is nothing.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn in_namespaces() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let server = Server::at("192.0.2.1:0", |_, stream| async { echo(accept(stream).await).await }).await;
    let took = opens(client(&format!("ws://two-families.test:{}/", server.addr.port()), quick())).await;
    println!("took {} ms", took.as_millis());
    assert!(took >= Duration::from_millis(250), "{took:?}: IPv6 comes first");
}

#[cfg(target_os = "linux")]
const INSIDE: &str = "REDIAL_TEST_NAMESPACES";

#[cfg(target_os = "linux")]
#[test]
fn a_name_whose_ipv6_is_black_holed_opens_all_the_same() {
    // A pair of cables whose far end takes no packet: it is for another card.
    const SET_UP: &str = "
        set -e
        ip link set lo up
        ip link add near type veth peer name far
        ip addr add 2001:db8::1/64 dev near nodad
        ip addr add 192.0.2.1/24 dev near
        ip link set far up
        ip link set near up
        ip neigh add 2001:db8::2 lladdr 02:00:00:00:00:01 dev near nud permanent
        hosts=$(mktemp)
        printf '2001:db8::2 two-families.test\\n192.0.2.1 two-families.test\\n' > $hosts
        mount --bind $hosts /etc/hosts
        rm -f $hosts
        exec \"$0\" --exact in_namespaces --nocapture";
    let Some(mut unshare) = unshare() else {
        let why = "this system lets nobody but root make namespaces, and sudo wants a password";
        assert!(std::env::var_os("MUST_HAVE_NAMESPACES").is_none(), "MUST_HAVE_NAMESPACES is set, but {why}");
        eprintln!("not run: {why}");
        return;
    };
    let output = unshare
        .args(["env", &format!("{INSIDE}=1"), "sh", "-c", SET_UP])
        .arg(std::env::current_exe().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("took "), "{said}{complained}");
}

/// Begins a command in a network and a file tree of its own, as far as the system permits that.
#[cfg(target_os = "linux")]
fn unshare() -> Option<std::process::Command> {
    let ways: [&[&str]; 2] =
        [&["unshare", "--map-root-user", "--net", "--mount"], &["sudo", "-n", "unshare", "--net", "--mount"]];
    ways.into_iter().find_map(|way| {
        let command = || {
            let mut command = std::process::Command::new(way[0]);
            command.args(&way[1..]);
            command
        };
        command().args(["ip", "link", "set", "lo", "up"]).output().ok()?.status.success().then(command)
    })
}

#[tokio::test]
async fn the_list_of_endpoints_may_change_between_dials() {
    let (first, second) = (server().await, server().await);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::new(Mutex::new(vec![first.url()]));
    let (log, current) = (Arc::clone(&seen), Arc::clone(&list));
    let builder = client("ws://nobody.invalid/", quick()).header("x-client", "demo").resolver(move |dial, known| {
        log.lock().unwrap().push((dial.endpoint, known.len()));
        let urls = current.lock().unwrap().clone();
        async move {
            let target = |url: &String| known[0].clone().url(url);
            Ok(urls.iter().map(target).collect::<Result<Vec<Target>, _>>()?)
        }
    });
    let mut client = Client::new(builder.build().unwrap());
    client.opened().await;
    assert_eq!(first.accepted().len(), 1);

    // The first server is no more; two others are, of which the first refuses.
    let refusing = Refusing::new();
    *list.lock().unwrap() = vec![format!("ws://{}/", refusing.addr), second.url()];
    client.socket.reconnect();
    assert_eq!(client.attempt_failed().await, Cause::network(NetworkDetail::Refused));
    client.opened().await;
    assert_eq!(second.accepted().len(), 1);
    // What the machine chose from, and what the resolver was shown: the new length counts from the next choice on.
    assert_eq!(*seen.lock().unwrap(), [(0, 1), (0, 1), (1, 2)]);
}

#[tokio::test]
async fn a_resolver_that_fails_or_knows_none_fails_the_dial() {
    let mut answers = vec![Ok(Vec::new()), Err(Cause::http(503))];
    let builder = client("ws://nobody.invalid/", quick().base_delay(ms(1)))
        .resolver(move |_, known| std::future::ready(answers.pop().unwrap_or(Ok(known))));
    let mut client = Client::new(builder.build().unwrap());
    assert_eq!(client.attempt_failed().await, Cause::http(503));
    assert_eq!(client.attempt_failed().await, Cause::network(NetworkDetail::Dns));
}
