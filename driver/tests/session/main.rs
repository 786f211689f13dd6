//! A session over a connection, on virtual time.

#![allow(clippy::unwrap_used, clippy::panic)] // tests may panic

mod world;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, SinkExt, StreamExt};
use redial::{Cause, Jitter, Micros, Notice, Phase, Policy, Timestamp};
use redial_driver::testing::{Sim, TestClock};
use redial_driver::{Clock, OutboxLimits, Overflow, Protocol, SendError, Session, SessionEvent};
use redial_session::{Advice, ClientEvent, EndReason, GivenUp, LossReason, MessageId, Payload};
use world::{Carried, Connector, Speaks, World};

type Chat = Session<TestClock, Connector>;

/// Dials after exactly 100 ms, always.
fn policy() -> Policy {
    let policy = Policy::builder().base_delay(Micros::from_millis(100)).max_delay(Micros::from_millis(100));
    policy.jitter(Jitter::None).max_attempts(None).dial_budget(None).build().unwrap()
}

fn chat(sim: &Sim) -> (World, Chat) {
    let world = World::new(sim);
    let chat = world.session(sim, policy(), OutboxLimits::default());
    (world, chat)
}

/// Everything that happens until so many milliseconds.
fn events(sim: &Sim, chat: &mut Chat, until: u64) -> Vec<SessionEvent> {
    let mut events = Vec::new();
    sim.run_until(until, async {
        while let Some(event) = chat.next().await {
            events.push(event);
        }
    });
    events
}

fn of_session(events: Vec<SessionEvent>) -> Vec<ClientEvent> {
    let only = |event| if let SessionEvent::Session(event) = event { Some(event) } else { None };
    events.into_iter().filter_map(only).collect()
}

fn messages(events: Vec<SessionEvent>) -> Vec<String> {
    events.into_iter().filter_map(SessionEvent::into_message).map(|m| m.as_text().unwrap().to_owned()).collect()
}

const STARTED: ClientEvent = ClientEvent::Started { ttl: Micros::from_secs(300) };

#[test]
fn what_waits_for_a_connection_is_delivered_and_receipted() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    world.lock().speaks = Speaks::Nothing;
    for text in ["a", "b"] {
        chat.post(text, None).unwrap();
    }
    assert!(of_session(events(&sim, &mut chat, 150)).is_empty());
    assert_eq!((chat.status().pending, chat.status().protocol), (2, None));
    world.lock().speaks = Speaks::Session;
    let happened = of_session(events(&sim, &mut chat, 1000));
    let delivered = [1, 2].map(|id| ClientEvent::Delivered { up_to: MessageId(id) });
    assert_eq!(happened, [&[STARTED], &delivered[..]].concat());
    assert_eq!(world.lock().arrived, ["a", "b"]);
    assert_eq!((chat.status().pending, chat.status().protocol), (0, Some(Protocol::Session)));
}

#[test]
fn what_a_dead_connection_had_is_sent_again_and_comes_once() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    chat.post("a", None).unwrap();
    events(&sim, &mut chat, 10);
    // These are written, and nobody answers.
    world.set_deaf(true);
    sim.settle(async { chat.send("b".into()).await.unwrap() });
    world.push("from the server");
    world.cut();
    sim.settle(async { chat.send("c".into()).await.unwrap() });
    world.set_deaf(false);
    let happened = events(&sim, &mut chat, 1000);
    assert_eq!(messages(happened.clone()), ["from the server"]);
    let delivered = [2, 3].map(|id| ClientEvent::Delivered { up_to: MessageId(id) });
    assert_eq!(of_session(happened), [&[ClientEvent::Resumed { replayed: 1 }], &delivered[..]].concat());
    assert_eq!(world.lock().arrived, ["a", "b", "c"]);
}

#[test]
fn a_server_that_forgot_gets_what_was_never_sent_and_the_rest_is_handed_back() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    events(&sim, &mut chat, 10);
    world.set_deaf(true);
    sim.settle(async { chat.send("in doubt".into()).await.unwrap() });
    world.cut();
    world.forget();
    world.set_deaf(false);
    events(&sim, &mut chat, 20);
    chat.post("never sent", None).unwrap();
    let happened = of_session(events(&sim, &mut chat, 1000));
    let [ClientEvent::Lost(lost), started, delivered] = &happened[..] else { panic!("{happened:?}") };
    assert_eq!(lost.reason, LossReason::Unknown);
    let in_doubt: Vec<_> = lost.in_doubt.iter().map(|m| (m.id, m.payload.as_text().unwrap())).collect();
    assert_eq!(in_doubt, [(MessageId(1), "in doubt")]);
    assert_eq!((started, delivered), (&STARTED, &ClientEvent::Delivered { up_to: MessageId(2) }));
    assert_eq!(world.lock().arrived, ["never sent"]);
}

#[test]
fn a_server_without_sessions_gets_plain_messages_and_the_user_is_told() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    world.lock().speaks = Speaks::Plain;
    chat.post("a", None).unwrap();
    sim.at(50, {
        let world = world.clone();
        move || world.say(Carried::Plain(Payload::text("hello")))
    });
    let happened = events(&sim, &mut chat, 100);
    assert_eq!(of_session(happened.clone()), [ClientEvent::Plain]);
    assert_eq!(messages(happened), ["hello"]);
    sim.settle(async { chat.send("b".into()).await.unwrap() });
    assert_eq!(world.lock().arrived, ["a", "b"]);
    assert_eq!(chat.status().protocol, Some(Protocol::Plain));
    // Back, and it has learnt.
    world.lock().speaks = Speaks::Session;
    world.cut();
    assert_eq!(of_session(events(&sim, &mut chat, 1000)), [STARTED]);
}

#[test]
fn an_acknowledgement_waits_for_a_message_to_ride_on_and_then_for_its_time() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    events(&sim, &mut chat, 10);
    sim.at(100, {
        let world = world.clone();
        move || world.push("one")
    });
    events(&sim, &mut chat, 149);
    assert!(world.lock().acks_heard.is_empty());
    events(&sim, &mut chat, 151);
    assert_eq!(world.lock().acks_heard, [1]);
    sim.at(200, {
        let world = world.clone();
        move || world.push("two")
    });
    events(&sim, &mut chat, 201);
    sim.settle(async { chat.send("answer".into()).await.unwrap() });
    assert_eq!(world.lock().acks_heard, [1, 2]);
    events(&sim, &mut chat, 1000);
    assert_eq!(world.lock().acks_heard, [1, 2]);
}

#[test]
fn an_acknowledgement_that_the_connection_does_not_take_spins_nothing() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    events(&sim, &mut chat, 10);
    world.set_blocked(true);
    world.push("one");
    events(&sim, &mut chat, 1000);
    assert!(world.lock().acks_heard.is_empty());
    world.set_blocked(false);
    events(&sim, &mut chat, 1001);
    assert_eq!(world.lock().acks_heard, [1]);
}

#[test]
fn going_away_delays_the_next_dial_and_names_its_place() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    events(&sim, &mut chat, 10);
    let redirect = Some("wss://other.example/".to_owned());
    world.going_away(Advice {
        min_delay: Some(Micros::from_secs(2)),
        spread: Some(Micros::ZERO),
        redirect,
        stop: false,
    });
    world.say(Carried::Close(1012));
    events(&sim, &mut chat, 5000);
    assert_eq!(world.lock().dials, [Timestamp::ZERO, Timestamp::from_millis(2010)]);
    assert_eq!(world.lock().redirects, ["wss://other.example/"]);
}

#[test]
fn a_superseded_session_does_not_come_back() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    events(&sim, &mut chat, 10);
    world.end(EndReason::Superseded);
    let happened = events(&sim, &mut chat, 10_000);
    let superseded =
        |event: &SessionEvent| matches!(event, SessionEvent::Notice(Notice::GaveUp { cause: Cause::Superseded, .. }));
    assert!(happened.iter().any(superseded), "{happened:?}");
    let lost = of_session(happened);
    assert!(
        matches!(&lost[..], [ClientEvent::Lost(lost)] if lost.reason == LossReason::Ended(EndReason::Superseded)),
        "{lost:?}"
    );
    assert_eq!(chat.connection().status().phase, Phase::Failed);
    assert_eq!(world.lock().dials.len(), 1);
    assert!(matches!(chat.post("late", None), Err(SendError::Finished { .. })));
}

#[test]
fn a_session_that_ended_is_followed_by_another() {
    for reason in [EndReason::Overflow, EndReason::Gone] {
        let sim = Sim::new();
        let (world, mut chat) = chat(&sim);
        events(&sim, &mut chat, 10);
        world.end(reason);
        world.forget();
        let happened = of_session(events(&sim, &mut chat, 10_000));
        assert!(matches!(&happened[..], [ClientEvent::Lost(_), STARTED]), "{reason:?} {happened:?}");
    }
}

#[test]
fn a_message_is_given_up_at_its_deadline_and_not_before() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    world.lock().speaks = Speaks::Nothing;
    chat.post("soon", Some(Micros::from_millis(300))).unwrap();
    chat.post("whenever", None).unwrap();
    let given_up = sim.run_until(1000, async {
        loop {
            if let SessionEvent::Session(event) = chat.next().await.unwrap() {
                return (sim.clock().now(), event);
            }
        }
    });
    let dropped = ClientEvent::Dropped { id: MessageId(1), payload: Payload::text("soon"), reason: GivenUp::Expired };
    assert_eq!(given_up, Some((Timestamp::from_millis(300), dropped)));
    world.lock().speaks = Speaks::Session;
    events(&sim, &mut chat, 2000);
    assert_eq!(world.lock().arrived, ["whenever"]);
}

#[test]
fn a_full_outbox_waits_for_acknowledgements_while_a_connection_is_open() {
    let sim = Sim::new();
    let world = World::new(&sim);
    let mut chat = world.session(&sim, policy(), OutboxLimits { messages: 2, ..OutboxLimits::default() });
    events(&sim, &mut chat, 10);
    world.set_deaf(true);
    sim.settle(async {
        chat.send("a".into()).await.unwrap();
        chat.send("b".into()).await.unwrap();
    });
    assert_eq!(sim.settle(chat.send("c".into())), None, "it waits");
    world.set_deaf(false);
    world.cut(); // what was written is heard on the next connection
    sim.settle(async { while chat.next().now_or_never().is_some() {} });
    // None is open: the limit decides.
    assert!(matches!(sim.settle(chat.send("c".into())), Some(Err(SendError::Full { .. }))));
    sim.run_until(1000, async {
        while chat.next().await.is_some() {
            if chat.status().pending == 0 {
                chat.send("c".into()).await.unwrap();
                return;
            }
        }
    });
    assert_eq!(world.lock().arrived, ["a", "b", "c"]);
}

#[test]
fn receipts_that_nobody_reads_stop_no_writer() {
    let sim = Sim::new();
    let world = World::new(&sim);
    let mut chat = world.session(&sim, policy(), OutboxLimits { messages: 2, ..OutboxLimits::default() });
    events(&sim, &mut chat, 10);
    let sent = sim.settle(async {
        for number in 0..3000 {
            chat.send(number.to_string().into()).await.unwrap();
        }
    });
    assert_eq!(sent, Some(()));
    // One for all that came while nobody read, and one for each of the two that were still on their way.
    let receipts = [2998, 2999, 3000].map(|id| ClientEvent::Delivered { up_to: MessageId(id) });
    assert_eq!(of_session(events(&sim, &mut chat, 20)), receipts);
}

#[test]
fn an_outbox_that_waits_waits_without_a_connection_too() {
    let sim = Sim::new();
    let world = World::new(&sim);
    world.lock().speaks = Speaks::Nothing;
    let outbox = OutboxLimits { messages: 1, overflow: Overflow::Wait, ..OutboxLimits::default() };
    let mut chat = world.session(&sim, policy(), outbox);
    sim.settle(chat.send("a".into()));
    sim.at(500, {
        let world = world.clone();
        move || world.lock().speaks = Speaks::Session
    });
    // A task that only sends drives the session as well.
    let sent = sim.run_until(2000, async {
        chat.send("b".into()).await.unwrap();
        sim.clock().now()
    });
    assert_eq!(sent, Some(Timestamp::from_millis(500)));
    assert_eq!(world.lock().arrived, ["a", "b"]);
}

#[test]
fn what_makes_no_sense_ends_the_connection_and_not_the_session() {
    let nonsense = [
        Carried::Frame(bytes::Bytes::from_static(&[0x7f])),
        Carried::Plain(Payload::text("a text")),
        Carried::Frame(redial_session::Frame::Ack { received: 99 }.encode()),
    ];
    for nonsense in nonsense {
        let sim = Sim::new();
        let (world, mut chat) = chat(&sim);
        events(&sim, &mut chat, 10);
        world.say(nonsense);
        let happened = events(&sim, &mut chat, 1000);
        let lost =
            |event: &SessionEvent| matches!(event, SessionEvent::Notice(Notice::Lost { cause: Cause::Protocol, .. }));
        assert_eq!(happened.iter().filter(|event| lost(event)).count(), 1);
        assert_eq!(of_session(happened), [ClientEvent::Resumed { replayed: 0 }]);
    }
}

#[test]
fn a_welcome_that_does_not_come_is_a_failed_dial() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    world.set_deaf(true);
    let happened = events(&sim, &mut chat, 10_050);
    let timed_out = |event: &SessionEvent| {
        matches!(event, SessionEvent::Notice(Notice::AttemptFailed { cause: Cause::Timeout, .. }))
    };
    assert_eq!(happened.iter().filter(|event| timed_out(event)).count(), 1);
    world.set_deaf(false);
    assert_eq!(of_session(events(&sim, &mut chat, 20_000)), [STARTED]);
}

#[test]
fn a_close_acknowledges_what_came_and_keeps_the_session() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    events(&sim, &mut chat, 10);
    world.push("one");
    sim.settle(chat.next());
    sim.run_until(100, chat.close());
    assert_eq!(world.lock().acks_heard, [1]);
    let saved = chat.save().unwrap();
    assert_eq!((saved.id, saved.received), (world::ID, 1));
    chat.connection().start();
    assert_eq!(of_session(events(&sim, &mut chat, 1000)), [ClientEvent::Resumed { replayed: 0 }]);
}

#[test]
fn an_end_is_told_to_the_server() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    events(&sim, &mut chat, 10);
    sim.run_until(100, chat.end());
    assert_eq!(chat.save(), None);
    chat.connection().start();
    let happened = of_session(events(&sim, &mut chat, 1000));
    assert!(matches!(&happened[..], [ClientEvent::Lost(lost), STARTED] if lost.reason == LossReason::User));
    assert_eq!(world.lock().dials.len(), 2);
}

/// Two tasks have the halves; each is polled only when it itself was woken.
#[test]
fn a_writer_that_waits_hears_of_what_the_reader_did() {
    for reader_first in [true, false] {
        let sim = Sim::new();
        let world = World::new(&sim);
        let mut chat = world.session(&sim, policy(), OutboxLimits { messages: 1, ..OutboxLimits::default() });
        events(&sim, &mut chat, 10);
        world.set_deaf(true);
        sim.settle(async { chat.send("a".into()).await.unwrap() });
        let (mut writer, mut reader) = chat.split();
        let write =
            async { assert!(matches!(writer.send("b".into()).await, Err(SendError::Finished { .. }))) }.boxed_local();
        let read = async { while reader.next().await.is_some() {} }.boxed_local();
        sim.at(100, move || world.say(Carried::Close(1008))); // which stops the client
        let tasks = if reader_first { [write, read] } else { [read, write] };
        let mut tasks: FuturesUnordered<_> = tasks.into_iter().collect();
        assert_eq!(sim.run_until(2000, async { while tasks.next().await.is_some() {} }), Some(()), "{reader_first}");
    }
}

#[test]
fn what_was_read_ahead_is_not_acknowledged_before_it_is_handed_on() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    events(&sim, &mut chat, 10);
    world.push("one");
    world.push("two");
    sim.settle(chat.next());
    assert_eq!(chat.save().unwrap().received, 1);
    sim.settle(chat.next());
    assert_eq!(chat.save().unwrap().received, 2);
}

#[test]
fn an_end_right_after_the_welcome_is_told_too() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    sim.settle(async {
        while !matches!(chat.next().await, Some(SessionEvent::Session(ClientEvent::Started { .. }))) {}
    });
    assert_eq!(chat.connection().status().phase, Phase::Handshaking);
    sim.run_until(100, chat.end());
    assert!(!world.has_session());
}

#[test]
fn a_handle_sends_from_elsewhere() {
    let sim = Sim::new();
    let (world, mut chat) = chat(&sim);
    let handle = chat.handle();
    events(&sim, &mut chat, 10);
    sim.at(50, move || {
        handle.send("from elsewhere").unwrap();
    });
    let happened = of_session(events(&sim, &mut chat, 1000));
    assert_eq!(happened, [ClientEvent::Delivered { up_to: MessageId(1) }]);
    assert_eq!(world.lock().arrived, ["from elsewhere"]);
}
