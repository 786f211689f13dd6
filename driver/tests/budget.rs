//! A dial budget that many connections share.

#![allow(clippy::unwrap_used, clippy::panic)] // tests may panic

mod common;

use std::future::poll_fn;
use std::task::Poll;

use common::*;
use futures_util::StreamExt;
use redial::{Cause, DialBudget, Hint, HoldReason, Input, Micros, NetworkDetail, Output, Phase, Timestamp};
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

/// `autoReconnectOff` holds back no dial of `start`: it is made, with its token.
#[test]
fn a_hold_that_does_not_hold_a_dial_back_is_no_way_past_the_budget() {
    let sim = Sim::new();
    let budget = budget(&sim);
    let mut fleet: Vec<_> = (0..4 * u64::from(BURST)).map(|seed| client(&sim, &budget, seed)).collect();
    run_all(&sim, &mut fleet, 0);
    // The dials are due, and the hold comes first.
    sim.clock().set(Timestamp::from_micros(1));
    fleet.iter().for_each(|one| one.hold(HoldReason::AutoReconnectOff));
    run_all(&sim, &mut fleet, 1);
    assert_eq!(sim.net().dials().len(), BURST as usize);
}

#[test]
fn an_input_that_moves_a_due_dial_takes_no_token() {
    let sim = Sim::new();
    let slow = SharedBudget::with_clock(sim.clock(), DialBudget { burst: 1, refill: Micros::from_secs(10) });
    sim.net().script([Script::Fail(Cause::NETWORK)]);
    let mut one = client(&sim, &slow, 7);
    run(&sim, &mut one, 10_000);
    // Its first dial took the token; there is another, for the retry, from 10 s on. As it is due, the server's advice comes.
    sim.clock().set(Timestamp::from_micros(10_000_001));
    one.hint(Hint { min_delay: Some(span(50)), ..Hint::default() });
    run(&sim, &mut one, 10_100);
    assert_eq!(sim.net().dials().len(), 2, "the token was there, and still is");
}

#[test]
fn connections_that_are_gone_leave_no_queue_behind() {
    let sim = Sim::new();
    let budget = budget(&sim);
    let mut fleet: Vec<_> = (0..CLIENTS).map(|seed| client(&sim, &budget, seed)).collect();
    run_all(&sim, &mut fleet, 1);
    let (dropped, mut stopped) = (fleet.split_off(100), fleet);
    drop(dropped);
    stopped.iter().for_each(Reconnecting::stop);
    run_all(&sim, &mut stopped, 100);
    let dials = sim.net().dials().len();
    let mut late = client(&sim, &budget, 7);
    run(&sim, &mut late, 101);
    assert_eq!(sim.net().dials().len(), dials + 1, "nobody waits, and the bucket is full");
}

#[cfg(feature = "recorder")]
#[test]
fn what_a_shared_budget_made_of_it_replays() {
    use redial::trace::Trace;
    use redial_driver::TraceRecorder;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Tape(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Tape {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    for stopped_at in [5, 200] {
        let (sim, tape) = (Sim::new(), Tape::default());
        let budget = budget(&sim);
        let mut greedy: Vec<_> = (0..u64::from(BURST)).map(|seed| client(&sim, &budget, seed)).collect();
        run_all(&sim, &mut greedy, 1);
        let mut last = Reconnecting::builder(sim.clock(), sim.connector(), policy(), 7)
            .shared_budget(&budget)
            .recorder(TraceRecorder::new(tape.clone()))
            .build();
        run(&sim, &mut last, stopped_at);
        last.stop();
        run(&sim, &mut last, stopped_at + 1);
        let recording = String::from_utf8(tape.0.lock().unwrap().clone()).unwrap();
        let trace = Trace::parse(&recording).unwrap();
        assert_eq!(trace.check(trace.machine(), None), Ok(()), "{recording}");
    }
}

/// Every input with its time.
#[derive(Default)]
struct Steps(Vec<(Timestamp, Input)>);

impl Record for Steps {
    fn input(&mut self, at: Timestamp, input: &Input) {
        self.0.push((at, *input));
    }

    fn output(&mut self, _at: Timestamp, _output: &Output) {}
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

#[test]
fn waiting_for_a_turn_is_told_to_the_machine_and_so_to_the_recording() {
    let sim = Sim::new();
    let budget = budget(&sim);
    let mut greedy: Vec<_> = (0..u64::from(BURST)).map(|seed| client(&sim, &budget, seed)).collect();
    run_all(&sim, &mut greedy, 1);
    let mut last = Reconnecting::builder(sim.clock(), sim.connector(), policy(), 7)
        .shared_budget(&budget)
        .recorder(Steps::default())
        .build();
    run(&sim, &mut last, 50);
    assert_eq!(last.status().phase, Phase::Open);
    let Steps(steps) = last.recorder_mut();
    let told: Vec<_> = steps.iter().map(|(_, input)| *input).take(2).collect();
    assert_eq!(told, [Input::Budget { wait: Micros::ZERO }, Input::Start]);
    let waits =
        steps.iter().filter_map(|(_, input)| if let Input::Budget { wait } = input { Some(*wait) } else { None });
    let wait = { waits }.nth(1);
    // The bucket began to refill with the first token taken, at 1 µs.
    assert_eq!(wait, Some(Micros::from_micros(REFILL * 1000 - 1000)));
}
