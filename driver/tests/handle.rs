//! Controls from elsewhere, the status, and the stream's end and revival.

// Tests may panic, and read what they expect only.
#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use common::*;
use futures_util::future::join;
use futures_util::{FutureExt, SinkExt, StreamExt};
use redial::{ConnectionId, HoldReason, Notice, Phase};
use redial_driver::testing::{Message, Script, Sim};
use redial_driver::{Event, Handle, Reconnecting, SendError, Watch};

#[test]
fn a_handle_is_send_and_sync() {
    fn check<T: Send + Sync + Clone>() {}
    fn check_send<T: Send>() {}
    check::<Handle<Message>>();
    check_send::<Watch<Message>>();
    check_send::<Connection>();
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_handle_works_from_another_thread_and_wakes_the_driver() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    assert!(connection.poll_next_unpin(&mut Context::from_waker(&waker)).is_pending());
    let handle = connection.handle();
    let elsewhere = std::thread::spawn(move || {
        (0..10).for_each(|n| handle.send(Message::Data(n)).unwrap());
        handle.stop();
    });
    elsewhere.join().unwrap();
    assert!(count.0.load(Ordering::SeqCst) > 0);
    sim.block_on(async { while connection.next().await.is_some() {} });
    assert_eq!(sim.net().peer(0).arrived(), data(0..10));
}

#[test]
fn commands_that_come_while_the_driver_polls_are_not_lost() {
    let sim = Sim::new();
    sim.net().echo();
    let mut connection = opened(&sim);
    let handle = connection.handle();
    let elsewhere = std::thread::spawn(move || {
        for n in 0..1000 {
            while handle.send(Message::Data(n)).is_err() {}
        }
    });
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut echoed = Vec::new();
    while echoed.len() < 1000 {
        match connection.poll_next_unpin(&mut Context::from_waker(&waker)) {
            std::task::Poll::Ready(event) => echoed.extend(event.and_then(Event::into_message)),
            std::task::Poll::Pending => std::thread::park(),
        }
    }
    elsewhere.join().unwrap();
    assert_eq!(echoed, data(0..1000));
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[test]
fn every_command_reaches_the_machine() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    let handle = connection.handle();
    handle.busy(true);
    handle.hold(HoldReason::Idle);
    handle.hold(HoldReason::Hidden);
    handle.release(HoldReason::Idle);
    settle(&sim, &mut connection);
    assert!(connection.machine().is_busy());
    assert_eq!(connection.machine().holds().iter().collect::<Vec<_>>(), [HoldReason::Hidden]);
    handle.reconnect();
    settle(&sim, &mut connection);
    assert_eq!(connection.status().connection, Some(ConnectionId(2)));
}

#[test]
fn ready_names_its_connection() {
    let sim = Sim::new();
    let slow = plain().ready_timeout(span(2000)).build().unwrap();
    let mut connection = Reconnecting::builder(sim.clock(), sim.connector(), slow, 7).build();
    settle(&sim, &mut connection);
    let handle = connection.handle();
    handle.ready(ConnectionId(7));
    settle(&sim, &mut connection);
    assert_eq!(handle.status().phase, Phase::Handshaking);
    handle.ready(ConnectionId(1));
    settle(&sim, &mut connection);
    assert_eq!(handle.status().phase, Phase::Open);
}

#[test]
fn reconnect_while_open_opens_the_next_at_once() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    connection.reconnect();
    let notices = notices(&settle(&sim, &mut connection));
    assert!(notices.iter().any(|n| matches!(n, Notice::Lost { cause: redial::Cause::User, .. })));
    assert_eq!((connection.status().phase, sim.net().opened()), (Phase::Open, 2));
}

#[test]
fn status_tells_where_things_stand() {
    let sim = Sim::new();
    sim.net().script([Script::Fail(redial::Cause::http(503)), Script::AcceptAfter(span(50))]);
    let mut connection = connection(&sim);
    settle(&sim, &mut connection);
    let waiting = connection.status();
    assert_eq!((waiting.phase, waiting.attempt, waiting.next_dial_at), (Phase::Waiting, 1, Some(ms(1000))));
    assert_eq!(waiting.last_cause, Some(redial::Cause::http(503)));
    run(&sim, &mut connection, 6100);
    let open = connection.status();
    assert_eq!((open.phase, open.connection, open.endpoint), (Phase::Open, Some(ConnectionId(2)), Some(0)));
    assert_eq!((open.open_since, open.latency), (Some(ms(1050)), Some(redial::Micros::ZERO)));
    assert_eq!(open.quality, Some(redial::Quality::Excellent));
}

#[test]
fn a_watch_sees_the_newest_and_ends_with_the_connection() {
    let sim = Sim::new();
    let mut connection = connection(&sim);
    let mut watch = connection.watch();
    assert_eq!(sim.settle(watch.changed()), None, "nothing has changed yet");
    settle(&sim, &mut connection); // idle, connecting, open
    assert_eq!(sim.settle(watch.changed()).flatten().map(|status| status.phase), Some(Phase::Open));
    assert_eq!(sim.settle(watch.changed()), None);
    // A change wakes it.
    let handle = connection.handle();
    let (status, ()) = sim.block_on(join(watch.changed(), async {
        handle.stop();
        while connection.next().await.is_some() {}
    }));
    assert_eq!(status.map(|status| status.phase), Some(Phase::Closed));
    drop(connection);
    assert_eq!(sim.settle(watch.next()), Some(None));
    assert!(matches!(handle.send(Message::Data(1)), Err(SendError::Finished { .. })));
}

#[test]
fn a_change_wakes_the_watch() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    let mut watch = connection.watch();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    assert!(watch.poll_next_unpin(&mut Context::from_waker(&waker)).is_pending());
    connection.stop();
    settle(&sim, &mut connection);
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
}

#[test]
fn the_stream_ends_and_is_revived() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    let handle = connection.handle();
    connection.stop();
    sim.block_on(async { while connection.next().await.is_some() {} });
    assert_eq!(sim.settle(connection.next()), Some(None), "once more");
    assert_eq!(sim.settle(connection.revived()), None);
    sim.at(5000, move || handle.start());
    sim.block_on(connection.revived());
    assert_eq!(sim.clock().peek(), ms(5000));
    sim.block_on(open(&mut connection));
    assert_eq!(sim.net().opened(), 2);
}

#[test]
fn an_idle_connection_waits_for_start() {
    let sim = Sim::new();
    let mut connection = Reconnecting::builder(sim.clock(), sim.connector(), policy(), 7).idle().build();
    assert_eq!(run(&sim, &mut connection, 60_000), []);
    assert_eq!(sim.net().dials().len(), 0);
    let handle = connection.handle();
    handle.send(Message::Data(1)).unwrap();
    handle.start();
    settle(&sim, &mut connection);
    assert_eq!(sim.net().peer(0).arrived(), data(1..2));
}

#[test]
fn dropping_all_handles_does_nothing() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    drop(connection.handle());
    assert_eq!(run(&sim, &mut connection, 4000), []);
    assert_eq!(connection.status().phase, Phase::Open);
}

/// Both halves in tasks of their own: what one of them does must reach the other.
#[test]
fn split_halves_do_not_steal_each_others_wake_ups() {
    let sim = Sim::new();
    sim.net().echo();
    sim.net().script([Script::AcceptAfter(span(200))]);
    let (mut sink, mut stream) = connection(&sim).split();
    let reading = async {
        let mut read = Vec::new();
        while read.len() < 200 {
            if let Some(Event::Message(message)) = stream.next().await {
                read.push(message);
            }
        }
        read
    };
    let writing = async {
        for message in data(0..200) {
            sink.send(message).await.unwrap();
        }
    };
    // Each in a task of its own, as far as wakers go.
    let tasks = futures_util::stream::FuturesUnordered::new();
    tasks.push(async { Some(reading.await) }.boxed_local());
    tasks.push(
        async {
            writing.await;
            None
        }
        .boxed_local(),
    );
    let read: Vec<_> = sim.block_on(tasks.collect::<Vec<_>>()).into_iter().flatten().flatten().collect();
    assert_eq!(read, data(0..200));
}

#[test]
fn a_dropped_half_takes_no_wake_up_with_it() {
    let sim = Sim::new();
    sim.net().script([Script::AcceptAfter(span(500))]);
    let mut connection = connection(&sim);
    let waker = Waker::from(Arc::new(Count::default()));
    // Somebody polled the sink last, and is gone.
    let reader = Arc::new(Count::default());
    let reading = Waker::from(Arc::clone(&reader));
    while connection.poll_next_unpin(&mut Context::from_waker(&reading)).is_ready() {}
    let _ = connection.poll_ready_unpin(&mut Context::from_waker(&waker));
    let before = reader.0.load(Ordering::SeqCst);
    sim.clock().advance();
    assert!(reader.0.load(Ordering::SeqCst) > before);
}

/// Runs two halves, each in a task of its own.
fn halves(sim: &Sim, reading: impl Future<Output = ()>, writing: impl Future<Output = ()>) {
    let tasks = futures_util::stream::FuturesUnordered::new();
    tasks.push(reading.boxed_local());
    tasks.push(writing.boxed_local());
    sim.block_on(tasks.collect::<Vec<_>>());
}

#[test]
fn a_blocked_writer_hears_that_the_reader_saw_the_end() {
    let sim = Sim::new();
    sim.net().script([Script::Accept, Script::Fail(redial::Cause::http(403))]);
    let connection = opened(&sim);
    let peer = sim.net().peer(0);
    peer.block(true);
    sim.at(100, move || peer.send(Message::Close(1001)));
    let clock = sim.clock();
    let written = Arc::new(AtomicUsize::new(0));
    let when = Arc::clone(&written);
    connection.hold(HoldReason::Idle); // no redial, which would wake everybody
    let (mut sink, mut stream) = connection.split();
    let reading = async move { while !matches!(stream.next().await, Some(Event::Notice(Notice::Lost { .. }))) {} };
    let writing = async move {
        sink.send(Message::Data(1)).await.unwrap();
        when.store(clock.peek().as_micros() as usize, Ordering::SeqCst);
    };
    halves(&sim, reading, writing);
    assert_eq!(written.load(Ordering::SeqCst), 100_000);
}

#[test]
fn a_waiting_writer_hears_what_the_reader_alone_was_woken_for() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).block(true);
    let (reader, writer) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let (reading, writing) = (Waker::from(reader), Waker::from(Arc::clone(&writer)));
    assert!(connection.poll_ready_unpin(&mut Context::from_waker(&writing)).is_pending());
    assert!(connection.poll_next_unpin(&mut Context::from_waker(&reading)).is_pending());
    sim.net().peer(0).send(Message::Close(1001));
    assert_eq!(writer.0.load(Ordering::SeqCst), 0);
    assert!(connection.poll_next_unpin(&mut Context::from_waker(&reading)).is_ready());
    assert!(writer.0.load(Ordering::SeqCst) > 0);
}

#[test]
fn a_waiting_reader_hears_that_the_writer_broke_the_connection() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    connection.hold(HoldReason::Idle);
    settle(&sim, &mut connection);
    let (mut sink, mut stream) = connection.split();
    let (peer, clock) = (sim.net().peer(0), sim.clock());
    let reading = async {
        while !matches!(stream.next().await, Some(Event::Notice(Notice::Lost { .. }))) {}
        assert_eq!(clock.peek(), ms(100));
    };
    let writing = async {
        redial_driver::Clock::sleep_until(&clock, ms(100)).await;
        peer.fail_writes();
        sink.send(Message::Data(1)).await.unwrap();
    };
    halves(&sim, reading, writing);
}
