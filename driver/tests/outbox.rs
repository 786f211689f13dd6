//! Writing: straight through, batched, or kept for later within bounds.

// Tests may panic, and read what they expect only.
#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod common;

use common::*;
use futures_util::{SinkExt, StreamExt};
use redial::{Cause, NetworkDetail, Phase};
use redial_driver::testing::{Message, Script, Sim};
use redial_driver::{DropReason, Event, OutboxLimit, OutboxLimits, Overflow, Reconnecting, SendError};

/// Not open until 1000 ms.
fn closed_until_1000(sim: &Sim, messages: usize, bytes: usize, overflow: Overflow) -> Connection {
    sim.net().script([Script::AcceptAfter(span(1000))]);
    let limits = OutboxLimits { messages, bytes, overflow };
    Reconnecting::builder(sim.clock(), sim.connector(), policy(), 7).outbox(limits).build()
}

fn send(sim: &Sim, connection: &mut Connection, message: Message) -> Option<Result<(), SendError<Message>>> {
    sim.settle(connection.send(message))
}

fn dropped(events: &[(u64, Event<Message>)]) -> Vec<Message> {
    let dropped = |(_, event): &(u64, Event<Message>)| match event {
        Event::Dropped { message, .. } => Some(message.clone()),
        _ => None,
    };
    events.iter().filter_map(dropped).collect()
}

#[test]
fn feeds_are_one_flush() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.block_on(async {
        for message in data(0..100) {
            connection.feed(message).await.unwrap();
        }
        assert_eq!(sim.net().peer(0).flushes(), 0);
        connection.flush().await.unwrap();
    });
    assert_eq!((sim.net().peer(0).flushes(), sim.net().peer(0).arrived()), (1, data(0..100)));
}

#[test]
fn what_was_fed_is_flushed_when_there_is_nothing_to_read() {
    let sim = Sim::new();
    sim.net().echo();
    let mut connection = opened(&sim);
    for message in data(0..3) {
        sim.block_on(connection.feed(message)).unwrap();
    }
    assert_eq!(messages(&settle(&sim, &mut connection)), data(0..3));
    assert_eq!(sim.net().peer(0).flushes(), 1);
}

#[test]
fn nothing_is_flushed_while_there_is_something_to_read() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.block_on(connection.feed(Message::Data(1))).unwrap();
    (0..2).for_each(|n| sim.net().peer(0).send(Message::Data(n)));
    sim.block_on(connection.next());
    sim.block_on(connection.next());
    assert_eq!(sim.net().peer(0).flushes(), 0);
    sim.net().peer(0).send(Message::Data(2));
    connection.handle().busy(true); // makes for a whole turn
    sim.block_on(connection.next());
    assert_eq!(sim.net().peer(0).flushes(), 0);
    assert_eq!(sim.settle(connection.next()), None);
    assert_eq!(sim.net().peer(0).flushes(), 1);
}

#[test]
fn what_handles_send_is_one_flush_and_in_order_with_the_sink() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    let handle = connection.handle();
    (0..50).for_each(|n| handle.send(Message::Data(n)).unwrap());
    sim.block_on(connection.feed(Message::Data(50))).unwrap();
    settle(&sim, &mut connection);
    assert_eq!(sim.net().peer(0).arrived(), data(0..51));
    assert!(sim.net().peer(0).flushes() <= 2);
    assert_eq!(connection.status().outbox_messages, 0);
}

#[test]
fn what_a_handle_sent_before_is_written_before() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.block_on(std::future::poll_fn(|cx| connection.poll_ready_unpin(cx))).unwrap();
    connection.handle().send(Message::Data(0)).unwrap();
    connection.start_send_unpin(Message::Data(1)).unwrap();
    settle(&sim, &mut connection);
    assert_eq!(sim.net().peer(0).arrived(), data(0..2));
}

#[test]
fn a_long_backlog_is_written_whole() {
    let sim = Sim::new();
    let mut connection = closed_until_1000(&sim, 1000, 1 << 20, Overflow::Reject);
    for message in data(0..1000) {
        send(&sim, &mut connection, message).unwrap().unwrap();
    }
    run(&sim, &mut connection, 1500);
    assert_eq!(sim.net().peer(0).arrived(), data(0..1000));
}

#[test]
fn kept_while_not_open_and_written_before_newer_ones() {
    let sim = Sim::new();
    let mut connection = closed_until_1000(&sim, 10, 1000, Overflow::Reject);
    for message in data(0..3) {
        assert_eq!(send(&sim, &mut connection, message), Some(Ok(())));
    }
    assert_eq!((connection.status().outbox_messages, connection.status().outbox_bytes), (3, 24));
    sim.block_on(open(&mut connection));
    send(&sim, &mut connection, Message::Data(3)).unwrap().unwrap();
    settle(&sim, &mut connection);
    assert_eq!(sim.net().peer(0).arrived(), data(0..4));
    assert_eq!((connection.status().outbox_messages, connection.status().outbox_bytes), (0, 0));
}

#[test]
fn reject_gives_the_message_back_and_names_the_limit() {
    for (messages, bytes, limit) in [(2, 1000, OutboxLimit::Messages), (10, 20, OutboxLimit::Bytes)] {
        let sim = Sim::new();
        let mut connection = closed_until_1000(&sim, messages, bytes, Overflow::Reject);
        (0..2).for_each(|n| send(&sim, &mut connection, Message::Data(n)).unwrap().unwrap());
        let refused = send(&sim, &mut connection, Message::Data(2)).unwrap();
        assert_eq!(refused, Err(SendError::Full { message: Message::Data(2), limit }));
        run(&sim, &mut connection, 1500);
        assert_eq!(sim.net().peer(0).arrived(), data(0..2));
        // An error does not end the sink.
        send(&sim, &mut connection, Message::Data(3)).unwrap().unwrap();
    }
}

#[test]
fn drop_oldest_reports_each() {
    for (messages, bytes, limit) in [(2, 1000, OutboxLimit::Messages), (10, 20, OutboxLimit::Bytes)] {
        let sim = Sim::new();
        let mut connection = closed_until_1000(&sim, messages, bytes, Overflow::DropOldest);
        (0..5).for_each(|n| send(&sim, &mut connection, Message::Data(n)).unwrap().unwrap());
        assert_eq!(connection.status().outbox_dropped, 3);
        let events = run(&sim, &mut connection, 1500);
        assert_eq!(dropped(&events), data(0..3));
        let full = Event::Dropped { message: Message::Data(0), reason: DropReason::OutboxFull(limit) };
        assert!(events.iter().any(|(_, event)| *event == full), "{events:?}");
        assert_eq!(sim.net().peer(0).arrived(), data(3..5));
    }
}

#[test]
fn drop_oldest_refuses_what_alone_is_too_large() {
    let sim = Sim::new();
    let mut connection = closed_until_1000(&sim, 10, 20, Overflow::DropOldest);
    send(&sim, &mut connection, Message::Data(0)).unwrap().unwrap();
    let refused = send(&sim, &mut connection, Message::Blob(21)).unwrap();
    assert!(matches!(refused, Err(SendError::Full { limit: OutboxLimit::Bytes, .. })));
    connection.handle().send(Message::Blob(22)).unwrap(); // sizes of a handle's messages are known later
    let events = run(&sim, &mut connection, 1500);
    assert_eq!(dropped(&events), [Message::Blob(22)]);
    assert_eq!(sim.net().peer(0).arrived(), data(0..1));
}

#[test]
fn what_nobody_reads_of_drops_is_bounded_and_the_newest() {
    let sim = Sim::new();
    let mut connection = closed_until_1000(&sim, 2, 1000, Overflow::DropOldest);
    (0..40_002).for_each(|n| send(&sim, &mut connection, Message::Data(n)).unwrap().unwrap());
    assert_eq!(connection.status().outbox_dropped, 40_000);
    let events = run(&sim, &mut connection, 999);
    assert_eq!(events.len(), 1024);
    assert_eq!(dropped(&events), data(40_000 - 1024..40_000));
    let events = run(&sim, &mut connection, 1500);
    assert!(events.iter().any(|(_, event)| matches!(event, Event::Notice(redial::Notice::Opened { .. }))));
}

#[test]
fn wait_waits_for_place_and_drives_meanwhile() {
    for (messages, bytes) in [(2, 1000), (10, 16)] {
        let sim = Sim::new();
        let mut connection = closed_until_1000(&sim, messages, bytes, Overflow::Wait);
        (0..2).for_each(|n| send(&sim, &mut connection, Message::Data(n)).unwrap().unwrap());
        assert_eq!(send(&sim, &mut connection, Message::Data(9)), None);
        // The sink alone is polled, and that opens the connection.
        sim.block_on(connection.send(Message::Data(2))).unwrap();
        assert_eq!((sim.clock().peek(), sim.net().peer(0).arrived()), (ms(1000), data(0..3)));
    }
}

#[test]
fn a_handle_shares_the_limits_and_never_waits() {
    for overflow in [Overflow::Reject, Overflow::Wait] {
        let sim = Sim::new();
        let mut connection = closed_until_1000(&sim, 3, 1000, overflow);
        send(&sim, &mut connection, Message::Data(0)).unwrap().unwrap();
        let handle = connection.handle();
        (1..3).for_each(|n| handle.send(Message::Data(n)).unwrap());
        let refused = handle.send(Message::Data(3));
        assert_eq!(refused, Err(SendError::Full { message: Message::Data(3), limit: OutboxLimit::Messages }));
        assert_eq!(handle.status().outbox_messages, 3);
        run(&sim, &mut connection, 1500);
        assert_eq!(sim.net().peer(0).arrived(), data(0..3));
    }
}

#[test]
fn a_handle_that_drops_the_oldest_has_it_reported() {
    let sim = Sim::new();
    let mut connection = closed_until_1000(&sim, 2, 16, Overflow::DropOldest);
    let handle = connection.handle();
    (0..5).for_each(|n| handle.send(Message::Data(n)).unwrap());
    let events = run(&sim, &mut connection, 1500);
    assert_eq!((dropped(&events), sim.net().peer(0).arrived()), (data(0..3), data(3..5)));
}

#[test]
fn a_handle_meets_the_limit_of_bytes_once_they_are_counted() {
    let sim = Sim::new();
    let mut connection = closed_until_1000(&sim, 100, 16, Overflow::Reject);
    let handle = connection.handle();
    handle.send(Message::Blob(16)).unwrap();
    settle(&sim, &mut connection);
    assert!(matches!(handle.send(Message::Data(0)), Err(SendError::Full { limit: OutboxLimit::Bytes, .. })));
}

#[test]
fn nothing_is_replayed_before_ready_but_setup_is_transmitted() {
    let sim = Sim::new();
    let slow = plain().ready_timeout(span(2000)).build().unwrap();
    let mut connection = Reconnecting::builder(sim.clock(), sim.connector(), slow, 7).build();
    assert!(matches!(connection.transmit(Message::Data(9)), Err(SendError::NotConnected { .. })));
    (0..2).for_each(|n| send(&sim, &mut connection, Message::Data(n)).unwrap().unwrap());
    connection.handle().send(Message::Data(2)).unwrap();
    settle(&sim, &mut connection);
    assert_eq!((connection.status().phase, sim.net().peer(0).arrived()), (Phase::Handshaking, vec![]));
    connection.transmit(Message::Blob(1)).unwrap();
    settle(&sim, &mut connection);
    assert_eq!(sim.net().peer(0).arrived(), [Message::Blob(1)]);
    connection.ready();
    settle(&sim, &mut connection);
    assert_eq!(connection.status().phase, Phase::Open);
    assert_eq!(sim.net().peer(0).arrived()[1..], data(0..3));
}

#[test]
fn what_could_not_be_transmitted_comes_back() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).block(true);
    connection.transmit(Message::Data(1)).unwrap();
    sim.net().peer(0).end();
    let events = settle(&sim, &mut connection);
    assert!(events.contains(&Event::Dropped { message: Message::Data(1), reason: DropReason::ConnectionLost }));
}

#[test]
fn closed_and_failed_refuse_and_keep_what_waits() {
    let sim = Sim::new();
    sim.net().otherwise(Script::Fail(Cause::http(403)));
    let mut connection = connection(&sim);
    connection.handle().send(Message::Data(0)).unwrap();
    sim.block_on(async { while connection.next().await.is_some() {} });
    assert_eq!(connection.status().phase, Phase::Failed);
    let refused = send(&sim, &mut connection, Message::Data(1)).unwrap();
    assert_eq!(refused, Err(SendError::Finished { message: Message::Data(1) }));
    assert!(matches!(connection.handle().send(Message::Data(1)), Err(SendError::Finished { .. })));
    assert_eq!(connection.status().outbox_messages, 1);
    assert_eq!(connection.take_unsent(), data(0..1));
    assert_eq!(connection.status().outbox_messages, 0);
}

#[test]
fn a_message_that_a_breaking_connection_refuses_is_reported() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.block_on(std::future::poll_fn(|cx| connection.poll_ready_unpin(cx))).unwrap();
    sim.net().peer(0).fail();
    let refused = connection.start_send_unpin(Message::Data(1));
    assert_eq!(refused, Err(SendError::Broken { cause: Cause::network(NetworkDetail::Reset) }));
    assert_eq!(connection.status().phase, Phase::Waiting);
}

#[test]
fn a_connection_found_broken_by_the_sink_sends_the_message_to_the_outbox() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).fail();
    send(&sim, &mut connection, Message::Data(1)).unwrap().unwrap();
    assert_eq!((connection.status().phase, connection.status().outbox_messages), (Phase::Waiting, 1));
    run(&sim, &mut connection, 2000);
    assert_eq!(sim.net().peer(1).arrived(), data(1..2));
}

#[test]
fn back_pressure_keeps_the_order_and_bounds_the_sink() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    let handle = connection.handle();
    sim.net().peer(0).set_room(2);
    (0..4).for_each(|n| handle.send(Message::Data(n)).unwrap());
    settle(&sim, &mut connection);
    assert_eq!(send(&sim, &mut connection, Message::Data(9)), None, "a full connection is waited for");
    assert_eq!(sim.net().peer(0).arrived(), data(0..2));
    let peer = sim.net().peer(0);
    sim.at(100, move || peer.set_room(10));
    sim.block_on(connection.send(Message::Data(4))).unwrap();
    assert_eq!((sim.clock().peek(), sim.net().peer(0).arrived()), (ms(100), data(0..5)));
}

#[test]
fn a_send_that_blocks_notices_a_silent_peer() {
    let sim = Sim::new();
    sim.net().script([Script::Accept, Script::Accept]);
    let mut connection = opened(&sim);
    sim.net().peer(0).go_silent();
    sim.net().peer(0).block(true);
    // Nobody reads. The ping of 5000 ms can't even be written; the machine gives up at 8000 and redials at 9000.
    sim.block_on(connection.send(Message::Data(1))).unwrap();
    run(&sim, &mut connection, 10_000);
    assert_eq!(sim.net().peer(0).aborted(), Some(ms(8000)));
    assert_eq!(sim.net().peer(1).arrived(), data(1..2));
}
