//! On virtual time: a script says what becomes of each address, a log what was tried and given up, and when.

use super::*;
use futures_util::io::Cursor;
use redial_driver::testing::{Sim, TestClock};
use std::cell::RefCell;
use std::io;
use std::net::IpAddr;

/// What becomes of an address, after so many milliseconds.
#[derive(Clone, Copy)]
enum Fate {
    Answers(u64),
    Fails(u64, io::ErrorKind),
    Silent,
}

use Fate::{Answers, Fails, Silent};
use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};

#[derive(Default)]
struct World {
    sim: Sim,
    script: Vec<(IpAddr, Fate)>,
    log: Vec<String>,
}

// A runtime's functions have nothing but their arguments; each test has its thread.
thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

fn log(what: &str, address: IpAddr) {
    WORLD.with_borrow_mut(|world| {
        world.log.push(format!("{} ms: {what} {address}", world.sim.clock().peek().as_micros() / 1000))
    });
}

/// A try under way.
struct Try {
    address: IpAddr,
    ended: bool,
}

impl Drop for Try {
    fn drop(&mut self) {
        if !self.ended {
            log("drop", self.address);
        }
    }
}

struct Scripted;

impl Runtime for Scripted {
    type Clock = TestClock;
    /// It holds its address.
    type Tcp = Cursor<Vec<u8>>;

    fn clock() -> TestClock {
        WORLD.with_borrow(|world| world.sim.clock())
    }

    async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if host == "nobody.example" {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(WORLD.with_borrow(|world| world.script.iter().map(|(address, _)| SocketAddr::new(*address, port)).collect()))
    }

    async fn connect(address: SocketAddr, _nodelay: bool) -> io::Result<Cursor<Vec<u8>>> {
        let address = address.ip();
        log("try", address);
        let fate = WORLD.with_borrow(|world| world.script.iter().find(|(known, _)| *known == address).unwrap().1);
        let mut attempt = Try { address, ended: false };
        let clock = Self::clock();
        let sleep = |millis| clock.sleep_until(clock.peek().saturating_add(Micros::from_millis(millis)));
        let outcome = match fate {
            Answers(after) => {
                sleep(after).await;
                Ok(Cursor::new(address.to_string().into_bytes()))
            }
            Fails(after, kind) => {
                sleep(after).await;
                Err(kind.into())
            }
            Silent => std::future::pending().await,
        };
        attempt.ended = true;
        outcome
    }
}

/// Connects to a host with these addresses: which one it is then, and how it came to that.
fn connect(script: &[(&str, Fate)]) -> (Result<String, Cause>, Vec<String>) {
    let script = script.iter().map(|(address, fate)| (address.parse().unwrap(), *fate)).collect();
    WORLD.set(World { script, ..World::default() });
    let sim = WORLD.with_borrow(|world| world.sim.clone());
    let answer = sim.block_on(connect_host::<Scripted>("chat.example", 80, true));
    let address = answer.map(|tcp| String::from_utf8(tcp.into_inner()).unwrap());
    let mut log = WORLD.take().log;
    // Those that lose are dropped together, in no order.
    let losers = log.iter().position(|line| line.contains("drop")).unwrap_or(log.len());
    log[losers..].sort_unstable();
    (address, log)
}

fn opened(script: &[(&str, Fate)], expected: &str, log: &[&str]) {
    assert_eq!(connect(script), (Ok(expected.to_owned()), log.iter().map(|line| (*line).to_owned()).collect()));
}

#[test]
fn the_next_address_is_tried_at_once_when_one_fails() {
    opened(
        &[
            ("10.0.0.1", Fails(0, ConnectionRefused)),
            ("10.0.0.2", Fails(30, ConnectionRefused)),
            ("10.0.0.3", Answers(5)),
        ],
        "10.0.0.3",
        &["0 ms: try 10.0.0.1", "0 ms: try 10.0.0.2", "30 ms: try 10.0.0.3"],
    );
}

#[test]
fn a_silent_address_is_given_a_quarter_of_a_second() {
    opened(
        &[("10.0.0.1", Silent), ("10.0.0.2", Silent), ("10.0.0.3", Answers(5))],
        "10.0.0.3",
        &[
            "0 ms: try 10.0.0.1",
            "250 ms: try 10.0.0.2",
            "500 ms: try 10.0.0.3",
            "505 ms: drop 10.0.0.1",
            "505 ms: drop 10.0.0.2",
        ],
    );
}

#[test]
fn an_address_after_one_that_failed_is_given_the_whole_time() {
    opened(
        &[("10.0.0.1", Fails(100, ConnectionRefused)), ("10.0.0.2", Silent), ("10.0.0.3", Answers(0))],
        "10.0.0.3",
        &["0 ms: try 10.0.0.1", "100 ms: try 10.0.0.2", "350 ms: try 10.0.0.3", "350 ms: drop 10.0.0.2"],
    );
}

#[test]
fn the_first_that_answers_is_taken_though_others_are_under_way() {
    opened(
        &[("10.0.0.1", Answers(300)), ("10.0.0.2", Answers(100)), ("10.0.0.3", Silent)],
        "10.0.0.1",
        &["0 ms: try 10.0.0.1", "250 ms: try 10.0.0.2", "300 ms: drop 10.0.0.2"],
    );
    opened(
        &[("10.0.0.1", Answers(300)), ("10.0.0.2", Answers(40))],
        "10.0.0.2",
        &["0 ms: try 10.0.0.1", "250 ms: try 10.0.0.2", "290 ms: drop 10.0.0.1"],
    );
}

#[test]
fn a_failure_of_one_under_way_brings_the_next_forward() {
    opened(
        &[("10.0.0.1", Fails(300, ConnectionRefused)), ("10.0.0.2", Silent), ("10.0.0.3", Answers(5))],
        "10.0.0.3",
        &["0 ms: try 10.0.0.1", "250 ms: try 10.0.0.2", "300 ms: try 10.0.0.3", "305 ms: drop 10.0.0.2"],
    );
}

#[test]
fn the_families_take_turns_in_time() {
    opened(
        &[("fd00::1", Silent), ("fd00::2", Answers(0)), ("10.0.0.1", Silent), ("10.0.0.2", Silent)],
        "fd00::2",
        &[
            "0 ms: try fd00::1",
            "250 ms: try 10.0.0.1",
            "500 ms: try fd00::2",
            "500 ms: drop 10.0.0.1",
            "500 ms: drop fd00::1",
        ],
    );
}

#[test]
fn where_all_fail_the_most_telling_failure_is_the_dials() {
    let [refused, unreachable] = [NetworkDetail::Refused, NetworkDetail::Unreachable].map(Cause::network);
    for (first, second, told) in [
        (ConnectionRefused, NetworkUnreachable, refused),
        (HostUnreachable, ConnectionRefused, refused),
        (NetworkUnreachable, HostUnreachable, unreachable),
    ] {
        let (answer, log) = connect(&[("fd00::1", Fails(10, first)), ("10.0.0.1", Fails(20, second))]);
        assert_eq!(answer, Err(told));
        assert_eq!(log, ["0 ms: try fd00::1", "10 ms: try 10.0.0.1"]);
    }
}

#[test]
fn a_name_without_an_address_does_not_resolve() {
    assert_eq!(connect(&[]), (Err(UNRESOLVED), Vec::new()));
    let unknown = Sim::new().block_on(connect_host::<Scripted>("nobody.example", 80, true));
    assert_eq!(unknown.map(Cursor::into_inner), Err(UNRESOLVED));
}

fn addresses(all: &[&str]) -> Vec<SocketAddr> {
    all.iter().map(|one| SocketAddr::new(one.parse().unwrap(), 80)).collect()
}

#[test]
fn the_families_take_turns() {
    for (given, tried) in [
        (&["::1", "::2", "::3", "127.0.0.1"][..], &["::1", "127.0.0.1", "::2", "::3"][..]),
        (&["127.0.0.1", "127.0.0.2", "::1"], &["127.0.0.1", "::1", "127.0.0.2"]),
        (&["127.0.0.1"], &["127.0.0.1"]),
        (&[], &[]),
    ] {
        assert_eq!(interleaved(addresses(given)), addresses(tried));
    }
}

#[test]
fn the_more_telling_failure_is_the_dials() {
    let [refused, unreachable] = [NetworkDetail::Refused, NetworkDetail::Unreachable].map(Cause::network);
    assert_eq!(telling(UNRESOLVED, unreachable), unreachable);
    assert_eq!(telling(refused, unreachable), refused);
    assert_eq!(telling(unreachable, refused), refused);
}
