//! Servers that are not there.

use redial::{Cause, Micros, NetworkDetail};

use super::super::play::{Scenario, Stage};
use super::super::server::{Server, Welcome, free_addr};
use super::{quick, settings, talk_and_part};

const REFUSED: Cause = Cause::network(NetworkDetail::Refused);

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "refused, then up",
        story: refused,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            failed 1: network failure (refused)
            retry 1: raw 20 ms, jittered 10.935 ms
            phase waiting
            dial 2: endpoint 0, attempt 1
            phase connecting
            failed 2: network failure (refused)
            retry 2: raw 40 ms, jittered 20.576 ms
            phase waiting
            dial 3: endpoint 0, attempt 2
            phase connecting
            failed 3: network failure (refused)
            retry 3: raw 80 ms, jittered 22.63 ms
            phase waiting
            dial 4: endpoint 0, attempt 3
            phase connecting
            opened 4
            phase open
            hang up 4: asked by the user
            lost 4: asked by the user
            phase closed
        ",
        or: "",
    },
    Scenario {
        name: "a server that says nothing",
        story: mute,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            hang up 1: timeout
            failed 1: timeout
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
    #[cfg(target_os = "linux")]
    Scenario {
        name: "an address that swallows all",
        story: black_hole,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            hang up 1: timeout
            failed 1: timeout
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
        name: "a name that does not resolve",
        story: unresolved,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            failed 1: network failure (dns)
            retry 1: raw 20 ms, jittered 10.935 ms
            phase waiting
            phase closed
        ",
        // A resolver that can't be reached says nothing.
        or: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            hang up 1: timeout
            failed 1: timeout
            retry 1: raw 20 ms, jittered 10.935 ms
            phase waiting
            phase closed
        ",
    },
];

fn refused(stage: &mut Stage) {
    let addr = free_addr();
    let mut client = stage.client(settings([format!("ws://{addr}/ws")], quick()));
    for _ in 0..3 {
        assert_eq!(client.failed(), REFUSED);
    }
    let server = Server::start_at(addr);
    talk_and_part(&mut client, &server);
}

/// `connectTimeout` bounds the upgrade too.
fn mute(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Mute, Welcome::Upgrade]);
    let mut client = stage.client(settings([server.url()], quick().connect_timeout(Micros::from_secs(2))));
    assert_eq!(client.failed(), Cause::Timeout);
    talk_and_part(&mut client, &server);
}

/// A listener with place for one connection that nobody takes: the kernel leaves all others unanswered.
#[cfg(target_os = "linux")]
fn black_hole(stage: &mut Stage) {
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    let listener = TcpListener::bind(free_addr()).expect("the address is free");
    let addr = listener.local_addr().expect("a listener has an address");
    let backlog = |most| socket2::SockRef::from(&listener).listen(most).expect("it listens already");
    backlog(0);
    let mut waiting = Vec::new();
    while let Ok(tcp) = TcpStream::connect_timeout(&addr, Duration::from_millis(200)) {
        waiting.push(tcp);
    }
    let mut client = stage.client(settings([format!("ws://{addr}/ws")], quick().connect_timeout(Micros::from_secs(2))));
    assert_eq!(client.failed(), Cause::Timeout);
    backlog(128);
    for _ in waiting {
        drop(listener.accept());
    }
    let server = Server::listen(listener, &[Welcome::Upgrade], None);
    talk_and_part(&mut client, &server);
}

fn unresolved(stage: &mut Stage) {
    // RFC 6761, section 6.4: it never resolves.
    let mut client = stage.client(settings(["ws://redial-test.invalid/".to_owned()], quick()));
    client.failed();
    client.stop();
    client.end();
}
