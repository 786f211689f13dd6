//! The checker: compares what was said with what was heard.

use std::collections::HashSet;
use std::fmt;

use redial_server::store::{Past, SessionStore};

use crate::application::patiently;
use crate::client::{Board, Diary, InRoom};
use crate::words::{self, ROOM, Said};

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    pub(crate) seed: u64,
    pub(crate) clients: usize,
    /// Messages of the clients.
    pub(crate) sent: u64,
    pub(crate) acknowledged: u64,
    /// Messages of the servers, to all clients.
    pub(crate) heard: u64,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) out_of_order: u64,
    /// Cuts or kills.
    pub(crate) faults: u64,
    pub(crate) drops: u64,
    /// Dials and greetings that came to nothing.
    pub(crate) failed: u64,
    pub(crate) resumed: u64,
    pub(crate) sessions_lost: u64,
    pub(crate) oddities: Vec<String>,
}

impl Account {
    pub(crate) fn new(name: &'static str, seed: u64) -> Self {
        Self { name, seed, ..Self::default() }
    }

    /// Compares the clients' diaries with the room's history.
    pub(crate) fn check(&mut self, diaries: &[Diary], history: &History) {
        self.clients = diaries.len();
        self.oddities.extend(history.oddities.iter().cloned());
        for diary in diaries {
            self.sent += diary.sent;
            self.acknowledged += diary.acknowledged;
            self.heard += (diary.echoes.len() + diary.room.len()) as u64;
            self.drops += diary.drops;
            self.failed += diary.failed;
            self.resumed += diary.resumed;
            self.sessions_lost += diary.losses.len() as u64;
            self.oddities.extend(diary.oddities.iter().cloned());
            // There: what the servers have of it.
            self.compare(1..=diary.sent, history.numbers(diary.alias));
            // Back: what it has of the servers' answers.
            self.compare(1..=diary.sent, diary.echoes.iter().copied());
            // To all: what it heard in the room, from the first thing on.
            let from = diary.room.first().and_then(|first| history.entries.iter().position(|entry| entry == first));
            let to = diary.room.last().and_then(|last| history.entries.iter().rposition(|entry| entry == last));
            let (Some(from), Some(to)) = (from, to) else {
                self.oddities.push(format!("client {}: heard nothing in the room", diary.client));
                continue;
            };
            let missed = |entry: &&InRoom| matches!(entry, InRoom::Client { .. });
            let (before, after) = (&history.entries[..from], &history.entries[to + 1..]);
            self.lost += before.iter().chain(after).filter(missed).count() as u64;
            self.compare(history.entries[from..=to].iter().copied(), diary.room.iter().copied());
        }
    }

    /// Two sequences, of which the first has nothing twice.
    pub(crate) fn compare<T: Copy + Eq + std::hash::Hash + fmt::Debug>(
        &mut self,
        expected: impl IntoIterator<Item = T>,
        got: impl IntoIterator<Item = T>,
    ) {
        let (expected, got): (Vec<T>, Vec<T>) = (expected.into_iter().collect(), got.into_iter().collect());
        if let Some(at) = (0..expected.len().max(got.len())).find(|at| expected.get(*at) != got.get(*at)) {
            let around = |all: &[T]| all[at.saturating_sub(2).min(all.len())..all.len().min(at + 70)].to_vec();
            let (expected, got) = (around(&expected), around(&got));
            self.oddities.push(format!("they differ from place {at} on: {got:?} instead of {expected:?}"));
        }
        let faults = Faults::between(expected, got);
        self.lost += faults.lost;
        self.duplicated += faults.duplicated;
        self.out_of_order += faults.out_of_order;
        if faults.strange > 0 {
            self.oddities.push(format!("{} messages that nobody sent", faults.strange));
        }
    }

    pub(crate) fn print(&self) {
        crate::print(&self.to_string());
    }

    /// # Panics
    /// If anything was lost, came twice or out of order, or ought not to have happened.
    pub(crate) fn assert_nothing_lost(&self) {
        self.print();
        assert!(self.oddities.is_empty(), "{self}\n{:#?}", self.oddities);
        assert_eq!((self.lost, self.duplicated, self.out_of_order, self.sessions_lost), (0, 0, 0, 0), "{self}");
        assert_eq!(self.acknowledged, self.sent, "{self}");
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: seed {}, {} clients, {} faults, {} connections lost, {} attempts failed, {} resumed; sent {}, acknowledged {}, heard {}; \
             lost {}, duplicated {}, out of order {}, sessions lost {}",
            self.name,
            self.seed,
            self.clients,
            self.faults,
            self.drops,
            self.failed,
            self.resumed,
            self.sent,
            self.acknowledged,
            self.heard,
            self.lost,
            self.duplicated,
            self.out_of_order,
            self.sessions_lost
        )
    }
}

/// How two sequences differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) out_of_order: u64,
    /// Not among what was expected.
    pub(crate) strange: u64,
}

impl Faults {
    pub(crate) fn between<T: Copy + Eq + std::hash::Hash>(
        expected: impl IntoIterator<Item = T>,
        got: impl IntoIterator<Item = T>,
    ) -> Self {
        let places: std::collections::HashMap<T, usize> = expected.into_iter().zip(0..).collect();
        let mut faults = Self::default();
        let mut came = HashSet::new();
        let mut furthest = None;
        for message in got {
            let Some(place) = places.get(&message) else {
                faults.strange += 1;
                continue;
            };
            if !came.insert(message) {
                faults.duplicated += 1;
                continue;
            }
            if furthest.is_some_and(|furthest| furthest > *place) {
                faults.out_of_order += 1;
            }
            furthest = furthest.max(Some(*place));
        }
        faults.lost = (places.len() - came.len()) as u64;
        faults
    }
}

/// The room's history, as a store has it.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) entries: Vec<InRoom>,
    pub(crate) oddities: Vec<String>,
}

impl History {
    pub(crate) async fn of(store: &dyn SessionStore, board: &Board) -> Self {
        // Page by page: all of it is more than a busy Redis can say at once.
        let (mut pages, mut before) = (Vec::new(), None);
        loop {
            let page = patiently("the history", || store.history(ROOM, before, 100)).await;
            let Some(first) = page.first() else { break };
            before = Some(first.number);
            pages.push(page);
        }
        let all: Vec<Past> = pages.into_iter().rev().flatten().collect();
        Self::read(&all, board)
    }

    pub(crate) fn read(past: &[Past], board: &Board) -> Self {
        let standing = board.now();
        let mut history = Self::default();
        let mut last = std::collections::HashMap::<u64, u64>::new();
        let mut place = 0;
        for past in past {
            if past.number <= place {
                history.oddities.push(format!("the history has {} after {place}", past.number));
            }
            place = past.number;
            match Said::of(&past.payload) {
                Some(Said::Room(alias, bytes)) => {
                    let before = last.get(&alias).copied().unwrap_or(0);
                    let client = standing.clients.get(&alias).copied().unwrap_or(u64::MAX);
                    match words::number(client, before, &bytes) {
                        Some(number) => {
                            last.insert(alias, number);
                            history.entries.push(InRoom::Client { alias, number });
                        }
                        None => history.oddities.push(format!("the history has what client {client} never sent")),
                    }
                }
                Some(Said::Tick(process, number)) => history.entries.push(InRoom::Tick { process, number }),
                Some(Said::Ended(alias)) => history.entries.push(InRoom::Ended { alias }),
                Some(Said::You(_) | Said::Echo(_)) | None => {
                    history.oddities.push("the history has what was not for the room".to_owned());
                }
            }
        }
        history
    }

    /// The numbers of one client's messages.
    pub(crate) fn numbers(&self, alias: u64) -> impl Iterator<Item = u64> + '_ {
        self.entries.iter().filter_map(move |entry| match entry {
            InRoom::Client { alias: who, number } if *who == alias => Some(*number),
            InRoom::Client { .. } | InRoom::Tick { .. } | InRoom::Ended { .. } => None,
        })
    }
}

#[test]
fn the_checker_finds_what_is_missing_what_comes_twice_and_what_is_out_of_order() {
    let faults = |got: &[u64]| {
        let Faults { lost, duplicated, out_of_order, strange } = Faults::between(1..=5_u64, got.iter().copied());
        (lost, duplicated, out_of_order, strange)
    };
    assert_eq!(faults(&[1, 2, 3, 4, 5]), (0, 0, 0, 0));
    assert_eq!(faults(&[1, 2, 4, 5]), (1, 0, 0, 0));
    assert_eq!(faults(&[1, 2, 2, 3, 4, 5, 1]), (0, 2, 0, 0));
    assert_eq!(faults(&[1, 3, 2, 4, 5]), (0, 0, 1, 0));
    assert_eq!(faults(&[1, 2, 3, 9]), (2, 0, 0, 1));
}
