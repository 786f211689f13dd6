//! The account: what was sent, compared with what has arrived.

use redial::{Micros, Stats};
use serde::Serialize;

use super::ledger::Ledger;
use crate::failure::Failure;

/// The account, as `--json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    /// Messages that the client took and did not give back.
    pub(super) sent: u32,
    /// Of those, how many arrived.
    pub(super) delivered: u32,
    /// Of those, how many did not.
    pub(super) lost: u32,
    /// How many times a message arrived that had arrived already, or had not been sent at all.
    pub(super) duplicated: u32,
    /// How many messages arrived after one that was sent later.
    pub(super) out_of_order: u32,
    /// Outages that began.
    pub(super) outages: u32,
    /// How many times the connection opened again.
    pub(super) reconnects: u64,
    /// Time without a connection.
    pub(super) downtime: Micros,
    /// Of the lost ones, how many nobody was told of: none, if all is well.
    #[serde(skip)]
    pub(super) unreported: u32,
}

impl Account {
    /// `arrivals`: the numbers that arrived, in order.
    pub(super) fn new(ledger: &Ledger, arrivals: &[u32], outages: u32, stats: &Stats) -> Self {
        let mut account = Self {
            sent: ledger.sent(),
            delivered: 0,
            lost: 0,
            duplicated: 0,
            out_of_order: 0,
            outages,
            reconnects: stats.opened.saturating_sub(1),
            downtime: stats.downtime,
            unreported: 0,
        };
        let mut fates = vec![Fate::Unreported; usize::try_from(account.sent).unwrap_or(usize::MAX)];
        for number in ledger.in_doubt().iter().cloned().flatten() {
            if let Some(fate) = fate(&mut fates, number) {
                *fate = Fate::InDoubt;
            }
        }
        let mut latest = 0;
        for &number in arrivals {
            match fate(&mut fates, number) {
                None | Some(Fate::Arrived) => count(&mut account.duplicated),
                Some(open @ (Fate::InDoubt | Fate::Unreported)) => {
                    *open = Fate::Arrived;
                    count(&mut account.delivered);
                    if number < latest {
                        count(&mut account.out_of_order);
                    }
                    latest = latest.max(number);
                }
            }
        }
        for fate in fates {
            match fate {
                Fate::Arrived => {}
                Fate::InDoubt => count(&mut account.lost),
                Fate::Unreported => {
                    count(&mut account.lost);
                    count(&mut account.unreported);
                }
            }
        }
        account
    }

    /// # Errors
    /// One line that says what must never happen and has.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let problems = [
            (self.unreported, "lost without being reported"),
            (self.duplicated, "delivered more than once"),
            (self.out_of_order, "delivered out of order"),
        ];
        let problems: Vec<_> = problems
            .iter()
            .filter(|(messages, _)| *messages > 0)
            .map(|(messages, what)| format!("{messages} {what}"))
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Failure::check(format_args!("messages: {}", problems.join(", "))))
        }
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Unreported,
    InDoubt,
    Arrived,
}

fn fate(fates: &mut [Fate], number: u32) -> Option<&mut Fate> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    fates.get_mut(index)
}

fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten were sent, of which `lost` with a connection.
    fn account(acknowledged: u32, lost_up_to: u32, arrivals: &[u32]) -> Account {
        let mut ledger = Ledger::default();
        while ledger.next(10).is_some() {
            ledger.on_sent();
        }
        ledger.on_acknowledged(acknowledged);
        ledger.on_lost(10 - lost_up_to);
        ledger.on_acknowledged(10);
        let stats = Stats { opened: 3, downtime: Micros::from_micros(1_234_500), ..Stats::default() };
        Account::new(&ledger, arrivals, 2, &stats)
    }

    fn problem(account: &Account) -> String {
        match account.check() {
            Err(Failure::Check(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lost_ones_that_were_in_doubt_are_reported_and_doubtful_ones_may_have_arrived() {
        let account = account(4, 7, &[1, 2, 3, 4, 5, 8, 9, 10]);
        assert_eq!((account.sent, account.delivered, account.lost), (10, 8, 2));
        assert_eq!((account.duplicated, account.out_of_order, account.unreported), (0, 0, 0));
        assert!(account.check().is_ok());
    }

    #[test]
    fn the_json_is_the_contract_s() {
        let json = serde_json::to_string(&account(4, 7, &[1, 2, 3, 4, 8, 9, 10])).unwrap();
        assert_eq!(
            json,
            r#"{"sent":10,"delivered":7,"lost":3,"duplicated":0,"outOfOrder":0,"outages":2,"reconnects":2,"downtime":1234.5}"#
        );
    }

    #[test]
    fn what_is_lost_and_was_not_in_doubt_fails_the_check() {
        let account = account(4, 7, &[1, 2, 3, 5, 8, 9]);
        assert_eq!((account.delivered, account.lost, account.unreported), (6, 4, 2));
        assert_eq!(problem(&account), "messages: 2 lost without being reported");
    }

    #[test]
    fn what_arrives_twice_or_was_never_sent_fails_the_check() {
        let account = account(10, 10, &[1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 1, 11, 0]);
        assert_eq!((account.delivered, account.lost, account.duplicated, account.out_of_order), (10, 0, 4, 0));
        assert_eq!(problem(&account), "messages: 4 delivered more than once");
    }

    #[test]
    fn what_arrives_after_a_later_one_fails_the_check() {
        let account = account(10, 10, &[1, 2, 5, 3, 4, 6, 7, 8, 10, 9]);
        assert_eq!((account.delivered, account.duplicated, account.out_of_order), (10, 0, 3));
        assert_eq!(problem(&account), "messages: 3 delivered out of order");
    }

    #[test]
    fn nothing_sent_is_nothing_lost() {
        let account = Account::new(&Ledger::default(), &[], 0, &Stats::default());
        assert_eq!((account.sent, account.lost, account.reconnects), (0, 0, 0));
        assert!(account.check().is_ok());
    }
}
