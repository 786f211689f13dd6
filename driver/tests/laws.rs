//! The driver's laws, each by its name.

// Tests may panic, and read what they expect only.
#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod common;

use common::*;
use futures_util::{SinkExt, StreamExt};
use redial::{Cause, DialBudget, HoldReason, NetworkDetail, Notice, Phase, Policy};
use redial_driver::testing::{Message, Script, Sim};
use redial_driver::{Event, Reconnecting};

#[test]
fn clock_before_timer() {
    let sim = Sim::new();
    sim.net().otherwise(Script::Never);
    let mut connection = connection(&sim);
    settle(&sim, &mut connection);
    // The time has come and the timer does not know.
    sim.clock().set(ms(10_000));
    let events = settle(&sim, &mut connection);
    assert!(notices(&events).iter().any(|n| matches!(n, Notice::AttemptFailed { cause: Cause::Timeout, .. })));
}

#[test]
fn deadline_re_read_after_a_command() {
    let sim = Sim::new();
    sim.net().script([Script::Fail(Cause::NETWORK), Script::Never]);
    let mut connection = connection(&sim);
    let handle = connection.handle();
    sim.at(500, move || handle.reconnect());
    let events = run(&sim, &mut connection, 10_600);
    let failed: Vec<u64> =
        events.iter().filter(|(_, e)| matches!(e, Event::Notice(Notice::AttemptFailed { .. }))).map(|e| e.0).collect();
    // Neither when the first retry was due, nor when a dial of then would have timed out.
    assert_eq!(failed, [0, 10_500]);
    assert_eq!(sim.net().dials().len(), 2);
}

#[test]
fn deadline_re_read_when_it_moves_nearer() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).go_silent();
    let handle = connection.handle();
    // The alarm stands at 5000, the first ping. This one goes out at once, and its answer is due at 4000.
    sim.at(1000, move || handle.hold(HoldReason::Offline));
    let events = run(&sim, &mut connection, 4900);
    let lost = events.iter().find(|(_, e)| matches!(e, Event::Notice(Notice::Lost { .. })));
    assert_eq!(lost.map(|e| e.0), Some(4000));
}

#[test]
fn finished_io_beats_its_own_timer_in_a_dial() {
    for late in [0, 5_000_000] {
        let sim = Sim::new();
        sim.net().script([Script::AcceptAfter(span(10_000))]);
        let mut connection = connection(&sim);
        settle(&sim, &mut connection);
        sim.clock().set(ms(10_000).saturating_add(redial::Micros::from_micros(late)));
        sim.clock().advance();
        settle(&sim, &mut connection);
        assert_eq!(connection.status().phase, Phase::Open, "late by {late} µs");
        assert_eq!(connection.stats().attempts_failed, 0);
    }
}

/// A connection whose ping is answered, with the answer unread and its timer run down.
fn with_unread_pong(sim: &Sim) -> Connection {
    let mut connection = opened(sim);
    sim.net().peer(0).set_latency(span(2000));
    run(sim, &mut connection, 5000);
    assert_eq!(sim.net().peer(0).pings(), 1);
    sim.net().peer(0).send(Message::Data(1));
    sim.net().peer(0).send(Message::Pong(1));
    sim.clock().set(ms(8500));
    connection
}

#[test]
fn finished_io_beats_its_own_timer_in_a_health_check() {
    let sim = Sim::new();
    let mut connection = with_unread_pong(&sim);
    let notices = notices(&settle(&sim, &mut connection));
    assert!(notices.iter().any(|n| matches!(n, Notice::HealthCheck { .. })), "{notices:?}");
    assert_eq!(connection.stats().lost, 0);
}

#[test]
fn finished_io_beats_its_own_timer_when_a_command_comes_in_between() {
    let sim = Sim::new();
    let mut connection = with_unread_pong(&sim);
    connection.handle().hold(HoldReason::Hidden);
    settle(&sim, &mut connection);
    assert_eq!((connection.stats().lost, connection.status().phase), (0, Phase::Open));
    assert!(connection.machine().holds().contains(HoldReason::Hidden));
}

#[test]
fn finished_io_beats_its_own_timer_when_only_the_sink_is_polled() {
    let sim = Sim::new();
    let mut connection = with_unread_pong(&sim);
    for n in 0..1000 {
        sim.settle(connection.send(Message::Data(n))).unwrap().unwrap();
    }
    assert_eq!(connection.stats().lost, 0);
    assert_eq!(sim.net().peer(0).arrived().len(), 1000);
}

#[test]
fn a_timer_that_rings_early_starts_nothing_early_and_no_spin() {
    let sim = Sim::new();
    sim.clock().wake_early(span(300));
    sim.net().otherwise(Script::Fail(Cause::network(NetworkDetail::Refused)));
    let mut connection = connection(&sim);
    run(&sim, &mut connection, 3500);
    let dials: Vec<_> = sim.net().dials().into_iter().map(|(at, _)| at).collect();
    assert_eq!(dials, [ms(0), ms(1000), ms(3000)]);
}

#[test]
fn a_burst_looks_at_the_clock_only_while_a_ping_is_unanswered() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).go_silent(); // it answers no pings
    let mut looks = || {
        (0..100).for_each(|n| sim.net().peer(0).send(Message::Data(n)));
        let before = sim.clock().reads();
        assert_eq!(messages(&settle(&sim, &mut connection)), data(0..100));
        let reads = sim.clock().reads() - before;
        // The first ping goes out at 5000.
        run(&sim, &mut connection, 5500);
        (reads, connection.machine().awaits_pong())
    };
    assert_eq!(looks(), (0, true));
    // Once to tell the machine, once because its deadline has moved.
    assert_eq!(looks(), (2, true));
}

#[test]
fn a_quiet_poll_sets_no_timer_anew() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    let before = sim.clock().sleeps();
    for n in 0..10 {
        sim.net().peer(0).send(Message::Data(n));
        assert_eq!(settle(&sim, &mut connection), [Event::Message(Message::Data(n))]);
    }
    assert_eq!(sim.clock().sleeps(), before);
}

#[test]
fn single_flight() {
    let sim = Sim::new();
    let (refused, slow) = (Script::Fail(Cause::NETWORK), Script::AcceptAfter(span(700)));
    sim.net().script([slow, refused, Script::Never, Script::AcceptAndDrop, slow, Script::Accept]);
    let mut connection = connection(&sim);
    for at in (0..60_000).step_by(900) {
        let handle = connection.handle();
        sim.at(at, move || handle.reconnect());
    }
    run(&sim, &mut connection, 60_000);
    assert!(sim.net().dials().len() > 10);
    assert_eq!(sim.net().most_at_once(), 1);
}

#[test]
fn accept_then_drop_obeys_the_budget() {
    let sim = Sim::new();
    sim.net().otherwise(Script::AcceptAndDrop);
    let hasty = plain()
        .base_delay(span(0))
        .min_delay(span(0))
        .max_attempts(None)
        .dial_budget(Some(DialBudget { burst: 5, refill: span(1000) }))
        .build()
        .unwrap();
    let mut connection = Reconnecting::builder(sim.clock(), sim.connector(), hasty, 7).build();
    run(&sim, &mut connection, 60_000);
    let dials: Vec<u64> = sim.net().dials().into_iter().map(|(at, _)| at.as_micros() / 1000).collect();
    assert!(dials.len() >= 60, "{}", dials.len());
    for (n, first) in dials.iter().enumerate() {
        for (m, last) in dials.iter().enumerate().skip(n) {
            assert!(m - n < 5 + (last - first) as usize / 1000, "{first} to {last}");
        }
    }
}

#[test]
fn what_was_read_ahead_and_not_yet_read_is_no_silence() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    let peer = sim.net().peer(0);
    peer.block(true);
    (0..200).for_each(|n| peer.send(Message::Data(n)));
    // The writer is blocked and nobody reads: there may be a pong behind what is not read.
    assert!(sim.run_until(30_000, connection.send(Message::Data(1))).is_none());
    assert!(peer.unread() > 0);
    assert_eq!(connection.stats().lost, 0);
}

#[test]
fn traffic_is_life() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    let peer = sim.net().peer(0);
    peer.go_silent();
    for at in (6000..20_000).step_by(2000) {
        let peer = peer.clone();
        sim.at(at, move || peer.send(Message::Data(1)));
    }
    // The last sign of life comes at 18 s.
    let events = run(&sim, &mut connection, 22_000);
    let lost = events.iter().find(|(_, e)| matches!(e, Event::Notice(Notice::Lost { .. })));
    assert_eq!(lost.map(|e| e.0), Some(21_000));
}

#[test]
fn a_timer_that_rang_early_among_messages_is_set_again() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.clock().wake_early(span(300));
    run(&sim, &mut connection, 6000); // the ping of 5000, and the next alarm rings at 9700
    let peer = sim.net().peer(0);
    let sender = peer.clone();
    sim.at(9700, move || (0..2).for_each(|n| sender.send(Message::Data(n))));
    run(&sim, &mut connection, 10_001);
    assert_eq!(peer.pings(), 2);
}

#[test]
fn a_stale_connections_events_are_never_fed_as_the_new_ones() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).go_silent(); // it does not answer the close, so that it lives on
    connection.reconnect();
    settle(&sim, &mut connection);
    let old = sim.net().peer(0);
    old.send(Message::Data(666));
    old.send(Message::Pong(1));
    old.send(Message::Close(1000));
    old.fail();
    sim.net().peer(1).send(Message::Data(1));
    let events = settle(&sim, &mut connection);
    assert_eq!(messages(&events), data(1..2));
    assert_eq!(connection.status().phase, Phase::Open);
    assert_eq!((connection.stats().stale_inputs, connection.stats().misplaced_inputs), (0, 0));
}

#[test]
fn next_is_cancel_safe() {
    let sim = Sim::new();
    sim.net().script([Script::AcceptAfter(span(500))]);
    let mut connection = connection(&sim);
    (0..50).for_each(|n| {
        let net = sim.net().clone();
        sim.at(1000 + n, move || net.peer(0).send(Message::Data(n)));
    });
    let mut events = Vec::new();
    // Each `next()` is given up after 1 ms.
    for at in 1..1100 {
        if let Some(Some(event)) = sim.run_until(at, connection.next()) {
            events.push(event);
        }
    }
    assert_eq!(messages(&events), data(0..50));
    assert_eq!(sim.net().dials().len(), 1);
}

#[test]
fn a_transport_without_pings_has_no_health_checks() {
    let sim = Sim::new();
    sim.net().without_pings();
    let mut connection = connection(&sim);
    assert_eq!(connection.machine().policy().health_check_interval(), None);
    let events = run(&sim, &mut connection, 600_000);
    assert!(events.iter().all(|(_, e)| !matches!(e, Event::Notice(Notice::Lost { .. }))));

    let closure = |_| std::future::pending::<Result<redial_driver::testing::TestConnection, Cause>>();
    let connection = Reconnecting::builder(sim.clock(), closure, Policy::chat(), 7).build();
    assert_eq!(connection.machine().policy().health_check_interval(), None);
}
