//! What a session's messages are longer by on the wire, counted by the server.

use super::server::{Server, bytes};
use super::{Case, Mode, Who, round};
use crate::runtimes::Runtime;

/// The size of the messages that it is counted with.
pub(crate) const SIZE: usize = 1024;

/// Bytes a message beyond plain, acknowledgements included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    pub(crate) mode: Mode,
    /// From the client to the server.
    pub(crate) up: f64,
    /// From the server to the client.
    pub(crate) down: f64,
}

/// Only sent, and there and back.
pub(crate) fn measure() -> Vec<Wire> {
    let server = Server::start();
    let each = |who, mode| {
        let case = Case { who, mode, size: SIZE };
        // Both in the same range of numbers, which take two bytes there.
        let (few, many) = (1024_u32, 9216_u32);
        let count = |n: u32| {
            let before = bytes(server.address());
            round::measure(case, server.address(), n.into());
            let after = bytes(server.address());
            [after[0] - before[0], after[1] - before[1]]
        };
        let (few_bytes, many_bytes) = (count(few), count(many));
        [0, 1].map(|way| (many_bytes[way] - few_bytes[way]) / f64::from(many - few))
    };
    let beyond = |mode| {
        let (plain, session) = (each(Who::Ours(Runtime::Tokio), mode), each(Who::Session, mode));
        Wire { mode, up: session[0] - plain[0], down: session[1] - plain[1] }
    };
    [Mode::OneWay, Mode::PingPong].map(beyond).to_vec()
}
