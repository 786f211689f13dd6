//! Servers that are there and do not want the client, or not now.

use std::time::Duration;

use redial::trace::Trace;
use redial::{Cause, Command, DialBudget, Micros, NetworkDetail, Notice, Output};

use super::super::play::{Scenario, Stage};
use super::super::server::{Server, Welcome};
use super::{ms, quick, settings, talk_and_part};

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "503 with Retry-After",
        story: busy,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            failed 1: HTTP 503 (retry after 1000 ms)
            retry 1: raw 20 ms, jittered 10.935 ms, hint 1089.008 ms
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
        name: "401 asks for fresh credentials",
        story: |stage| {
            let server = Server::start(&[Welcome::Answer("HTTP/1.1 401 Unauthorized"), Welcome::Upgrade]);
            let mut client = stage.client(settings([server.url()], quick()));
            assert_eq!(client.failed(), Cause::http(401));
            talk_and_part(&mut client, &server);
        },
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            failed 1: HTTP 401
            retry 1: raw 20 ms, jittered 10.935 ms
            phase waiting
            dial 2: endpoint 0, attempt 1, fresh credentials
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
        name: "a second 401 stops",
        story: |stage| stops(stage, Server::start(&[Welcome::Answer("HTTP/1.1 401 Unauthorized")]), 2),
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            failed 1: HTTP 401
            retry 1: raw 20 ms, jittered 10.935 ms
            phase waiting
            dial 2: endpoint 0, attempt 1, fresh credentials
            phase connecting
            failed 2: HTTP 401
            gave up by verdict after 1 retries: HTTP 401
            phase failed
        ",
        or: "",
    },
    Scenario {
        name: "404 stops",
        story: |stage| stops(stage, Server::start(&[Welcome::Answer("HTTP/1.1 404 Not Found")]), 1),
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            failed 1: HTTP 404
            gave up by verdict after 0 retries: HTTP 404
            phase failed
        ",
        or: "",
    },
    Scenario {
        name: "accept, then drop: no more dials than schedule and budget allow",
        story: drops,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            failed 1: network failure (reset)
            retry 1: raw 20 ms, jittered 10.935 ms
            phase waiting
            dial 2: endpoint 0, attempt 1
            phase connecting
            failed 2: network failure (reset)
            retry 2: raw 40 ms, jittered 20.576 ms
            phase waiting
            dial 3: endpoint 0, attempt 2
            phase connecting
            failed 3: network failure (reset)
            retry 3: raw 80 ms, jittered 22.63 ms
            phase waiting
            dial 4: endpoint 0, attempt 3
            phase connecting
            failed 4: network failure (reset)
            retry 4: raw 160 ms, jittered 23.967 ms
            phase waiting
            dial 5: endpoint 0, attempt 4
            phase connecting
            failed 5: network failure (reset)
            retry 5: raw 160 ms, jittered 151.301 ms
            phase waiting
            dial 6: endpoint 0, attempt 5
            phase connecting
            failed 6: network failure (reset)
            retry 6: raw 160 ms, jittered 90.629 ms
            phase waiting
            dial 7: endpoint 0, attempt 6
            phase connecting
            failed 7: network failure (reset)
            gave up by attempts after 6 retries: network failure (reset)
            phase failed
        ",
        or: "",
    },
    Scenario {
        name: "open, then drop: no more dials than schedule and budget allow",
        story: opens_and_drops,
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
            lost 2: close 1006
            retry 2: raw 40 ms, jittered 20.576 ms
            phase waiting
            dial 3: endpoint 0, attempt 2
            phase connecting
            opened 3
            phase open
            lost 3: close 1006
            retry 3: raw 80 ms, jittered 22.63 ms
            phase waiting
            dial 4: endpoint 0, attempt 3
            phase connecting
            opened 4
            phase open
            lost 4: close 1006
            retry 4: raw 160 ms, jittered 23.967 ms
            phase waiting
            dial 5: endpoint 0, attempt 4
            phase connecting
            opened 5
            phase open
            lost 5: close 1006
            retry 5: raw 160 ms, jittered 151.301 ms
            phase waiting
            dial 6: endpoint 0, attempt 5
            phase connecting
            opened 6
            phase open
            lost 6: close 1006
            retry 6: raw 160 ms, jittered 90.629 ms
            phase waiting
            dial 7: endpoint 0, attempt 6
            phase connecting
            opened 7
            phase open
            lost 7: close 1006
            gave up by attempts after 6 retries: close 1006
            phase failed
        ",
        or: "",
    },
];

fn busy(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Answer("HTTP/1.1 503 Busy\nRetry-After: 1"), Welcome::Upgrade]);
    let mut client = stage.client(settings([server.url()], quick()));
    assert_eq!(client.failed(), Cause::Http { status: 503, retry_after: Some(Micros::from_secs(1)) });
    talk_and_part(&mut client, &server);
}

fn stops(stage: &mut Stage, server: Server, dials: usize) {
    let mut client = stage.client(settings([server.url()], quick()));
    client.end();
    assert_eq!(server.accepted().len(), dials);
}

/// A storm of dials must not follow from it.
const BUDGET: DialBudget = DialBudget { burst: 3, refill: ms(60) };

fn drops(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Drop]);
    let mut client = stage.client(settings([server.url()], quick().max_attempts(6).dial_budget(BUDGET)));
    for _ in 0..7 {
        assert_eq!(client.failed(), Cause::network(NetworkDetail::Reset));
    }
    client.end();
    assert_spaced(&server, &client.trace());
}

/// That a connection opens proves nothing: it must last.
fn opens_and_drops(stage: &mut Stage) {
    let server = Server::start(&[Welcome::Upgrade]);
    let mut client = stage.client(settings([server.url()], quick().max_attempts(6).dial_budget(BUDGET)));
    for _ in 0..7 {
        client.opened();
        server.peer().cut();
        assert_eq!(client.lost(), Cause::close(1006));
    }
    client.end();
    assert_spaced(&server, &client.trace());
}

/// No dial before its time, and in any span no more than the budget allows: as it was recorded, and as the server saw it.
fn assert_spaced(server: &Server, trace: &Trace) {
    let (mut dials, mut retries) = (Vec::new(), Vec::new());
    for (at, output) in trace.outputs() {
        match output {
            Output::Notice(Notice::RetryScheduled(retry)) => retries.push(retry),
            Output::Command(Command::Dial(_)) => dials.push(at),
            Output::Command(_) | Output::Notice(_) => {}
        }
    }
    for (dial, retry) in dials.iter().skip(1).zip(&retries) {
        assert!(*dial >= retry.dial_at, "a dial at {dial:?}, of {retry:?}");
    }
    for (first, at) in dials.iter().enumerate() {
        for (count, later) in (1_u64..).zip(&dials[first..]) {
            let span = later.saturating_since(*at).as_micros();
            let most = u64::from(BUDGET.burst) + span / BUDGET.refill.as_micros();
            assert!(count <= most, "{count} dials within {span} µs, of at most {most}");
        }
    }
    let accepted = server.accepted();
    assert_eq!(accepted.len(), dials.len(), "connections, and dials recorded");
    for (pair, retry) in accepted.windows(2).zip(&retries) {
        // A delay counts from the failure, which comes after the server has accepted; a clock may count whole microseconds.
        let span = pair[1].saturating_duration_since(pair[0]) + Duration::from_micros(1);
        assert!(span >= Duration::from(retry.delay), "{span:?} between two connections, of {retry:?}");
    }
}
