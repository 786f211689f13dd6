//! How connections end: gracefully in the background, or at once.

// Tests may panic, and read what they expect only.
#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod common;

use common::*;
use futures_util::{SinkExt, StreamExt};
use redial::{Cause, Notice, Phase};
use redial_driver::testing::{Message, Script, Sim};
use redial_driver::{Event, IO_PER_POLL, Reconnecting, SendError};

#[test]
fn stop_flushes_then_closes_then_ends_the_stream() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.block_on(async {
        for message in data(0..3) {
            connection.feed(message).await.unwrap();
        }
        connection.handle().send(Message::Data(3)).unwrap();
        connection.stop();
        while connection.next().await.is_some() {}
    });
    let peer = sim.net().peer(0);
    assert_eq!(peer.arrived(), data(0..4));
    assert_eq!((peer.closed(), peer.gone(), peer.aborted()), (Some(ms(0)), Some(ms(0)), None));
    assert_eq!(connection.status().phase, Phase::Closed);
}

#[test]
fn stop_flushes_what_was_fed() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.block_on(connection.feed(Message::Data(1))).unwrap();
    sim.block_on(connection.close());
    assert_eq!(sim.net().peer(0).arrived(), data(1..2));
}

#[test]
fn a_graceful_close_is_bounded_by_close_timeout() {
    let sim = Sim::new();
    let mut connection =
        Reconnecting::builder(sim.clock(), sim.connector(), policy(), 7).close_timeout(span(300)).build();
    sim.block_on(open(&mut connection));
    sim.net().peer(0).go_silent();
    connection.stop();
    sim.block_on(async { while connection.next().await.is_some() {} });
    assert_eq!(sim.net().peer(0).closed(), Some(ms(0)));
    assert_eq!(sim.net().peer(0).aborted(), Some(ms(300)));
    assert_eq!(sim.clock().peek(), ms(300));
}

#[test]
fn a_peer_that_takes_nothing_does_not_hold_up_stop() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).block(true);
    connection.handle().send(Message::Data(1)).unwrap();
    sim.block_on(connection.close());
    assert_eq!((sim.clock().peek(), sim.net().peer(0).aborted()), (ms(1000), Some(ms(1000))));
    // What the connection had not taken is still there.
    assert_eq!(connection.take_unsent(), data(1..2));
}

#[test]
fn a_peer_that_never_stops_talking_does_not_hold_up_stop() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    let peer = sim.net().peer(0);
    peer.go_silent();
    peer.endless(Some(Message::Data(1)));
    connection.stop();
    settle_some(&sim, &mut connection);
    sim.clock().set(ms(1000));
    settle_some(&sim, &mut connection);
    assert_eq!(peer.aborted(), Some(ms(1000)));
    assert_eq!(sim.settle(connection.next()), Some(None));
}

/// Some polls, where there is no end of them.
fn settle_some(sim: &Sim, connection: &mut Connection) {
    let mut polls = 0;
    sim.block_on(std::future::poll_fn(|cx| {
        let _ = connection.poll_next_unpin(cx);
        polls += 1;
        cx.waker().wake_by_ref();
        if polls == 20 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    }));
}

#[test]
fn a_graceful_close_never_delays_the_redial() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).go_silent();
    let handle = connection.handle();
    sim.at(2000, move || handle.reconnect());
    let events = run(&sim, &mut connection, 4000);
    assert!(events.iter().any(|(at, e)| *at == 2000 && matches!(e, Event::Notice(Notice::Opened { .. }))));
    assert_eq!(sim.net().peer(0).closed(), Some(ms(2000)));
    assert_eq!(sim.net().peer(0).aborted(), Some(ms(3000)));
    assert_eq!(sim.net().most_at_once(), 1);
}

#[test]
fn one_close_at_a_time_the_older_is_aborted() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    for n in 0..2 {
        sim.net().peer(n).go_silent();
        connection.reconnect();
        settle(&sim, &mut connection);
    }
    assert_eq!(sim.net().peer(0).aborted(), Some(ms(0)));
    assert_eq!((sim.net().peer(1).aborted(), sim.net().peer(1).closed()), (None, Some(ms(0))));
}

#[test]
fn a_ping_timeout_aborts_at_once() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).go_silent();
    let events = run(&sim, &mut connection, 8500);
    let lost = |e: &Event<Message>| matches!(e, Event::Notice(Notice::Lost { cause: Cause::PingTimeout, .. }));
    assert!(events.iter().any(|(at, e)| *at == 8000 && lost(e)), "{events:?}");
    assert_eq!((sim.net().peer(0).aborted(), sim.net().peer(0).closed()), (Some(ms(8000)), None));
}

#[test]
fn a_peers_close_frame_ends_the_connection_at_once_and_is_answered() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    let peer = sim.net().peer(0);
    peer.send(Message::Data(1));
    peer.send(Message::Close(1001));
    peer.send(Message::Data(2)); // nothing counts after a close frame
    let events = settle(&sim, &mut connection);
    assert_eq!(messages(&events), data(1..2));
    assert!(notices(&events).iter().any(|n| matches!(n, Notice::Lost { cause: Cause::Close { code: 1001, .. }, .. })));
    assert_eq!((connection.status().phase, peer.closed()), (Phase::Waiting, Some(ms(0))));
}

#[test]
fn a_peers_close_1000_ends_the_stream() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).send(Message::Close(1000));
    sim.block_on(async { while connection.next().await.is_some() {} });
    assert_eq!(connection.status().phase, Phase::Closed);
}

#[test]
fn an_end_without_a_close_frame_is_close_1006() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).end();
    settle(&sim, &mut connection);
    assert_eq!(connection.status().last_cause, Some(Cause::close(1006)));
}

#[test]
fn a_transport_error_is_what_the_connector_makes_of_it() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).fail();
    settle(&sim, &mut connection);
    assert_eq!(connection.status().last_cause, Some(Cause::network(redial::NetworkDetail::Reset)));
}

#[test]
fn the_peers_last_words_come_before_our_failed_write() {
    type Write = fn(&Sim, &mut Connection, fail: &dyn Fn());
    let writes: [(&str, Write); 5] = [
        ("poll_ready", |sim, connection, fail| {
            fail();
            let refused = sim.settle(connection.feed(Message::Data(9))).unwrap();
            assert_eq!(refused, Err(SendError::Finished { message: Message::Data(9) }));
        }),
        ("poll_ready in a turn", |sim, connection, fail| {
            fail();
            connection.busy(true);
            sim.settle(connection.feed(Message::Data(9))).unwrap().unwrap_err();
        }),
        ("start_send", |sim, connection, fail| {
            sim.settle(std::future::poll_fn(|cx| connection.poll_ready_unpin(cx))).unwrap().unwrap();
            fail();
            let broken = SendError::Broken { cause: Cause::network(redial::NetworkDetail::Reset) };
            assert_eq!(connection.start_send_unpin(Message::Data(9)), Err(broken));
        }),
        ("poll_flush", |sim, connection, fail| {
            sim.settle(connection.feed(Message::Data(9))).unwrap().unwrap();
            fail();
            sim.settle(connection.flush()).unwrap().unwrap();
        }),
        ("the driver's own", |_, connection, fail| {
            fail();
            connection.transmit(Message::Data(9)).unwrap();
        }),
    ];
    for (name, write) in writes {
        let sim = Sim::new();
        let mut connection = opened(&sim);
        let peer = sim.net().peer(0);
        write(&sim, &mut connection, &|| {
            for words in [Message::Data(1), Message::Noise, Message::Data(2), Message::Close(1008)] {
                peer.send(words);
            }
            peer.fail();
        });
        let ended = (connection.status().phase, connection.status().last_cause);
        assert_eq!(ended, (Phase::Failed, Some(Cause::close(1008))), "{name}");
        assert_eq!(messages(&settle(&sim, &mut connection)), data(1..3), "{name}");
        assert!(peer.gone().is_some(), "{name}");
    }
}

#[test]
fn a_failed_write_does_not_wait_for_the_end_of_endless_words() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).endless(Some(Message::Data(1)));
    sim.net().peer(0).fail_writes();
    // It goes to the outbox.
    sim.settle(connection.send(Message::Data(9))).unwrap().unwrap();
    assert_eq!(connection.status().last_cause, Some(Cause::network(redial::NetworkDetail::Reset)));
    let read = messages(&settle(&sim, &mut connection)).len();
    assert!((1..=IO_PER_POLL as usize).contains(&read), "{read}");
}

#[test]
fn stop_during_a_dial_gives_it_up() {
    let sim = Sim::new();
    sim.net().otherwise(Script::Never);
    let mut connection = connection(&sim);
    settle(&sim, &mut connection);
    connection.stop();
    sim.block_on(async { while connection.next().await.is_some() {} });
    assert_eq!((connection.status().phase, sim.clock().peek()), (Phase::Closed, ms(0)));
    assert_eq!(sim.net().opened(), 0);
}

#[test]
fn a_dial_that_timed_out_is_given_up() {
    let sim = Sim::new();
    sim.net().script([Script::AcceptAfter(span(10_500)), Script::Never]);
    let mut connection = connection(&sim);
    run(&sim, &mut connection, 20_000);
    assert_eq!(sim.net().opened(), 0);
}

#[test]
fn close_leaves_what_is_still_to_be_read() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).send(Message::Data(1));
    sim.block_on(connection.close());
    let events = settle(&sim, &mut connection);
    assert_eq!(messages(&events), data(1..2));
    assert_eq!(notices(&events).last(), Some(&Notice::Phase { from: Phase::Open, to: Phase::Closed }));
    assert_eq!(sim.settle(connection.next()), Some(None));
    // Once more is once more nothing.
    sim.block_on(SinkExt::close(&mut connection)).unwrap();
}

#[test]
fn close_before_the_first_poll_never_dials() {
    let sim = Sim::new();
    let mut idle = Reconnecting::builder(sim.clock(), sim.connector(), policy(), 7).idle().build();
    sim.block_on(idle.close());
    assert_eq!(sim.settle(idle.next()), Some(None));
    assert_eq!(sim.net().dials().len(), 0);
}
