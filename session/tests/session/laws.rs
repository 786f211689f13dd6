//! The laws of both halves, one test each and named after it, over a link and servers that do what they like. The world
//! watches all of them at every step; each test looks where its law is at stake, and asserts that it was.

use std::cell::RefCell;

use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};

use crate::world::{Counts, Focus, World, moves, setup};

/// Scenarios for each test, where `PROPTEST_CASES` asks for no more.
const CASES: u32 = 150;

fn search(focus: Focus) -> Counts {
    let sum = RefCell::new(Counts::default());
    let config = Config::default();
    let mut runner = TestRunner::new(Config {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { CASES },
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..config
    });
    let result = runner.run(&(setup(), moves(focus)), |(setup, moves)| {
        let counts = World::new(setup).play(moves);
        sum.borrow_mut().add(&counts);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    sum.into_inner()
}

#[test]
fn every_message_comes_out_once_and_in_order_over_cuts_and_crashes() {
    let counts = search(Focus::Cuts);
    assert!(counts.committed > 200 && counts.got > 150 && counts.resumed > 200 && counts.replayed > 50, "{counts:?}");
    assert_eq!(counts.errors, 0, "a link that is only cut has no errors");
}

#[test]
fn what_a_link_loses_or_repeats_is_neither_lost_nor_doubled() {
    let counts = search(Focus::Hostile);
    assert!(counts.errors > 10 && counts.committed > 200 && counts.replayed > 50, "{counts:?}");
}

#[test]
fn each_message_has_one_fate_where_servers_forget() {
    let counts = search(Focus::Memory);
    assert!(counts.lost > 100 && counts.in_doubt > 40 && counts.committed > 100, "{counts:?}");
}

#[test]
fn each_message_has_one_fate_with_plain_servers_in_between() {
    let counts = search(Focus::Plain);
    assert!(counts.plain > 30 && counts.lost > 50 && counts.committed > 100, "{counts:?}");
}

#[test]
fn the_outbox_is_bounded_where_nobody_acknowledges() {
    let counts = search(Focus::Silence);
    assert!(counts.full > 100 && counts.dropped > counts.full, "{counts:?}");
}

#[test]
fn all_laws_where_everything_happens() {
    let counts = search(Focus::All);
    assert!(counts.lost > 100 && counts.errors > 3 && counts.plain > 30 && counts.restored > 15, "{counts:?}");
}
