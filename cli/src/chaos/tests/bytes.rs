//! What happens to the bytes: delay, rate, black holes.

use std::io::ErrorKind;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Net, Reply, arrives, eof, many_turns, send, soon, turns};

#[tokio::test]
async fn a_clean_link_passes_bytes_both_ways_and_each_end() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    let much: Vec<u8> = (0..1_000_000_u32).map(|n| n as u8).collect();
    tokio::join!(send(&mut client, &much), arrives(&mut server, &much));
    tokio::join!(send(&mut server, &much), arrives(&mut client, &much));
    client.shutdown().await.unwrap();
    eof(&mut server).await;
    send(&mut server, b"still here").await;
    arrives(&mut client, b"still here").await;
    drop(server);
    eof(&mut client).await;
    let mut counters = net.control.counters();
    let counters = *soon(counters.wait_for(|counters| counters.live == 0)).await.unwrap();
    assert_eq!((counters.accepted, counters.dropped, counters.reset), (1, 0, 0));
    assert_eq!((counters.bytes_up, counters.bytes_down), (1_000_000, 1_000_010));
}

#[tokio::test]
async fn delay_lets_nothing_arrive_sooner() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    net.order("delay 60").await;
    let delay = Duration::from_millis(60);
    let sent = Instant::now();
    send(&mut client, b"up").await;
    arrives(&mut server, b"up").await;
    assert!(sent.elapsed() >= delay);
    let sent = Instant::now();
    send(&mut server, b"down").await;
    arrives(&mut client, b"down").await;
    assert!(sent.elapsed() >= delay);
    let sent = Instant::now();
    client.shutdown().await.unwrap();
    eof(&mut server).await;
    assert!(sent.elapsed() >= delay);
}

#[tokio::test]
async fn delay_with_jitter_keeps_the_order() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    net.order("delay 1 30").await;
    for n in 0..100 {
        send(&mut client, &[n]).await;
        // So that most are read by themselves and get their own jitter; the order must be kept whether they are or not.
        turns(5).await;
    }
    arrives(&mut server, &(0..100).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn a_shorter_delay_holds_for_what_is_under_way_too() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    net.order("delay 3600000 3600000").await;
    send(&mut client, b"slow").await;
    many_turns().await;
    assert_eq!(net.passed(), (0, 0));
    net.order("delay off").await;
    arrives(&mut server, b"slow").await;
}

#[tokio::test]
async fn rate_takes_its_time() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    net.order("rate 10000").await;
    let began = Instant::now();
    send(&mut client, &[7; 2500]).await;
    arrives(&mut server, &[7; 2500]).await;
    assert!(began.elapsed() >= Duration::from_millis(250), "{:?}", began.elapsed());
    net.order("rate 1").await;
    send(&mut client, &[8; 100]).await;
    many_turns().await;
    net.order("rate off").await;
    arrives(&mut server, &[8; 100]).await;
}

#[tokio::test]
async fn blackhole_up_holds_what_clients_send_until_it_ends() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    net.order("blackhole on up").await;
    send(&mut client, b"held").await;
    client.shutdown().await.unwrap();
    send(&mut server, b"passes").await;
    arrives(&mut client, b"passes").await;
    many_turns().await;
    assert_eq!(net.passed(), (0, 6));
    assert_eq!(server.try_read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    net.order("blackhole off").await;
    arrives(&mut server, b"held").await;
    eof(&mut server).await;
}

#[tokio::test]
async fn blackhole_down_holds_what_the_upstream_sends_until_it_ends() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    net.order("blackhole on down").await;
    send(&mut server, b"held").await;
    send(&mut client, b"passes").await;
    arrives(&mut server, b"passes").await;
    many_turns().await;
    assert_eq!(net.passed(), (6, 0));
    assert_eq!(client.try_read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    net.order("blackhole off down").await;
    arrives(&mut client, b"held").await;
}

#[tokio::test]
async fn blackhole_holds_delayed_bytes_that_were_under_way() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    net.order("delay 3600000").await;
    send(&mut client, b"under way").await;
    many_turns().await;
    net.order("blackhole on up").await;
    net.order("delay off").await;
    many_turns().await;
    assert_eq!(net.passed(), (0, 0));
    net.order("blackhole off up").await;
    arrives(&mut server, b"under way").await;
}

#[tokio::test]
async fn blackhole_accepts_new_connections_and_never_answers() {
    let net = Net::new().await;
    net.order("blackhole on").await;
    let mut client = net.dial().await.unwrap();
    send(&mut client, b"hello?").await;
    many_turns().await;
    assert_eq!(SockRef::from(&net.upstream).accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(client.try_read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    net.order("heal").await;
    let (mut server, _) = soon(net.upstream.accept()).await.unwrap();
    arrives(&mut server, b"hello?").await;
}

#[tokio::test]
async fn heal_restores_a_clean_link() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    for line in ["delay 3600000", "rate 1", "refuse on", "accept-then-drop on", "blackhole on"] {
        net.order(line).await;
    }
    send(&mut client, b"at last").await;
    net.order("heal").await;
    arrives(&mut server, b"at last").await;
    let (mut client, mut server) = net.connected().await;
    send(&mut server, b"anew").await;
    arrives(&mut client, b"anew").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_answer_nothing_passes_a_black_hole() {
    let net = Net::new().await;
    let (mut client, mut server) = net.connected().await;
    let mut flood = JoinSet::new();
    flood.spawn(async move { while client.write_all(&[1; 4096]).await.is_ok() {} });
    flood.spawn(async move { while server.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {} });
    let mut counters = net.control.counters();
    for _ in 0..100 {
        net.order("blackhole on").await;
        let passed = net.passed();
        many_turns().await;
        assert_eq!(net.passed(), passed);
        net.order("blackhole off").await;
        soon(counters.wait_for(|counters| counters.bytes_up > passed.0)).await.unwrap();
    }
    assert_eq!(net.order("reset").await, Reply::Ended(1));
}
