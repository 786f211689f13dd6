//! What was wrong once.

use redial::Micros;
use redial_session::{
    AckPolicy, Client, ClientConfig, ClientEvent, EndReason, Frame, FromServer, LossReason, MessageId, Outcome,
    Overflow, Server, SessionLost, Welcome,
};

use crate::support::{NOW, decode, events, frame, frames, greet, open, text, welcome};

#[test]
fn an_end_that_was_not_written_does_not_end_the_next_session() {
    let mut client = open(ClientConfig::default());
    client.end();
    greet(&mut client, &welcome(Outcome::New, 0));
    client.send(NOW, text("on the new one"), None).unwrap();
    assert!(matches!(frames(&mut client)[..], [Frame::Message { number: 1, .. }]));
}

#[test]
fn a_session_that_is_ended_while_it_is_asked_for_is_ended_once_welcomed() {
    for outcome in [Outcome::Resumed, Outcome::Replaced, Outcome::New] {
        let mut client = open(ClientConfig::default());
        client.connected();
        assert!(matches!(frame(&mut client), Some(Frame::Resume { .. })));
        events(&mut client);
        client.end();
        assert_eq!(frame(&mut client), None, "the welcome comes first");
        client.receive(NOW, Frame::Welcome(welcome(outcome, 0)).encode()).unwrap();
        assert_eq!(frames(&mut client), [Frame::End { reason: EndReason::Done }]);
        let lost = SessionLost { reason: LossReason::User, in_doubt: Vec::new() };
        assert_eq!(events(&mut client), [ClientEvent::Lost(lost)], "once");
        assert_eq!(client.session_id(), None);
    }
}

#[test]
fn what_a_stale_save_had_in_flight_is_delivered_where_the_server_has_more() {
    let mut client = open(ClientConfig::default());
    for payload in ["one", "two"] {
        client.send(NOW, text(payload), None).unwrap();
    }
    frames(&mut client);
    let stale = client.save().unwrap();
    client.send(NOW, text("three"), None).unwrap();
    frames(&mut client);

    let mut restored = Client::restore(ClientConfig::default(), stale);
    greet(&mut restored, &welcome(Outcome::Resumed, 3));
    let delivered = ClientEvent::Delivered { up_to: MessageId(2) };
    assert_eq!(events(&mut restored), [delivered, ClientEvent::Resumed { replayed: 0 }]);
    restored.send(NOW, text("four"), None).unwrap();
    assert!(matches!(frames(&mut restored)[..], [Frame::Message { number: 4, .. }]));
}

#[test]
fn events_that_nobody_reads_are_bounded() {
    const MOST: usize = 1024;
    let config = ClientConfig { messages: 1, overflow: Overflow::DropOldest, ..ClientConfig::default() };
    let mut client = open(config);
    client.disconnected();
    for _ in 0..3 * MOST {
        client.send(NOW, text("dropped by the next"), None).unwrap();
    }
    let waiting = events(&mut client);
    assert_eq!((waiting.len(), client.dropped()), (MOST, 3 * MOST as u64 - 1));
    assert!(matches!(waiting.last(), Some(ClientEvent::Dropped { id: MessageId(id), .. }) if *id == client.dropped()));

    // Too large for the server, and one connection after the other.
    for _ in 0..3 * MOST {
        client.disconnected();
        client.send(NOW, text("too large"), None).unwrap();
        greet(&mut client, &Welcome { most_payload: 1, ..welcome(Outcome::Resumed, 0) });
        assert_eq!(frame(&mut client), None);
    }
    assert_eq!(events(&mut client).len(), MOST);
}

#[test]
fn a_server_writes_nothing_after_the_end() {
    let mut server = Server::new(AckPolicy::default(), welcome(Outcome::New, 0), 0);
    server.end(EndReason::Superseded);
    server.push(text("too late"));
    let written: Vec<_> = std::iter::from_fn(|| server.transmit(NOW)).map(decode).collect();
    assert_eq!(written, [Frame::Welcome(welcome(Outcome::New, 0)), Frame::End { reason: EndReason::Superseded }]);

    // What was on its way asks for answers.
    for number in 1..=2 {
        server.receive(Frame::Message { number, received: 0, payload: text("") }.encode()).unwrap();
    }
    server.receive(Frame::Ping { id: 1 }.encode()).unwrap();
    server.committed(NOW, 2);
    server.acknowledge_now();
    assert_eq!((server.deadline(), server.transmit(NOW)), (None, None));
}

#[test]
fn a_server_writes_nothing_before_the_welcome() {
    let mut server = Server::new(AckPolicy::default(), welcome(Outcome::New, 0), 0);
    server.receive(Frame::Message { number: 1, received: 0, payload: text("") }.encode()).unwrap();
    server.committed(NOW, 1);
    server.acknowledge_now();
    assert_eq!(server.transmit(NOW).map(decode), Some(Frame::Welcome(welcome(Outcome::New, 0))));
    assert_eq!(server.transmit(NOW).map(decode), Some(Frame::Ack { received: 1 }));
}

#[test]
fn a_connection_without_a_session_is_not_open() {
    let mut client = open(ClientConfig::default());
    client.connected();
    frame(&mut client);
    let false_memory = Frame::Welcome(welcome(Outcome::Resumed, 1)).encode();
    client.receive(NOW, false_memory.clone()).unwrap_err();
    assert_eq!(client.receive(NOW, false_memory), Ok(FromServer::Nothing));
    assert!(!client.is_open());
}

/// A client gave up a greeting, which the server saw after the next one: the client was superseded by itself, and lost its session.
#[test]
fn a_client_takes_its_session_back_from_greetings_that_it_gave_up() {
    let mut client = open(ClientConfig::default());
    client.send(NOW, text("kept"), None).unwrap();
    frame(&mut client);
    let ask = |client: &mut Client| {
        client.connected();
        frame(client);
    };
    let superseded = || Frame::End { reason: EndReason::Superseded }.encode();
    ask(&mut client); // in vain
    ask(&mut client);
    client.receive(NOW, Frame::Welcome(welcome(Outcome::Resumed, 0)).encode()).unwrap();
    assert_eq!(client.receive(NOW, superseded()), Ok(FromServer::Stray));

    ask(&mut client);
    client.receive(NOW, Frame::Welcome(welcome(Outcome::Resumed, 0)).encode()).unwrap();
    assert_eq!(client.in_flight(), 1);
    // There was but one: this is somebody else.
    assert_eq!(client.receive(NOW, superseded()), Ok(FromServer::End(EndReason::Superseded)));
    assert_eq!((client.in_flight(), client.session_id()), (0, None));

    let mut client = open(ClientConfig::default());
    ask(&mut client); // in vain, but long ago
    ask(&mut client);
    client.receive(NOW, Frame::Welcome(welcome(Outcome::Resumed, 0)).encode()).unwrap();
    let later = NOW.saturating_add(Micros::from_secs(60));
    assert_eq!(client.receive(later, superseded()), Ok(FromServer::End(EndReason::Superseded)));
}

#[test]
fn what_the_application_has_not_got_is_neither_acknowledged_nor_saved_as_received() {
    let mut client = open(ClientConfig::default());
    for number in 1..=2 {
        let message = Frame::Message { number, received: 0, payload: text("") };
        assert!(matches!(client.receive(NOW, message.encode()), Ok(FromServer::Message(_))));
    }
    let later = NOW.saturating_add(Micros::from_secs(1));
    assert_eq!((client.deadline(), client.transmit(later)), (None, None));
    assert_eq!(client.save().unwrap().received, 0);
    client.taken(NOW);
    assert_eq!(client.transmit(later), Some(redial_session::Transmit::Frame(Frame::Ack { received: 1 }.encode())));
    assert_eq!(client.save().unwrap().received, 1);
}
