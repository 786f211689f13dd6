//! What happens to whole connections: drop, reset, refuse, accept-then-drop, upstream.

use std::io::ErrorKind;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use super::super::{Command, ControlError};
use super::{Net, Reply, arrives, eof, reset, send, soon};

#[tokio::test]
async fn drop_closes_cleanly_also_where_bytes_are_unread() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    let (mut other_client, mut other_server) = net.connected().await;
    net.order("blackhole on").await;
    send(&mut client, b"never read").await;
    send(&mut other_server, b"never read").await;
    assert_eq!(net.order("drop").await, Reply::Ended(2));
    for end in [&mut client, &mut server, &mut other_client, &mut other_server] {
        // A peer that has not noticed yet and goes on sending shall see the same.
        send(end, b"late").await;
        eof(end).await;
    }
    assert_eq!(net.order("drop").await, Reply::Ended(0));
    let counters = *net.control.counters().borrow();
    assert_eq!((counters.live, counters.dropped, counters.reset), (0, 2, 0));
}

#[tokio::test]
async fn drop_and_reset_mean_those_who_wait_to_be_accepted_too() {
    let net = Net::new().await;
    // From the dial to the order this test doesn't give the proxy a turn.
    let early = std::net::TcpStream::connect(net.address).unwrap();
    assert_eq!(net.order("reset").await, Reply::Ended(1));
    early.set_nonblocking(true).unwrap();
    reset(&mut TcpStream::from_std(early).unwrap()).await;
}

#[tokio::test]
async fn reset_resets_both_ends() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    let (mut other_client, mut other_server) = net.connected().await;
    assert_eq!(net.order("reset").await, Reply::Ended(2));
    for end in [&mut client, &mut server, &mut other_client, &mut other_server] {
        reset(end).await;
    }
    let counters = *net.control.counters().borrow();
    assert_eq!((counters.live, counters.dropped, counters.reset), (0, 0, 2));
}

#[tokio::test]
async fn refuse_refuses_dials_and_leaves_connections_alone() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    for _ in 0..50 {
        net.order("refuse on").await;
        net.order("refuse on").await;
        assert_eq!(net.dial().await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        send(&mut client, b"present").await;
        arrives(&mut server, b"present").await;
        net.order("refuse off").await;
        drop(net.connected().await);
    }
}

#[tokio::test]
async fn refuse_keeps_the_port() {
    let net = Net::new().await;
    net.order("refuse on").await;
    let other = Socket::new(Domain::for_address(net.address), Type::STREAM, None).unwrap();
    assert_eq!(other.bind(&net.address.into()).unwrap_err().kind(), ErrorKind::AddrInUse);
    net.order("refuse off").await;
    drop(net.connected().await);
}

#[tokio::test]
async fn accept_then_drop_closes_at_once_and_cleanly() {
    let net = Net::new().await;
    net.order("accept-then-drop on").await;
    for _ in 0..20 {
        let mut client = net.dial().await.unwrap();
        send(&mut client, b"GET / HTTP/1.1\r\n").await;
        eof(&mut client).await;
    }
    assert_eq!(SockRef::from(&net.upstream).accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    net.order("accept-then-drop off").await;
    let counters = *net.control.counters().borrow();
    assert_eq!((counters.accepted, counters.dropped), (20, 20));
    let (mut client, mut server) = net.connected().await;
    send(&mut client, b"now").await;
    arrives(&mut server, b"now").await;
}

#[tokio::test]
async fn upstream_moves_new_connections_only() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    net.order(&format!("upstream {}", other.local_addr().unwrap())).await;
    let mut moved = net.dial().await.unwrap();
    let (mut other_server, _) = soon(other.accept()).await.unwrap();
    send(&mut moved, b"there").await;
    arrives(&mut other_server, b"there").await;
    send(&mut client, b"here").await;
    arrives(&mut server, b"here").await;
}

#[tokio::test]
async fn a_client_whose_upstream_is_not_there_is_reset() {
    let Net { address, control, upstream, proxy: _proxy } = Net::new().await;
    drop(upstream);
    let mut client = TcpStream::connect(address).await.unwrap();
    reset(&mut client).await;
    let mut counters = control.counters();
    let counters = *soon(counters.wait_for(|counters| counters.live == 0)).await.unwrap();
    assert_eq!(counters.unreachable, 1);
}

#[tokio::test]
async fn a_reset_by_one_peer_reaches_the_other() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    // The proxy's dial may not have returned yet; now it has.
    send(&mut client, b"up").await;
    arrives(&mut server, b"up").await;
    SockRef::from(&server).set_linger(Some(Duration::ZERO)).unwrap();
    drop(server);
    reset(&mut client).await;
}

#[tokio::test]
async fn all_connections_end_with_the_proxy() {
    let mut net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    net.proxy.abort_all();
    eof(&mut client).await;
    eof(&mut server).await;
    assert_eq!(net.dial().await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(matches!(net.control.apply(Command::Heal).await, Err(ControlError::Stopped)));
}
