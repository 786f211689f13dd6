//! Scenarios out of bytes. A move takes a chunk of its own, so bytes that are changed or taken away change or take away
//! one move; and zeros are the plainest choice.

use std::num::NonZeroU32;

use arbitrary::{Arbitrary, Result, Unstructured};
use redial::{Cause, Hint, HoldReason, Micros, NetworkDetail};

use super::policies::policy;
use super::{Focus, Move, Pace, Scenario, Which};

/// As many bytes as the policy, the seed and the endpoints may take.
pub(super) const HEAD: usize = 128;
/// As many as a move may take.
pub(super) const CHUNK: usize = 24;

impl Scenario {
    /// The scenario that these bytes stand for; missing ones are zero.
    #[must_use]
    pub fn from_bytes(focus: Focus, bytes: &[u8]) -> Self {
        let (head, rest) = bytes.split_at_checked(HEAD).unwrap_or((bytes, &[]));
        let mut head = Source::new(head);
        let seed = head.number();
        let endpoints = NonZeroU32::MIN.saturating_add(u32::from(head.below(3) as u8));
        let policy = policy(focus, &mut head);
        let moves = rest.chunks(CHUNK).map(|chunk| {
            let mut source = Source::new(chunk);
            (pace(focus, &mut source), what(focus, &mut source))
        });
        // What is not started goes nowhere.
        let shares = (focus == Focus::Shared).then_some((Pace::After(0), Move::Budget(Micros::ZERO)));
        let moves = shares.into_iter().chain([(Pace::After(1000), Move::Start)]).chain(moves).collect();
        Self { policy, endpoints, seed, moves }
    }
}

/// For a fuzzer that looks for structure: takes all bytes there are, and the first of them chooses the focus.
impl<'a> Arbitrary<'a> for Scenario {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let focus = *u.choose(&[Focus::Close, Focus::Anything])?;
        let bytes = u.bytes(u.len())?;
        Ok(Self::from_bytes(focus, bytes))
    }
}

/// Choices drawn from bytes.
pub(super) struct Source<'a>(Unstructured<'a>);

impl<'a> Source<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    pub(super) fn number(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// 0 up to less than `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0.int_in_range(0..=end.saturating_sub(1)).unwrap_or(0)
    }

    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.int_in_range(low..=high).unwrap_or(low)
    }

    /// True so many times out of a hundred.
    pub(super) fn percent(&mut self, hundredths: u64) -> bool {
        self.below(100) >= 100 - hundredths
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T], otherwise: T) -> T {
        self.0.choose(all).copied().unwrap_or(otherwise)
    }

    /// The index of a weight, as often as it weighs.
    pub(super) fn weighed(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// 0, a few microseconds, or up to `most`.
    pub(super) fn span(&mut self, most: u64) -> Micros {
        let micros = match self.weighed(&[1, 4, 4]) {
            0 => 0,
            1 => self.below(most.min(9) + 1),
            _ => self.below(most + 1),
        };
        Micros::from_micros(micros)
    }

    pub(super) fn span_not_zero(&mut self, most: u64) -> Micros {
        let most = if self.below(2) == 0 { most.min(9) } else { most };
        Micros::from_micros(1 + self.below(most))
    }

    pub(super) fn maybe<T>(&mut self, percent: u64, some: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.percent(percent) { Some(some(self)) } else { None }
    }
}

fn pace(focus: Focus, source: &mut Source<'_>) -> Pace {
    const SECOND: i64 = 1_000_000;
    const DAY: i64 = 86_400 * SECOND;
    if focus == Focus::Anything {
        match source.weighed(&[120, 4, 4, 4, 2, 1]) {
            0 => {}
            1 => return Pace::After(source.between(0, SECOND)),
            2 => return Pace::After(source.between(0, 60 * SECOND)),
            3 => return Pace::AfterDeadline(source.between(-SECOND, DAY)),
            4 => return Pace::After(source.between(-DAY, 1000 * DAY)),
            _ => {
                // A tenth of them goes on near the end.
                let far = if source.below(10) == 0 { source.below(1000) } else { u64::MAX / 2 + source.below(1 << 40) };
                return if source.percent(50) { Pace::BeforeTheLast(far) } else { Pace::AfterWakeGap(DAY) };
            }
        }
    }
    match source.weighed(&[5, 3, 1, 5, 1, 1, 2, 1, 1]) {
        0 => Pace::AfterDeadline(0),
        1 => Pace::After(0),
        2 => Pace::After(1),
        3 => Pace::After(source.between(0, 14)),
        4 => Pace::After(source.between(0, 99)),
        5 => Pace::After(source.between(-20, -1)),
        6 => Pace::AfterDeadline(source.one_of(&[-1, 1], 1)),
        7 => Pace::AfterDeadline(source.between(0, 59)),
        _ => Pace::AfterWakeGap(source.between(-1, 59)),
    }
}

fn what(focus: Focus, source: &mut Source<'_>) -> Move {
    // Likely, timeout, likely failure, then the others in their order.
    let weights: &[u64] = match focus {
        Focus::Close | Focus::Anything => &[30, 16, 0, 3, 1, 2, 4, 7, 12, 4, 6, 5, 3, 6, 3, 7, 2, 1, 1],
        Focus::Schedule | Focus::Failures => &[3, 8, 60, 1, 0, 1, 1, 3, 1, 1, 6, 2, 1, 1, 1, 4, 1, 0, 1],
        Focus::Budget => &[4, 8, 40, 6, 6, 20, 2, 4, 2, 1, 4, 2, 0, 0, 0, 2, 0, 0, 1],
        Focus::Elapsed => &[4, 12, 40, 2, 0, 1, 8, 12, 2, 1, 4, 2, 0, 0, 0, 2, 0, 0, 1],
        Focus::Health | Focus::Steady => &[30, 30, 0, 1, 0, 1, 4, 4, 4, 2, 1, 1, 16, 10, 10, 1, 0, 0, 1],
        Focus::Shared => &[16, 16, 30, 3, 2, 4, 3, 6, 2, 1, 4, 2, 0, 0, 0, 4, 1, 30, 1],
        Focus::Endpoints => &[40, 24, 20, 2, 2, 4, 1, 2, 2, 2, 8, 6, 0, 2, 0, 1, 5, 0, 1],
    };
    match source.weighed(weights) {
        0 => Move::Likely,
        1 => Move::Timeout,
        2 => Move::LikelyFailure,
        3 => Move::Start,
        4 => Move::Stop,
        5 => Move::Reconnect,
        6 => Move::Hold(source.one_of(HoldReason::ALL, HoldReason::Hidden)),
        7 => Move::Release(source.one_of(HoldReason::ALL, HoldReason::Hidden)),
        8 => Move::Opened(which(source, 18)),
        9 => Move::Ready(which(source, 18)),
        10 => Move::Failed(which(source, 18), cause(source)),
        11 => Move::Closed(which(source, 18), cause(source)),
        12 => Move::Received(which(source, 18)),
        13 => Move::Pong(which(source, 18), which(source, 4)),
        14 => Move::Busy(source.below(2) == 0),
        15 => Move::Hint(hint(source)),
        16 => {
            let most = if source.percent(20) { 12 } else { 4 };
            Move::Endpoints(NonZeroU32::MIN.saturating_add(source.below(most) as u32))
        }
        17 => Move::Budget(source.span(40)),
        _ => Move::Restore(source.below(1000) as u16),
    }
}

fn which(source: &mut Source<'_>, last: u64) -> Which {
    match source.weighed(&[last, 1, 1]) {
        0 => Which::Last,
        1 => Which::Previous,
        _ => Which::Next,
    }
}

fn hint(source: &mut Source<'_>) -> Hint {
    Hint {
        min_delay: source.maybe(70, |source| source.span(80)),
        spread: source.maybe(50, |source| source.span(40)),
        stop: source.percent(10),
    }
}

fn cause(source: &mut Source<'_>) -> Cause {
    const STATUSES: &[u16] = &[500, 503, 429, 401, 403, 404, 410, 426, 400, 302];
    const CODES: &[u16] = &[1006, 1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1011, 1012, 4401];
    const PLAIN: &[Cause] = &[Cause::Timeout, Cause::PingTimeout, Cause::Protocol, Cause::User, Cause::Superseded];
    match source.weighed(&[6, 1, 3, 2]) {
        0 => Cause::Network { detail: source.maybe(50, |s| s.one_of(NetworkDetail::ALL, NetworkDetail::Dns)) },
        1 => source.one_of(PLAIN, Cause::Protocol),
        2 => {
            let status = source.one_of(STATUSES, 503);
            Cause::Http { status, retry_after: source.maybe(50, |source| source.span(80)) }
        }
        _ => {
            let code = source.one_of(CODES, 1006);
            Cause::Close { code, retry_after: source.maybe(50, |source| source.span(80)) }
        }
    }
}
