//! A list of endpoints that changes.

#![allow(clippy::unwrap_used, clippy::panic)] // tests may panic

mod common;

use common::*;
use redial_driver::testing::{Script, Sim};

/// The list grows during the first dial, which never ends by itself.
#[test]
fn a_dial_that_times_out_may_have_changed_the_list() {
    let sim = Sim::new();
    sim.net().otherwise(Script::Never);
    let mut connection = connection(&sim);
    let net = sim.net().clone();
    sim.at(500, move || net.endpoints(2));
    run(&sim, &mut connection, 40_000);
    let dialled: Vec<_> = sim.net().dials().iter().map(|(_, dial)| dial.endpoint).collect();
    assert_eq!(dialled, [0, 1, 0, 1]);
}

#[test]
fn a_list_that_gets_shorter_is_not_dialled_beyond_its_end() {
    let sim = Sim::new();
    sim.net().endpoints(3);
    sim.net().otherwise(Script::Fail(redial::Cause::NETWORK));
    let mut connection = connection(&sim);
    let net = sim.net().clone();
    sim.at(1500, move || net.endpoints(1)); // between the second dial and the third
    run(&sim, &mut connection, 20_000);
    let dialled: Vec<_> = sim.net().dials().iter().map(|(_, dial)| dial.endpoint).collect();
    assert_eq!(dialled, [0, 1, 0, 0, 0, 0]);
}
