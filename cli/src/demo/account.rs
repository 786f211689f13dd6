//! The account: what was sent, compared with what has arrived and what came back.

use redial::{Micros, Stats};
use serde::Serialize;

use crate::failure::Failure;

/// The account, as `--json` prints it. Both directions count: each message is answered with itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    /// Messages that the client took and did not give back.
    pub(super) sent: u32,
    /// Of those, how many arrived and were answered.
    pub(super) delivered: u32,
    /// Of those, how many were not.
    pub(super) lost: u32,
    /// How many times a message or an answer arrived that had arrived already, or had not been sent at all.
    pub(super) duplicated: u32,
    /// How many messages or answers arrived after one that was sent later.
    pub(super) out_of_order: u32,
    /// Outages that began.
    pub(super) outages: u32,
    /// How many times the connection opened again.
    pub(super) reconnects: u64,
    /// Time without a connection.
    pub(super) downtime: Micros,
}

/// What both sides know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides<'a> {
    /// Messages that the client took, numbered from 1.
    pub(super) sent: u32,
    /// The last so many of them had no receipt when an interrupt ended it all, and were given back. They may have arrived.
    pub(super) given_back: u32,
    /// The numbers that the server has, in order.
    pub(super) arrivals: &'a [u32],
    /// The numbers that came back, in order.
    pub(super) answers: &'a [u32],
}

impl Account {
    pub(super) fn new(sides: &Sides<'_>, outages: u32, stats: &Stats) -> Self {
        let (there, back) = (Direction::new(sides.sent, sides.arrivals), Direction::new(sides.sent, sides.answers));
        let certain = sides.sent.saturating_sub(sides.given_back);
        // When it was ended early, answers may still wait for a client that does not come back.
        let answered =
            if sides.given_back == 0 { sides.sent } else { sides.answers.iter().copied().max().unwrap_or(0) };
        let mut account = Self {
            sent: 0,
            delivered: 0,
            lost: 0,
            duplicated: there.duplicated.saturating_add(back.duplicated),
            out_of_order: there.out_of_order.saturating_add(back.out_of_order),
            outages,
            reconnects: stats.opened.saturating_sub(1),
            downtime: stats.downtime,
        };
        for number in 1..=sides.sent {
            let (arrived, came_back) = (there.has(number), back.has(number));
            if number > certain && !arrived && !came_back {
                continue;
            }
            count(&mut account.sent);
            let delivered = arrived && (came_back || number > answered);
            count(if delivered { &mut account.delivered } else { &mut account.lost });
        }
        account
    }

    /// # Errors
    /// One line that says what must never happen and has.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let problems = [
            (self.lost, "lost"),
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

/// What came at one end.
struct Direction {
    came: Vec<bool>,
    duplicated: u32,
    out_of_order: u32,
}

impl Direction {
    fn new(sent: u32, numbers: &[u32]) -> Self {
        let came = vec![false; usize::try_from(sent).unwrap_or(usize::MAX)];
        let mut direction = Self { came, duplicated: 0, out_of_order: 0 };
        let mut latest = 0;
        for &number in numbers {
            match index(number).and_then(|index| direction.came.get_mut(index)) {
                None | Some(true) => count(&mut direction.duplicated),
                Some(came) => {
                    *came = true;
                    if number < latest {
                        count(&mut direction.out_of_order);
                    }
                    latest = latest.max(number);
                }
            }
        }
        direction
    }

    fn has(&self, number: u32) -> bool {
        index(number).and_then(|index| self.came.get(index)).copied().unwrap_or(false)
    }
}

fn index(number: u32) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}

fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [u32; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

    /// Ten were sent.
    fn account(given_back: u32, arrivals: &[u32], answers: &[u32]) -> Account {
        let stats = Stats { opened: 3, downtime: Micros::from_micros(1_234_500), ..Stats::default() };
        Account::new(&Sides { sent: 10, given_back, arrivals, answers }, 2, &stats)
    }

    fn problem(account: &Account) -> String {
        match account.check() {
            Err(Failure::Check(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_json_is_the_contract_s() {
        let account = account(0, &ALL, &ALL);
        assert!(account.check().is_ok());
        assert_eq!(
            serde_json::to_string(&account).unwrap(),
            r#"{"sent":10,"delivered":10,"lost":0,"duplicated":0,"outOfOrder":0,"outages":2,"reconnects":2,"downtime":1234.5}"#
        );
    }

    #[test]
    fn what_does_not_arrive_or_is_not_answered_is_lost() {
        let account = account(0, &[1, 2, 3, 5, 6, 7, 8, 9, 10], &[1, 2, 3, 5, 6, 7, 8, 9]);
        assert_eq!((account.sent, account.delivered, account.lost), (10, 8, 2));
        assert_eq!(problem(&account), "messages: 2 lost");
    }

    #[test]
    fn what_comes_twice_or_was_never_sent_fails_the_check_in_both_directions() {
        let more = [1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 1, 11, 0];
        assert_eq!(problem(&account(0, &more, &ALL)), "messages: 4 delivered more than once");
        assert_eq!(problem(&account(0, &ALL, &more)), "messages: 4 delivered more than once");
    }

    #[test]
    fn what_comes_after_a_later_one_fails_the_check_in_both_directions() {
        let mixed = [1, 2, 5, 3, 4, 6, 7, 8, 10, 9];
        assert_eq!(problem(&account(0, &mixed, &ALL)), "messages: 3 delivered out of order");
        assert_eq!(problem(&account(0, &ALL, &mixed)), "messages: 3 delivered out of order");
    }

    #[test]
    fn what_was_given_back_was_not_sent_unless_it_arrived() {
        let early = account(4, &ALL[..8], &ALL[..5]);
        assert_eq!((early.sent, early.delivered, early.lost), (8, 8, 0));
        // A receipt was given for 6: it must be there.
        let early = account(4, &ALL[..5], &ALL[..5]);
        assert_eq!((early.sent, early.delivered, early.lost), (6, 5, 1));
        // An answer that others have overtaken is lost.
        let early = account(4, &ALL[..6], &[1, 2, 4]);
        assert_eq!((early.sent, early.delivered, early.lost), (6, 5, 1));
    }

    #[test]
    fn nothing_sent_is_nothing_lost() {
        let nothing = Sides { sent: 0, given_back: 0, arrivals: &[], answers: &[] };
        let account = Account::new(&nothing, 0, &Stats::default());
        assert_eq!((account.sent, account.lost, account.reconnects), (0, 0, 0));
        assert!(account.check().is_ok());
    }
}
