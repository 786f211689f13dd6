//! What was wrong once.

use redial_session::{ClientConfig, ClientEvent, EndReason, Frame, LossReason, Outcome, SessionLost};

use crate::support::{NOW, events, frame, frames, greet, open, text, welcome};

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
