//! The half of shared-budget that no single machine shows: many of them, each with its own policy and fate, ask one budget.

use proptest::collection::vec;
use proptest::prelude::*;
use redial::{
    Command, DialBudget, HoldReason, Input, Micros, Output, Phase, ReconnectMachine, SharedBudget, Timestamp, Turn,
};
use redial_laws::{Focus, Scenario, Situation, scenarios};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// In any order, at any times, with drivers that come late: no span has too many dials. Then all come at their turns, and
    /// those that have dialled before are always the first to be asked.
    #[test]
    fn machines_that_ask_one_budget(
        fates in vec(scenarios(Focus::Shared, 40), 2..=8),
        order in vec(any::<u8>(), 0..300),
        burst in 1..=4_u32,
        refill in 1..=60_u64,
    ) {
        let mut fleet = Fleet::new(&fates, DialBudget { burst, refill: Micros::from_micros(refill) });
        for turn in order {
            fleet.live(usize::from(turn) % fates.len());
        }
        fleet.all_dial()?;
        within_budget(&fleet.dials, burst, refill)?;
    }

    /// Whatever turns are shown, at whatever times: no span has too many tokens, and who is refused is told of a later time.
    #[test]
    fn whoever_asks(
        asks in vec((0..40_u64, any::<bool>(), prop_oneof![Just(None), any::<prop::sample::Index>().prop_map(Some)]), 0..300),
        burst in 1..=4_u32,
        refill in 1..=60_u64,
    ) {
        let mut budget = SharedBudget::new(DialBudget { burst, refill: Micros::from_micros(refill) });
        let (mut latest, mut taken, mut turns) = (0_u64, Vec::new(), Vec::new());
        for (span, back, shown) in asks {
            let now = if back { latest.saturating_sub(span) } else { latest + span };
            latest = latest.max(now);
            // One's own, somebody else's, one that was used already.
            let turn = shown.filter(|_| !turns.is_empty()).map(|shown| *shown.get(&turns));
            match budget.take(Timestamp::from_micros(now), turn) {
                Ok(()) => taken.push(latest),
                Err(turn) => {
                    prop_assert!(turn.at().as_micros() > latest, "refused until {turn:?} at {latest}");
                    turns.push(turn);
                }
            }
        }
        within_budget(&taken, burst, refill)?;
    }
}

/// "in any span w at most burst + w/refill"
fn within_budget(dials: &[u64], burst: u32, refill: u64) -> Result<(), TestCaseError> {
    for (first, from) in dials.iter().enumerate() {
        for (count, to) in (1..).zip(&dials[first..]) {
            prop_assert!(count * refill <= to - from + u64::from(burst) * refill, "{count} from {from} to {to}");
        }
    }
    Ok(())
}

/// Machines on one clock.
struct Fleet<'a> {
    budget: SharedBudget,
    clients: Vec<Client<'a>>,
    now: u64,
    dials: Vec<u64>,
}

struct Client<'a> {
    machine: ReconnectMachine,
    fate: &'a Scenario,
    moved: usize,
    turn: Option<Turn>,
    last_connection: u64,
    /// Since all want to.
    dialled: bool,
}

impl<'a> Fleet<'a> {
    fn new(fates: &'a [Scenario], budget: DialBudget) -> Self {
        let client = |fate: &'a Scenario| {
            let mut machine = ReconnectMachine::new(fate.policy.clone(), fate.seed);
            let _ = machine.handle(Timestamp::ZERO, Input::Budget { wait: Micros::ZERO });
            Client { machine, fate, moved: 0, turn: None, last_connection: 0, dialled: false }
        };
        let clients = fates.iter().map(client).collect();
        Self { budget: SharedBudget::new(budget), clients, now: 0, dials: Vec::new() }
    }

    /// The client's next move, whenever that is; what the others have to do then they do late.
    fn live(&mut self, client: usize) {
        let Client { machine, fate, moved, last_connection, .. } = &mut self.clients[client];
        let Some((pace, what)) = fate.moves.get(*moved) else { return };
        *moved += 1;
        let situation = Situation::of(machine, Timestamp::from_micros(self.now), *last_connection, 0);
        let Some(input) = what.input(&situation) else { return };
        let at = pace.at(&situation).max(self.now.into());
        self.now = u64::try_from(at).expect("a near time");
        self.tell(client, input);
    }

    /// As a driver does: asks before a timeout that would dial, and lets nothing else dial.
    fn tell(&mut self, client: usize, input: Input) -> usize {
        let now = Timestamp::from_micros(self.now);
        let Client { machine, turn, last_connection, .. } = &mut self.clients[client];
        let mut granted = false;
        if machine.next_dial_at().is_some_and(|at| at <= now) {
            let asked = if input == Input::Timeout {
                self.budget.take(now, *turn).map_err(|refused| {
                    *turn = Some(refused);
                    refused.at().saturating_since(now)
                })
            } else {
                Err(Micros::from_micros(1))
            };
            match asked {
                Ok(()) => (*turn, granted) = (None, true),
                Err(wait) => {
                    let refused = machine.handle(now, Input::Budget { wait });
                    assert_eq!(refused.commands().count(), 0, "dialled though refused");
                }
            }
        }
        let mut dials = 0;
        for output in machine.handle(now, input) {
            if let Output::Command(Command::Dial(dial)) = output {
                *last_connection = dial.connection.0;
                dials += 1;
            }
        }
        // A dial that comes too late for `maxElapsed` is not made, with its token or without.
        let token_lost = granted && dials == 0 && machine.phase() != Phase::Failed;
        assert!(!token_lost && (dials == 0 || granted), "{dials} dials, {} token", u8::from(granted));
        if machine.phase() != Phase::Waiting {
            turn.take().into_iter().for_each(|turn| self.budget.give_back(turn));
        }
        self.dials.extend(vec![self.now; dials]);
        dials
    }

    /// All want to dial again and again, until each has.
    fn all_dial(&mut self) -> Result<(), TestCaseError> {
        let count = self.clients.len();
        for client in 0..count {
            for reason in HoldReason::ALL {
                self.tell(client, Input::Release { reason: *reason });
            }
            self.ask(client);
        }
        for _ in 0..20 * count * count {
            if self.clients.iter().all(|client| client.dialled) {
                return Ok(());
            }
            let next = self.clients.iter().filter_map(|client| client.machine.next_dial_at()).min();
            self.now = next.expect("all wait").as_micros();
            for first in [true, false] {
                for client in 0..count {
                    let Client { machine, dialled, .. } = &self.clients[client];
                    let due = machine.next_dial_at().is_some_and(|at| at.as_micros() <= self.now);
                    if due && *dialled == first && self.tell(client, Input::Timeout) > 0 {
                        self.clients[client].dialled = true;
                        self.ask(client);
                    }
                }
            }
        }
        Err(TestCaseError::fail("not all have dialled"))
    }

    fn ask(&mut self, client: usize) {
        self.tell(client, Input::Stop);
        self.tell(client, Input::Start);
        assert_eq!(self.clients[client].machine.phase(), Phase::Waiting);
    }
}
