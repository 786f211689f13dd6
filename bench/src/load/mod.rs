//! Many sessions with one server process: redial-server with its memory store, on as many threads as there are processors, and
//! every client in one other process.

mod board;
pub(crate) mod clients;
pub(crate) mod server;

use crate::children::ask;
use server::Server;

/// Messages a second of all clients together: what leaves two processors some air.
const RATE: u64 = 3000;

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) clients: f64,
    /// From the first dial to the last client's session, in milliseconds.
    pub(crate) begun: f64,
    pub(crate) server: Holdings,
    pub(crate) client: Holdings,
    pub(crate) traffic: Traffic,
    /// From the server's call to the clients, in milliseconds.
    pub(crate) broadcast: Spread,
    /// From the first connection that is cut to the last, in milliseconds.
    pub(crate) cut: f64,
    /// From the first connection that is cut to the sessions that go on, in milliseconds.
    pub(crate) resumed: Spread,
    /// Messages sent meanwhile, from a second before the cut to a second after the last session goes on.
    pub(crate) meanwhile: f64,
    pub(crate) faults: Faults,
}

/// Of one session that idles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holdings {
    /// Bytes allocated and not freed.
    pub(crate) heap: f64,
    /// Blocks allocated and not freed.
    pub(crate) blocks: f64,
    /// Resident memory of the process.
    pub(crate) rss: f64,
}

/// Messages of 128 bytes at a fixed rate, each answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    pub(crate) messages: f64,
    /// How many were really sent in a second.
    pub(crate) rate: f64,
    /// From the sending to the answer, in milliseconds.
    pub(crate) latency: Spread,
    /// CPU time of the server for a message and its answer, in microseconds.
    pub(crate) server_cpu: f64,
    /// The same of the clients' process.
    pub(crate) client_cpu: f64,
}

/// Times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) first: f64,
    pub(crate) median: f64,
    pub(crate) p99: f64,
    pub(crate) last: f64,
}

/// What must not be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults {
    /// Messages whose answer has not come, and broadcasts that have not.
    pub(crate) lost: f64,
    /// Answers and broadcasts that came twice or out of order.
    pub(crate) wrong: f64,
    /// Messages that were answered and whose receipt has not come.
    pub(crate) unconfirmed: f64,
    /// Sessions that were lost.
    pub(crate) sessions: f64,
}

/// Measures so many clients and so many seconds of traffic: `bench session-clients SERVER CONTROL CLIENTS SECONDS`.
pub(crate) fn measure(clients: usize, seconds: u64) -> Load {
    let server = Server::start();
    let (address, control) = (server.address(), server.control());
    let numbers: [f64; 29] = ask(&["session-clients", address, control, &clients.to_string(), &seconds.to_string()]);
    let mut numbers = numbers.into_iter();
    let mut next = || numbers.next().unwrap_or(f64::NAN);
    Load {
        clients: clients as f64,
        begun: next(),
        server: Holdings::read(&mut next),
        client: Holdings::read(&mut next),
        traffic: Traffic {
            messages: next(),
            rate: next(),
            latency: Spread::read(&mut next),
            server_cpu: next(),
            client_cpu: next(),
        },
        broadcast: Spread::read(&mut next),
        cut: next(),
        resumed: Spread::read(&mut next),
        meanwhile: next(),
        faults: Faults { lost: next(), wrong: next(), unconfirmed: next(), sessions: next() },
    }
}

impl Holdings {
    fn read(next: &mut impl FnMut() -> f64) -> Self {
        Self { heap: next(), blocks: next(), rss: next() }
    }
}

impl Spread {
    fn read(next: &mut impl FnMut() -> f64) -> Self {
        Self { first: next(), median: next(), p99: next(), last: next() }
    }
}
