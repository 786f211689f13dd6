//! Connections on which all is well.

use super::super::peer::{Heard, Job};
use super::super::play::{Scenario, Stage};
use super::super::server::{Server, Welcome};
use super::{quick, settings, talk_and_part};

pub(super) const ALL: &[Scenario] = &[
    Scenario { name: "last words go before a stop", story: last_words, decisions: OPEN_AND_STOP, or: "" },
    Scenario { name: "many messages, both ways", story: many_messages, decisions: OPEN_AND_STOP, or: "" },
    Scenario { name: "a server's ping is answered", story: servers_ping, decisions: OPEN_AND_STOP, or: "" },
    Scenario { name: "headers and subprotocols arrive", story: headers, decisions: OPEN_AND_STOP, or: "" },
    Scenario {
        name: "a subprotocol that was not offered",
        story: wrong_subprotocol,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            failed 1: protocol error
            retry 1: raw 20 ms, jittered 10.935 ms
            phase waiting
            dial 2: endpoint 0, attempt 1
            phase connecting
            opened 2
            phase open
            hang up 2: asked by the user
            lost 2: asked by the user
            phase closed
        ",
        or: "",
    },
];

const OPEN_AND_STOP: &str = "
    dial 1: endpoint 0, attempt 0
    phase connecting
    opened 1
    phase open
    hang up 1: asked by the user
    lost 1: asked by the user
    phase closed
";

fn last_words(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Upgrade]);
    let mut client = stage.client(settings([server.url()], quick()));
    client.opened();
    let heard = server.peer().listen();
    client.send("hello");
    client.send("last words");
    client.stop();
    client.end();
    let [hello, last_words] = ["hello", "last words"].map(|text| Heard::Text(text.to_owned()));
    assert_eq!(heard.done(), [hello, last_words, Heard::Close(Some(1000)), Heard::End]);
}

fn many_messages(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Upgrade]);
    let mut client = stage.client(settings([server.url()], quick()));
    client.opened();
    let mut peer = server.peer();
    let theirs: Vec<_> = (0..500).map(|n| format!("theirs {n}")).collect();
    let ours: Vec<_> = (0..1000).map(|n| format!("ours {n}")).collect();
    theirs.iter().for_each(|text| peer.send(text));
    let echo = peer.echo();
    ours.iter().for_each(|text| client.send(text));
    // What the server says by itself was said before it heard anything.
    for expected in theirs.iter().chain(&ours) {
        assert_eq!(client.text(), *expected);
    }
    client.stop();
    client.end();
    assert_eq!(echo.done(), Some(1000));
}

fn servers_ping(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Upgrade]);
    let mut client = stage.client(settings([server.url()], quick()));
    client.opened();
    let mut peer = server.peer();
    let asked = Job::start(move || {
        peer.ping("are you there?");
        let answer = peer.hear();
        peer.send("thank you");
        (answer, peer.echo())
    });
    assert_eq!(client.text(), "thank you", "the ping itself is none of the user's business");
    let (answer, echo) = asked.done();
    assert_eq!(answer, Heard::Pong("are you there?".to_owned()));
    client.stop();
    client.end();
    assert_eq!(echo.done(), Some(1000));
}

fn headers(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Choose("chat.v1")]);
    let mut settings = settings([format!("{}?room=7", server.url())], quick());
    settings.headers = vec![("x-client".to_owned(), "conformance".to_owned())];
    settings.subprotocols = vec!["chat.v2".to_owned(), "chat.v1".to_owned()];
    let mut client = stage.client(settings);
    client.opened();
    let peer = server.peer();
    let header = |name: &str| String::from_utf8_lossy(peer.request.headers()[name].as_bytes()).into_owned();
    assert_eq!(peer.request.uri(), "/ws?room=7");
    assert_eq!(header("host"), server.addr.to_string());
    assert_eq!(header("x-client"), "conformance");
    assert_eq!(header("sec-websocket-protocol"), "chat.v2, chat.v1");
    let echo = peer.echo();
    client.stop();
    client.end();
    assert_eq!(echo.done(), Some(1000));
}

fn wrong_subprotocol(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Choose("other"), Welcome::Choose("chat.v1")]);
    let mut settings = settings([server.url()], quick());
    settings.subprotocols = vec!["chat.v1".to_owned()];
    let mut client = stage.client(settings);
    client.failed();
    // The server took the refused one for good.
    server.peer().cut();
    talk_and_part(&mut client, &server);
}
