//! What the user wants: another connection, none for now, none any more, the preferred endpoint.

use std::time::Duration;

use redial::{HoldReason, Jitter, Micros, Phase};

use super::super::now;
use super::super::peer::Heard;
use super::super::play::{Scenario, Stage};
use super::super::server::{Server, Welcome, free_addr};
use super::{ms, quick, settings, talk_and_part};

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "a reconnect by hand waits for no close handshake",
        story: reconnect,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            hang up 1: asked by the user
            lost 1: asked by the user
            dial 2: endpoint 0, attempt 0
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
        name: "a reconnect by hand ends the wait",
        story: reconnect_while_waiting,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            failed 1: network failure (refused)
            retry 1: raw 3600000 ms, jittered 3600000 ms
            phase waiting
            dial 2: endpoint 0, attempt 0
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
        name: "a stop withdraws a dial",
        story: stop_while_dialling,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            hang up 1: asked by the user
            phase closed
        ",
        or: "",
    },
    Scenario {
        name: "a close handshake without an answer is bounded",
        story: unanswered_close,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            hang up 1: asked by the user
            lost 1: asked by the user
            phase closed
        ",
        or: "",
    },
    Scenario {
        name: "offline, no dial is made",
        story: offline,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            lost 1: close 1006
            phase held
            retry 1: raw 0 ms, jittered 0 ms
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
        name: "a second endpoint takes over, and hands back",
        story: failover,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            failed 1: network failure (refused)
            retry 1: raw 20 ms, jittered 10.935 ms
            phase waiting
            dial 2: endpoint 1, attempt 1
            phase connecting
            opened 2
            phase open
            stable 2
            lost 2: close 1006
            retry 1: raw 20 ms, jittered 11.676 ms
            phase waiting
            dial 3: endpoint 0, attempt 1
            phase connecting
            opened 3
            phase open
            hang up 3: asked by the user
            lost 3: asked by the user
            phase closed
        ",
        or: "",
    },
];

/// Far above what anything here takes, and far below a close timeout of 30 s.
const SOON: Duration = Duration::from_secs(10);

fn reconnect(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Upgrade]);
    let mut settings = settings([server.url()], quick());
    settings.close_timeout = Micros::from_secs(30);
    let mut client = stage.client(settings);
    client.opened();
    let first = server.peer();
    client.reconnect();
    let asked = now();
    client.lost();
    client.opened();
    // All this time the first peer has not answered.
    assert!(asked.elapsed() < SOON, "the new connection took {:?}", asked.elapsed());
    let (first, second) = (first.listen(), server.peer().echo());
    client.stop();
    client.end();
    assert_eq!(first.done(), [Heard::Close(Some(1000)), Heard::End]);
    assert_eq!(second.done(), Some(1000));
}

fn reconnect_while_waiting(stage: &mut Stage) {
    let addr = free_addr();
    let hour = Micros::from_secs(3600);
    let policy = quick().base_delay(hour).max_delay(hour).jitter(Jitter::None);
    let mut client = stage.client(settings([format!("ws://{addr}/ws")], policy));
    client.phase(Phase::Waiting);
    let server = Server::start_at(addr);
    client.reconnect();
    talk_and_part(&mut client, &server);
}

fn stop_while_dialling(stage: &mut Stage) {
    // It would go on for the whole connectTimeout, 20 s.
    let server = Server::start(&[Welcome::Mute]);
    let mut client = stage.client(settings([server.url()], quick()));
    client.phase(Phase::Connecting);
    client.stop();
    let asked = now();
    client.end();
    assert!(asked.elapsed() < SOON, "stopping took {:?}", asked.elapsed());
}

fn unanswered_close(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Upgrade]);
    let mut settings = settings([server.url()], quick());
    settings.close_timeout = ms(300);
    let mut client = stage.client(settings);
    client.opened();
    let mut peer = server.peer();
    client.stop();
    let asked = now();
    client.end();
    let took = asked.elapsed();
    assert!(took >= Duration::from_millis(300) && took < SOON, "closing took {took:?}");
    // It was asked nicely, and then left.
    assert_eq!([peer.hear(), peer.hear()], [Heard::Close(Some(1000)), Heard::End]);
}

fn offline(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Upgrade]);
    let at_once = quick().base_delay(ms(0)).min_delay(ms(0)).max_delay(ms(0)).online_spread(ms(0));
    let mut client = stage.client(settings([server.url()], at_once));
    client.opened();
    let peer = server.peer().echo_one();
    client.hold(HoldReason::Offline);
    client.send("hello");
    // By now the hold stands, and the open connection with it.
    assert_eq!(client.text(), "hello");
    peer.done().cut();
    client.phase(Phase::Held);
    assert_eq!(server.accepted().len(), 1);
    client.release(HoldReason::Offline);
    talk_and_part(&mut client, &server);
    assert_eq!(server.accepted().len(), 2);
}

fn failover(stage: &mut Stage) {
    let preferred = free_addr();
    let second = Server::start(&[Welcome::Upgrade]);
    let urls = [format!("ws://{preferred}/ws"), second.url()];
    let mut client = stage.client(settings(urls, quick().stable_after(ms(50))));
    client.failed();
    client.opened();
    let peer = second.peer();
    client.stable();
    let preferred = Server::start_at(preferred);
    peer.cut();
    client.lost();
    talk_and_part(&mut client, &preferred);
    assert_eq!(second.accepted().len(), 1);
}
