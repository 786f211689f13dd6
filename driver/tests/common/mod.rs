//! What the tests share.
#![allow(dead_code)] // each test file uses its part

use futures_util::StreamExt;
use redial::{Jitter, Micros, Notice, Phase, Policy, PolicyBuilder, Timestamp};
use redial_driver::testing::{Message, Sim, TestClock, TestConnector};
use redial_driver::{Event, Reconnecting, Record};

pub(crate) type Connection<R = ()> = Reconnecting<TestClock, TestConnector, R>;

/// `chat` without jitter.
pub(crate) fn plain() -> PolicyBuilder {
    Policy::builder().jitter(Jitter::None)
}

pub(crate) fn policy() -> Policy {
    plain().build().unwrap()
}

pub(crate) fn connection(sim: &Sim) -> Connection {
    Reconnecting::builder(sim.clock(), sim.connector(), policy(), 7).build()
}

/// Open, and everything about it read.
pub(crate) fn opened(sim: &Sim) -> Connection {
    let mut connection = connection(sim);
    settle(sim, &mut connection);
    assert_eq!(connection.status().phase, Phase::Open);
    connection
}

/// What can be read without letting time pass.
pub(crate) fn settle<R: Record>(sim: &Sim, connection: &mut Connection<R>) -> Vec<Event<Message>> {
    let mut events = Vec::new();
    sim.settle(async {
        while let Some(event) = connection.next().await {
            events.push(event);
        }
    });
    events
}

/// What is read until so many milliseconds after 0, and when.
pub(crate) fn run<R: Record>(sim: &Sim, connection: &mut Connection<R>, until: u64) -> Vec<(u64, Event<Message>)> {
    let mut events = Vec::new();
    let clock = sim.clock();
    sim.run_until(until, async {
        while let Some(event) = connection.next().await {
            events.push((clock.peek().as_micros() / 1000, event));
        }
    });
    events
}

/// Reads until the connection is open.
pub(crate) async fn open<R: Record>(connection: &mut Connection<R>) {
    while let Some(event) = connection.next().await {
        if matches!(event, Event::Notice(Notice::Opened { .. })) {
            return;
        }
    }
    panic!("never opened");
}

pub(crate) fn messages(events: &[Event<Message>]) -> Vec<Message> {
    events.iter().cloned().filter_map(Event::into_message).collect()
}

pub(crate) fn notices(events: &[Event<Message>]) -> Vec<Notice> {
    let notice = |event: &Event<Message>| if let Event::Notice(notice) = event { Some(*notice) } else { None };
    events.iter().filter_map(notice).collect()
}

pub(crate) fn data(range: std::ops::Range<u64>) -> Vec<Message> {
    range.map(Message::Data).collect()
}

pub(crate) fn ms(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn span(millis: u64) -> Micros {
    Micros::from_millis(millis)
}
