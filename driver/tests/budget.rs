//! A dial budget that many connections share.

#![allow(clippy::unwrap_used, clippy::panic)] // tests may panic

mod common;

use std::future::poll_fn;
use std::task::Poll;

use common::*;
use futures_util::StreamExt;
use redial::{Cause, DialBudget, HoldReason, Input, Micros, NetworkDetail, Output, Phase, Timestamp};
use redial_driver::testing::{Script, Sim};
use redial_driver::{Reconnecting, Record, SharedBudget};

const CLIENTS: u64 = 200;
const BURST: u32 = 5;
const REFILL: u64 = 10;

fn budget(sim: &Sim) -> SharedBudget<redial_driver::testing::TestClock> {
    SharedBudget::with_clock(sim.clock(), DialBudget { burst: BURST, refill: Micros::from_millis(REFILL) })
}

fn client(sim: &Sim, budget: &SharedBudget<redial_driver::testing::TestClock>, seed: u64) -> Connection {
    let policy = plain().base_delay(span(100)).max_attempts(None).health_check_interval(None).dial_budget(None);
    let policy = policy.build().unwrap();
    Reconnecting::builder(sim.clock(), sim.connector(), policy, seed).shared_budget(budget).build()
}

/// Polls them all, each in its turn, until so many milliseconds after 0.
fn run_all(sim: &Sim, fleet: &mut [Connection], until: u64) {
    let all = poll_fn(|cx| {
        for connection in fleet.iter_mut() {
            while let Poll::Ready(Some(_)) = connection.poll_next_unpin(cx) {}
        }
        Poll::<()>::Pending
    });
    sim.run_until(until, all);
}

/// In any span w at most burst + w / refill dials.
fn assert_kept(dials: &[Timestamp]) {
    for (first, from) in dials.iter().enumerate() {
        for (last, to) in dials.iter().enumerate().skip(first) {
            let most = u64::from(BURST) + to.saturating_since(*from).as_micros() / (REFILL * 1000);
            let made = (last - first + 1) as u64;
            assert!(made <= most, "{made} dials from {from:?} to {to:?}; allowed: {most}");
        }
    }
}

#[test]
fn a_fleet_comes_back_within_its_budget_and_nobody_is_left_behind() {
    let sim = Sim::new();
    let budget = budget(&sim);
    let mut fleet: Vec<_> = (0..CLIENTS).map(|seed| client(&sim, &budget, seed)).collect();
    let all_open = |fleet: &[Connection]| fleet.iter().all(|one| one.status().phase == Phase::Open);
    run_all(&sim, &mut fleet, CLIENTS * REFILL + 100);
    assert!(all_open(&fleet));
    assert_eq!(sim.net().dials().len() as u64, CLIENTS, "nobody waited for its turn at the cost of an attempt");

    // The server goes away: all at once lose it, and for a while it refuses.
    for n in 0..sim.net().opened() {
        sim.net().peer(n).end();
    }
    sim.net().script(std::iter::repeat_n(Script::Fail(Cause::network(NetworkDetail::Refused)), 150));
    run_all(&sim, &mut fleet, 20_000);
    assert!(all_open(&fleet));
    let dials: Vec<_> = sim.net().dials().iter().map(|(at, _)| *at).collect();
    assert_eq!(dials.len() as u64, 2 * CLIENTS + 150);
    assert_kept(&dials);
}

#[test]
fn a_dial_that_is_stopped_or_held_takes_no_token() {
    let sim = Sim::new();
    let budget = budget(&sim);
    let mut fleet: Vec<_> = (0..4 * u64::from(BURST)).map(|seed| client(&sim, &budget, seed)).collect();
    let handles: Vec<_> = fleet.iter().map(Reconnecting::handle).collect();
    for handle in &handles[..10] {
        handle.stop();
    }
    for handle in &handles[10..15] {
        handle.hold(HoldReason::Hidden);
    }
    run_all(&sim, &mut fleet, 1);
    assert_eq!(sim.net().dials().len(), 5, "the burst was left for those that want it");
}

/// What a recording holds of inputs.
#[derive(Default)]
struct Inputs(Vec<Input>);

impl Record for Inputs {
    fn input(&mut self, _at: Timestamp, input: &Input) {
        self.0.push(*input);
    }

    fn output(&mut self, _at: Timestamp, _output: &Output) {}
}

#[test]
fn waiting_for_a_turn_is_told_to_the_machine_and_so_to_the_recording() {
    let sim = Sim::new();
    let budget = budget(&sim);
    let mut greedy: Vec<_> = (0..u64::from(BURST)).map(|seed| client(&sim, &budget, seed)).collect();
    run_all(&sim, &mut greedy, 1);
    let mut last = Reconnecting::builder(sim.clock(), sim.connector(), policy(), 7)
        .shared_budget(&budget)
        .recorder(Inputs::default())
        .build();
    run(&sim, &mut last, 50);
    assert_eq!(last.status().phase, Phase::Open);
    let wait = |input: &Input| if let Input::Budget { wait } = input { Some(*wait) } else { None };
    let wait = last.recorder_mut().0.iter().filter_map(wait).find(|wait| *wait > Micros::ZERO);
    let told = &last.recorder_mut().0[..2];
    assert_eq!(told, [Input::Budget { wait: Micros::ZERO }, Input::Start]);
    // The bucket began to refill with the first token taken, at 1 µs.
    assert_eq!(wait, Some(Micros::from_micros(REFILL * 1000 - 1000)));
}
