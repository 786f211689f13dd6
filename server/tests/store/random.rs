//! Random calls: every store answers as the model does.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use redial_server::store::{Claim, Committed, Effect, Ended, Lease, NewSession, StoreSettings};

use crate::laws::{TTL, id, join, leave, lines, new, past, reply, say, secret, tell};
use crate::model::Model;
use crate::rig::{Rig, Store};

/// So few sessions, and limits so small, that everything meets.
const SETTINGS: StoreSettings =
    StoreSettings { ttl: TTL, outbox_messages: 6, outbox_bytes: 40, history_messages: 3, sessions_per_user: 2 };

/// Whose lease: that of the last claim, or one from before.
#[derive(Clone, Copy, Debug)]
struct Whose {
    n: u16,
    newest: bool,
}

#[derive(Clone, Debug)]
enum Call {
    Create(u16, Option<&'static str>),
    /// With the right secret, and so many more than acknowledged.
    Claim(u16, bool, i64),
    /// First number, relative to the right one.
    Commit(Whose, i64, Vec<Vec<Effect>>),
    Apply(Option<u16>, Vec<Effect>),
    Read(Whose, u64, usize, usize),
    Acknowledge(Whose, u64),
    Keep(Vec<Whose>),
    Release(Whose),
    End(Whose),
    Expire,
    History(&'static str, Option<u64>, usize),
    Members(&'static str),
    Count(&'static str),
    Pass(Duration),
}

fn effect() -> impl Strategy<Value = Effect> {
    let room = || prop::sample::select(vec!["r", "q"]);
    prop_oneof![
        3 => "[a-z]{0,12}".prop_map(|text| reply(&text)),
        3 => (room(), "[a-z]{0,12}").prop_map(|(room, text)| say(room, &text)),
        2 => (room(), "[a-z]{0,12}").prop_map(|(room, text)| tell(room, &text)),
        3 => room().prop_map(join),
        1 => room().prop_map(leave),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let n = || 0_u16..4;
    let whose = || (n(), prop::bool::weighted(0.9)).prop_map(|(n, newest)| Whose { n, newest });
    let room = || prop::sample::select(vec!["r", "q"]);
    let user = prop::sample::select(vec![None, Some("ann")]);
    let times = vec![Duration::from_millis(1), TTL / 4, TTL / 2, TTL - Duration::from_millis(1), TTL];
    let offsets = prop::sample::select(vec![0, 0, 0, 0, -1, -2, 1]);
    prop_oneof![
        4 => (n(), user).prop_map(|(n, user)| Call::Create(n, user)),
        3 => (n(), prop::bool::weighted(0.9), -1_i64..8).prop_map(|(n, right, more)| Call::Claim(n, right, more)),
        12 => (whose(), offsets, vec(vec(effect(), 0..4), 0..3)).prop_map(|(w, at, all)| Call::Commit(w, at, all)),
        2 => (option::of(n()), vec(effect(), 0..4)).prop_map(|(n, effects)| Call::Apply(n, effects)),
        5 => (whose(), 0_u64..12, 0_usize..9, 0_usize..30).prop_map(|(w, after, most, b)| Call::Read(w, after, most, b)),
        4 => (whose(), 0_u64..12).prop_map(|(whose, up_to)| Call::Acknowledge(whose, up_to)),
        2 => vec(whose(), 0..4).prop_map(Call::Keep),
        2 => whose().prop_map(Call::Release),
        1 => whose().prop_map(Call::End),
        2 => Just(Call::Expire),
        2 => (room(), option::of(0_u64..9), 0_usize..4).prop_map(|(room, before, most)| Call::History(room, before, most)),
        1 => room().prop_map(Call::Members),
        1 => room().prop_map(Call::Count),
        2 => prop::sample::select(times).prop_map(Call::Pass),
    ]
}

/// Both, and the leases that were given: the model's epoch, and the store's lease.
struct Pair<'a> {
    rig: &'a Rig,
    store: Store,
    model: Model,
    leases: HashMap<u16, Vec<(u64, Lease)>>,
}

fn same<T: Debug + PartialEq>(call: &Call, store: T, model: T) {
    assert_eq!(store, model, "the store, and the model, of {call:?}");
}

fn sorted(mut ended: Vec<Ended>) -> Vec<Ended> {
    ended.sort_by_key(|ended| ended.alias);
    ended
}

impl Pair<'_> {
    fn lease(&self, whose: Whose) -> Option<(u64, Lease)> {
        let leases = self.leases.get(&whose.n)?;
        if whose.newest { leases.last().copied() } else { leases.first().copied() }
    }

    async fn check(&mut self, call: &Call) {
        self.make(call).await;
        let totals = self.store.totals().await.unwrap();
        same(call, (totals.sessions, totals.outbox_messages.unwrap()), self.model.totals());
    }

    async fn make(&mut self, call: &Call) {
        let store = &self.store;
        match call {
            Call::Create(n, user) => {
                let before = self.model.session(*n).is_some();
                let made = store.create(NewSession { user: user.map(str::to_owned), ..new(*n) }).await;
                same(call, made.clone().map(|_| ()), self.model.create(*n, user.map(str::to_owned)));
                if let (Ok(lease), false) = (made, before) {
                    self.leases.insert(*n, vec![(1, lease)]);
                }
            }
            Call::Claim(n, right, more) => {
                let acknowledged = self.model.session(*n).map_or(0, |session| session.acknowledged);
                let received = acknowledged.saturating_add_signed(*more);
                let secret = if *right { secret(*n) } else { secret(*n + 1) };
                let claim = store.claim(id(*n), secret, received).await.unwrap();
                let (lease, claimed) = match claim {
                    Claim::Resumed(resumed) => (Some(resumed.lease), Some(resumed.received)),
                    Claim::Unknown => (None, None),
                };
                same(call, claimed, self.model.claim(*n, *right, received));
                if let Some(lease) = lease {
                    let epoch = self.model.session(*n).unwrap().epoch;
                    self.leases.get_mut(n).unwrap().push((epoch, lease));
                }
            }
            Call::Commit(whose, offset, all) => {
                let Some((epoch, lease)) = self.lease(*whose) else { return };
                let next = self.model.session(whose.n).map_or(0, |session| session.received) + 1;
                let first = next.saturating_add_signed(*offset).max(1);
                let message = |(number, effects): (u64, &Vec<Effect>)| Committed { number, effects: effects.clone() };
                let messages: Vec<_> = (first..).zip(all).map(message).collect();
                let done = store.commit(lease, messages.clone()).await;
                same(call, done, self.model.commit(whose.n, epoch, &messages));
            }
            Call::Apply(n, effects) => {
                let done = store.apply(n.map(id), effects.clone()).await;
                same(call, done, self.model.apply(*n, effects));
            }
            Call::Read(whose, after, most, bytes) => {
                let Some((epoch, lease)) = self.lease(*whose) else { return };
                let read = store.read(lease, *after, *most, *bytes).await.map(|messages| lines(&messages));
                same(call, read, self.model.read(whose.n, epoch, *after, *most, *bytes));
            }
            Call::Acknowledge(whose, up_to) => {
                let Some((epoch, lease)) = self.lease(*whose) else { return };
                same(call, store.acknowledge(lease, *up_to).await, self.model.acknowledge(whose.n, epoch, *up_to));
            }
            Call::Keep(all) => {
                let leases: Vec<_> = all.iter().filter_map(|whose| Some((whose.n, self.lease(*whose)?))).collect();
                let held: Vec<_> = leases.iter().map(|(_, (_, lease))| *lease).collect();
                store.keep(&held).await.unwrap();
                leases.into_iter().for_each(|(n, (epoch, _))| self.model.keep(n, epoch));
            }
            Call::Release(whose) => {
                let Some((epoch, lease)) = self.lease(*whose) else { return };
                store.release(lease).await.unwrap();
                self.model.release(whose.n, epoch);
            }
            Call::End(whose) => {
                let Some((epoch, lease)) = self.lease(*whose) else { return };
                same(call, store.end(lease).await.unwrap(), self.model.end(whose.n, epoch));
            }
            Call::Expire => same(call, sorted(store.expire(100).await.unwrap()), sorted(self.model.expire())),
            Call::History(room, before, most) => {
                let history = store.history(room, *before, *most).await.unwrap();
                same(call, past(&history), self.model.history(room, *before, *most));
            }
            Call::Members(room) => same(call, store.members(room).await.unwrap(), self.model.members(room)),
            Call::Count(key) => same(call, store.count(key).await.unwrap(), self.model.count(key)),
            Call::Pass(time) => {
                self.rig.pass(*time).await;
                self.model.now += u64::try_from(time.as_millis()).unwrap();
            }
        }
    }
}

fn compare(rig: Rig, cases: u32) {
    let rig = RefCell::new(rig);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(calls in vec(call(), 1..100))| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut rig = rig.borrow_mut();
        runtime.block_on(async {
            if matches!(*rig, Rig::Memory) {
                tokio::time::pause();
            }
            let store = rig.store(SETTINGS).await;
            let mut pair = Pair { rig: &rig, store, model: Model::new(SETTINGS), leases: HashMap::new() };
            for call in &calls {
                pair.check(call).await;
            }
        });
    });
}

#[test]
fn memory_answers_as_the_model_does() {
    compare(Rig::Memory, 500);
}

#[cfg(feature = "sqlite")]
#[test]
fn sqlite_answers_as_the_model_does() {
    compare(Rig::sqlite(), 60);
}

#[cfg(feature = "redis")]
#[test]
fn redis_answers_as_the_model_does() {
    compare(Rig::redis(), 100);
}
