//! A server that dies, or stops, as servers do.

use redial::trace::Trace;
use redial::{Cause, Command, ConnectionId, Micros, NetworkDetail, Notice, Output, Timestamp};

use super::super::play::{Scenario, Stage};
use super::super::process::Process;
use super::super::server::free_addr;
use super::{ms, quick, settings};

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "SIGKILL, and a restart on the same port",
        story: killed,
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
            failed 4: network failure (refused)
            retry 4: raw 160 ms, jittered 23.967 ms
            phase waiting
            dial 5: endpoint 0, attempt 4
            phase connecting
            opened 5
            phase open
            hang up 5: asked by the user
            lost 5: asked by the user
            phase closed
        ",
        or: "",
    },
    Scenario {
        name: "SIGSTOP: a half-open connection is aborted, and dialled anew at once",
        story: stopped,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            hang up 1: ping timeout
            lost 1: ping timeout
            retry 1: raw 20 ms, jittered 10.935 ms
            phase waiting
            dial 2: endpoint 0, attempt 1
            phase connecting
            hang up 2: timeout
            failed 2: timeout
            retry 2: raw 40 ms, jittered 20.576 ms
            phase waiting
            dial 3: endpoint 0, attempt 2
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

fn killed(stage: &mut Stage) {
    let addr = free_addr();
    let server = Process::start(addr);
    let mut client = stage.client(settings([format!("ws://{addr}/ws")], quick()));
    client.opened();
    client.send("before");
    assert_eq!(client.text(), "before");

    server.kill();
    assert_eq!(client.lost(), Cause::close(1006));
    client.send("while away");
    for _ in 0..3 {
        assert_eq!(client.failed(), Cause::network(NetworkDetail::Refused));
    }

    let server = Process::start(addr);
    client.opened();
    assert_eq!(client.text(), "while away");
    client.send("after");
    assert_eq!(client.text(), "after");
    client.stop();
    client.end();
    assert_eq!(server.ending(0), "close 1000");
}

const PING_TIMEOUT: Micros = Micros::from_secs(2);
/// No close handshake fits into what is allowed here.
const CLOSE_TIMEOUT: Micros = Micros::from_secs(30);
/// A busy machine may be late.
const LATE: Micros = Micros::from_secs(5);

fn stopped(stage: &mut Stage) {
    let addr = free_addr();
    let server = Process::start(addr);
    let policy =
        quick().health_check_interval(ms(300)).ping_timeout(PING_TIMEOUT).connect_timeout(Micros::from_secs(2));
    let mut settings = settings([format!("ws://{addr}/ws")], policy);
    settings.close_timeout = CLOSE_TIMEOUT;
    let mut client = stage.client(settings);
    client.health_check();

    server.stop();
    assert_eq!(client.lost(), Cause::PingTimeout);
    // The kernel still accepts for the stopped process, and nobody answers the upgrade.
    assert_eq!(client.failed(), Cause::Timeout);
    let moments = Moments::of(&client.trace());
    assert!(moments.hung_up <= moments.unanswered.saturating_add(PING_TIMEOUT).saturating_add(LATE), "{moments:?}");
    assert!(moments.dialled <= moments.due.saturating_add(LATE), "{moments:?}");

    server.go_on();
    assert_eq!(server.ending(0), "no close frame");
    client.opened();
    client.health_check();
    client.stop();
    client.end();
    // The dial that timed out was the second.
    assert_eq!(server.ending(2), "close 1000");
}

/// What happened to a connection whose peer went silent.
#[derive(Debug, Default)]
struct Moments {
    /// The last ping.
    unanswered: Timestamp,
    hung_up: Timestamp,
    /// The next dial's time.
    due: Timestamp,
    dialled: Timestamp,
}

impl Moments {
    fn of(trace: &Trace) -> Self {
        let mut moments = Self::default();
        for (at, output) in trace.outputs() {
            match output {
                Output::Command(Command::Ping { connection: ConnectionId(1), .. }) => moments.unanswered = at,
                Output::Command(Command::HangUp { connection: ConnectionId(1), .. }) => moments.hung_up = at,
                Output::Command(Command::Dial(dial)) if dial.connection == ConnectionId(2) => moments.dialled = at,
                Output::Notice(Notice::RetryScheduled(retry)) if retry.attempt == 1 => moments.due = retry.dial_at,
                Output::Command(_) | Output::Notice(_) => {}
            }
        }
        moments
    }
}
