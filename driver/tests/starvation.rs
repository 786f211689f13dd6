//! Nobody starves: neither timers and commands under endless traffic, nor whoever reads, nor other tasks.

// Tests may panic, and read what they expect only.
#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod common;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use common::*;
use futures_core::Stream;
use futures_sink::Sink;
use futures_util::StreamExt;
use redial::{Cause, Notice, Phase, Timestamp};
use redial_driver::testing::{Message, Script, Sim};
use redial_driver::{Event, IO_PER_POLL, Reconnecting};

#[test]
fn no_starvation_of_pings_under_endless_messages() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).endless(Some(Message::Data(1)));
    sim.block_on(async {
        for n in 1..=5_000_u64 + u64::from(IO_PER_POLL) {
            assert_eq!(next_message(&mut connection).await, Some(Message::Data(1)));
            sim.clock().set(ms(n));
        }
    });
    assert_eq!(sim.net().peer(0).pings(), 1);
    assert_eq!(connection.machine().stats(ms(6000)).longest_outage, span(5000).saturating_add(lateness(&connection)));
}

/// How much later than 5000 ms the connection was found stable.
fn lateness(connection: &Connection) -> redial::Micros {
    let late = connection.stats().longest_outage.saturating_sub(span(5000));
    assert!(late <= span(u64::from(IO_PER_POLL)), "{late}");
    late
}

async fn next_message(connection: &mut Connection) -> Option<Message> {
    while let Some(event) = connection.next().await {
        if let Event::Message(message) = event {
            return Some(message);
        }
    }
    None
}

#[test]
fn no_starvation_of_commands_under_endless_messages() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).endless(Some(Message::Data(1)));
    let handle = connection.handle();
    let read = sim.block_on(async {
        let mut read = 0;
        while connection.status().phase == Phase::Open {
            connection.next().await;
            read += 1;
            if read == 1000 {
                handle.stop();
            }
        }
        read
    });
    assert!(read <= 1001, "{read} messages were read, though it was stopped after 1000");
    assert_eq!(connection.status().phase, Phase::Closed);
}

#[test]
fn no_starvation_within_one_poll_under_endless_control_traffic() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).endless(Some(Message::Noise));
    let mut polls = 0_u64;
    sim.block_on(poll_fn(|cx| {
        polls += 1;
        sim.clock().set(ms(polls * 10));
        let _ = Pin::new(&mut connection).poll_next(cx);
        if sim.net().peer(0).pings() == 1 { Poll::Ready(()) } else { Poll::Pending }
    }));
    assert!(polls < 510, "the ping of 5000 ms came at poll {polls}");
}

#[test]
fn yields_after_a_budget_of_messages() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).endless(Some(Message::Data(1)));
    let mut in_a_row = 0;
    let mut yields = 0;
    sim.block_on(poll_fn(|cx| {
        while Pin::new(&mut connection).poll_next(cx).is_ready() {
            in_a_row += 1;
            assert!(in_a_row <= IO_PER_POLL);
        }
        in_a_row = 0;
        yields += 1;
        if yields == 10 { Poll::Ready(()) } else { Poll::Pending }
    }));
}

/// Writes until the sink gives others a turn, which is after a budget of messages, less what the last look aside took.
fn write_a_budget(sim: &Sim, connection: &mut Connection) {
    let written = sim.settle(poll_fn(|cx| {
        let mut written = 0;
        while Pin::new(&mut *connection).poll_ready(cx).is_ready() {
            Pin::new(&mut *connection).start_send(Message::Data(1)).unwrap();
            written += 1;
        }
        Poll::Ready(written)
    }));
    assert!(written.is_some_and(|written| (IO_PER_POLL - 2..=IO_PER_POLL).contains(&written)), "{written:?}");
}

#[test]
fn whoever_writes_without_end_looks_aside_now_and_then() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    let peer = sim.net().peer(0);
    // There is always more to read: each look aside reads one message, and none begins to wait for the peer.
    peer.go_silent();
    (0..100).for_each(|n| peer.send(Message::Data(n)));
    let mut looks_at = |micros: u64| {
        sim.clock().set(Timestamp::from_micros(micros));
        let unread = peer.unread();
        write_a_budget(&sim, &mut connection);
        unread - peer.unread()
    };
    let looks: Vec<usize> = [1, 19_999, 20_000, 20_000, 39_999, 40_000, 4_990_000].map(&mut looks_at).into();
    assert_eq!(looks, [0, 0, 1, 0, 0, 1, 1], "20 ms after the last look, and not before");
    assert_eq!((looks_at(4_999_999), peer.pings()), (0, 0));
    assert_eq!((looks_at(5_000_000), peer.pings()), (1, 1), "a ping is due, 10 ms after the last look");
    assert_eq!([5_000_000, 5_019_999, 5_020_000].map(looks_at), [0, 0, 1]);
}

#[test]
fn notices_are_not_starved_by_endless_control_traffic() {
    let sim = Sim::new();
    let mut connection = opened(&sim);
    sim.net().peer(0).go_silent();
    sim.net().peer(0).endless(Some(Message::Noise));
    sim.clock().set(ms(5000));
    let event = sim.block_on(connection.next());
    assert!(matches!(event, Some(Event::Notice(Notice::Stable { .. }))), "{event:?}");
}

#[test]
fn dials_that_fail_at_once_do_not_outrun_the_reader() {
    let sim = Sim::new();
    sim.net().otherwise(Script::Fail(Cause::NETWORK));
    let frantic = plain().base_delay(span(0)).min_delay(span(0)).max_attempts(None).dial_budget(None).build().unwrap();
    let mut connection = Reconnecting::builder(sim.clock(), sim.connector(), frantic, 7).build();
    let (mut failed, mut scheduled) = (0, 0);
    sim.block_on(async {
        while failed < 3000 {
            match connection.next().await {
                Some(Event::Notice(Notice::AttemptFailed { connection, .. })) => {
                    assert_eq!((connection.0, scheduled), (failed + 1, failed), "a notice is missing");
                    failed += 1;
                }
                Some(Event::Notice(Notice::RetryScheduled(_))) => scheduled += 1,
                _ => {}
            }
        }
    });
}

#[test]
fn a_dial_that_fails_at_once_for_ever_does_not_hang_a_poll() {
    let sim = Sim::new();
    sim.net().otherwise(Script::Fail(Cause::NETWORK));
    let frantic = plain().base_delay(span(0)).min_delay(span(0)).max_attempts(None).dial_budget(None).build().unwrap();
    let mut connection = Reconnecting::builder(sim.clock(), sim.connector(), frantic, 7).build();
    let handle = connection.handle();
    sim.block_on(async {
        for _ in 0..10_000 {
            connection.next().await;
        }
        handle.stop();
        while connection.next().await.is_some() {}
    });
    assert_eq!(connection.status().phase, Phase::Closed);
}
