//! The words that people and traces read.

use redial::{
    Cause, ConnectionId, Failover, HoldReason, Limit, Micros, NetworkDetail, Phase, PingId, Preset, Quality, Verdict,
    VerdictKey, WakeReason,
};

#[test]
fn words_are_the_contracts() {
    let texts = |words: &[&dyn std::fmt::Display]| words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    macro_rules! all {
        ($name:ident) => {{
            let shown: Vec<&dyn std::fmt::Display> = $name::ALL.iter().map(|word| word as _).collect();
            let spelled: Vec<&str> = $name::ALL.iter().map(|word| word.as_str()).collect();
            assert_eq!(texts(&shown), spelled.join(" "));
            spelled.join(" ")
        }};
    }
    assert_eq!(all!(Phase), "idle connecting handshaking open waiting held closed failed");
    assert_eq!(all!(HoldReason), "autoReconnectOff offline hidden idle");
    assert_eq!(all!(Quality), "excellent good poor disconnected");
    assert_eq!(all!(Limit), "attempts elapsed verdict");
    assert_eq!(all!(NetworkDetail), "dns refused unreachable reset tls");
    assert_eq!(all!(Verdict), "stop retry");
    assert_eq!(all!(Failover), "ordered roundRobin random healthiest");
    assert_eq!(all!(Preset), "chat assistant support session resilient");
    assert_eq!(all!(WakeReason), "connectTimeout readyTimeout stable ping pingTimeout dial");
    assert_eq!(format!("[{:>6}|{:<3}]", Phase::Open, Verdict::Stop), "[  open|stop]", "a column of a table");
}

/// "A page needs only three: connecting (connecting, handshaking), open, closed (all others)."
#[test]
fn a_page_needs_three_phases() {
    let connecting = |phase: &Phase| phase.is_connecting();
    let terminal = |phase: &Phase| phase.is_terminal();
    let those = |which: fn(&Phase) -> bool| Phase::ALL.iter().copied().filter(which).collect::<Vec<_>>();
    assert_eq!(those(connecting), [Phase::Connecting, Phase::Handshaking]);
    assert_eq!(those(terminal), [Phase::Idle, Phase::Closed, Phase::Failed]);
}

#[test]
fn ids_are_written_as_numbers() {
    assert_eq!((ConnectionId(12).to_string(), PingId(7).to_string()), ("12".to_owned(), "7".to_owned()));
    assert_eq!(format!("{:>3}|{:<3}|", ConnectionId(12), PingId(7)), " 12|7  |");
    assert_eq!(
        (VerdictKey::Close(4401).to_string(), VerdictKey::Http(503).to_string()),
        ("close:4401".to_owned(), "http:503".to_owned())
    );
}

#[test]
fn causes_are_written_for_people() {
    let wait = Some(Micros::from_millis(2000));
    let texts = [
        (Cause::NETWORK, "network failure"),
        (Cause::network(NetworkDetail::Refused), "network failure (refused)"),
        (Cause::Timeout, "timeout"),
        (Cause::PingTimeout, "ping timeout"),
        (Cause::http(502), "HTTP 502"),
        (Cause::Http { status: 503, retry_after: wait }, "HTTP 503 (retry after 2000 ms)"),
        (Cause::close(1012), "close 1012"),
        (Cause::Close { code: 1013, retry_after: wait }, "close 1013 (retry after 2000 ms)"),
        (Cause::Protocol, "protocol error"),
        (Cause::User, "asked by the user"),
        (Cause::Superseded, "superseded by another client"),
    ];
    for (cause, text) in texts {
        assert_eq!(cause.to_string(), text);
        assert_eq!(cause.retry_after(), if text.contains("after") { wait } else { None });
    }
}
