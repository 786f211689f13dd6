//! How open connections end: close codes, cuts, nonsense.

use redial::{Cause, NetworkDetail, Verdict, VerdictKey};

use super::super::peer::{Heard, Peer};
use super::super::play::{Scenario, Stage};
use super::super::server::{Server, Welcome};
use super::{quick, settings, talk_and_part};

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "close 1000 ends it",
        story: |stage| ends(stage, 1000),
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            lost 1: close 1000
            phase closed
        ",
        or: "",
    },
    Scenario {
        name: "close 1008 ends it for good",
        story: |stage| ends(stage, 1008),
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            lost 1: close 1008
            gave up by verdict after 0 retries: close 1008
            phase failed
        ",
        or: "",
    },
    Scenario {
        name: "close 4401 ends it for good where the policy says so",
        story: |stage| ends(stage, 4401),
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            lost 1: close 4401
            gave up by verdict after 0 retries: close 4401
            phase failed
        ",
        or: "",
    },
    Scenario {
        name: "close 1012 is retried",
        story: |stage| {
            is_retried(stage, Cause::close(1012), |mut peer| {
                peer.close(1012);
                Some(peer)
            })
        },
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            lost 1: close 1012
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
    Scenario {
        name: "close 4401 is retried",
        story: |stage| {
            is_retried(stage, Cause::close(4401), |mut peer| {
                peer.close(4401);
                Some(peer)
            })
        },
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            lost 1: close 4401
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
    Scenario {
        name: "a close frame without a code is 1005",
        story: |stage| {
            is_retried(stage, Cause::close(1005), |mut peer| {
                peer.send_bytes(&[0x88, 0]);
                Some(peer)
            })
        },
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            lost 1: close 1005
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
    Scenario {
        name: "an end without a close frame is 1006",
        story: |stage| {
            is_retried(stage, Cause::close(1006), |peer| {
                peer.cut();
                None
            })
        },
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            lost 1: close 1006
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
    Scenario {
        name: "a reset",
        story: |stage| {
            is_retried(stage, Cause::network(NetworkDetail::Reset), |peer| {
                peer.reset();
                None
            })
        },
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            lost 1: network failure (reset)
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
    Scenario {
        name: "a bad frame, and the server is told why",
        story: bad_frame,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            lost 1: protocol error
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

/// The server's close frame is the end.
fn ends(stage: &mut Stage, code: u16) {
    let server = Server::start(&[Welcome::Upgrade]);
    let policy = quick().verdict(VerdictKey::Close(4401), Verdict::Stop).expect("there is room for one verdict");
    let mut client = stage.client(settings([server.url()], policy));
    client.opened();
    let mut peer = server.peer();
    peer.close(code);
    let heard = peer.listen();
    assert_eq!(client.lost(), Cause::close(code));
    client.end();
    assert_eq!(server.accepted().len(), 1);
    assert_eq!(heard.done(), [Heard::Close(Some(code)), Heard::End], "the answer to the close frame");
}

/// The server ends the connection in this way, and is found again.
fn is_retried(stage: &mut Stage, cause: Cause, end: fn(Peer) -> Option<Peer>) {
    let server = Server::start(&[Welcome::Upgrade]);
    let mut client = stage.client(settings([server.url()], quick()));
    client.opened();
    // What is left of it stays, unanswered: nobody is to wait for that.
    let left = end(server.peer());
    assert_eq!(client.lost(), cause);
    talk_and_part(&mut client, &server);
    drop(left);
}

fn bad_frame(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Upgrade]);
    let mut client = stage.client(settings([server.url()], quick()));
    client.opened();
    let mut peer = server.peer();
    peer.send_bytes(&[0x83, 0]); // an opcode that is reserved (RFC 6455, section 5.2)
    let heard = peer.listen();
    assert_eq!(client.lost(), Cause::Protocol);
    talk_and_part(&mut client, &server);
    assert_eq!(heard.done(), [Heard::Close(Some(1002)), Heard::End]);
}
