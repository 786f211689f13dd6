//! A session that goes on from what was saved, however little that was. The laws' world saves exactly; here it is less.

use redial_session::{Client, ClientConfig, ClientEvent, Frame, MessageId, Outcome, SavedSession};

use crate::support::{NOW, events, frames, greet, open, text, welcome};

/// With three messages in flight.
fn saved() -> SavedSession {
    let mut client = open(ClientConfig::default());
    for payload in ["one", "two", "three"] {
        client.send(NOW, text(payload), None).unwrap();
    }
    frames(&mut client);
    client.save().unwrap()
}

fn numbers(client: &mut Client) -> Vec<u64> {
    let number = |frame| if let Frame::Message { number, .. } = frame { number } else { panic!("{frame:?}") };
    frames(client).into_iter().map(number).collect()
}

#[test]
fn what_was_in_flight_is_sent_again_from_where_the_server_is() {
    let mut client = Client::restore(ClientConfig::default(), saved());
    client.send(NOW, text("four"), None).unwrap();
    greet(&mut client, &welcome(Outcome::Resumed, 1));
    let delivered = ClientEvent::Delivered { up_to: MessageId(1) };
    assert_eq!(events(&mut client), [delivered, ClientEvent::Resumed { replayed: 2 }]);
    assert_eq!(numbers(&mut client), [2, 3, 4]);
}

#[test]
fn without_payloads_the_session_goes_on_with_the_number_that_the_server_expects() {
    for received in 0..=3 {
        let mut client = Client::restore(ClientConfig::default(), SavedSession { in_flight: Vec::new(), ..saved() });
        client.send(NOW, text("next"), None).unwrap();
        greet(&mut client, &welcome(Outcome::Resumed, received));
        assert_eq!(events(&mut client), [ClientEvent::Resumed { replayed: 0 }], "nobody knows of what was in flight");
        assert_eq!(numbers(&mut client), [received + 1]);
    }
}

#[test]
fn only_the_first_welcome_may_know_better_than_what_was_saved() {
    let mut client = Client::restore(ClientConfig::default(), saved());
    greet(&mut client, &welcome(Outcome::Resumed, 5));
    events(&mut client);
    client.connected();
    frames(&mut client);
    client.receive(NOW, Frame::Welcome(welcome(Outcome::Resumed, 6)).encode()).unwrap_err();
    assert!(matches!(events(&mut client)[..], [ClientEvent::Lost(_)]));
}
