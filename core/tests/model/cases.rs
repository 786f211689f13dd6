//! Arbitrary small policies and arbitrary things that happen. All spans are a few microseconds, so that much falls
//! together.

use std::fmt;
use std::num::NonZeroU32;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use redial::{
    Cause, DialBudget, Failover, Hint, HoldReason, Jitter, Micros, NetworkDetail, Policy, QualityBounds, Verdict,
    VerdictKey,
};

#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) policy: Policy,
    pub(crate) endpoints: NonZeroU32,
    pub(crate) seed: u64,
    pub(crate) steps: Vec<(Pace, Move)>,
}

/// The log of the comparison shows the inputs; this shows the rest, without what the policy derives from its keys.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = format!("{:?}", self.policy);
        let keys = settings.split(", multiplier:").next().unwrap_or_default();
        let keys = keys.replace(", None", "").replace("Micros(", "(");
        write!(f, "seed {} endpoints {} {keys}", self.seed, self.endpoints)
    }
}

/// When the next thing happens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// So much after the latest time seen.
    After(i64),
    /// So much after the deadline, if there is one.
    AfterDeadline(i64),
    /// So much more than `wakeGap` after the deadline.
    AfterWakeGap(i64),
}

/// Which connection, or ping, an input names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    Last,
    Previous,
    Next,
}

/// What happens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Move {
    Start,
    Stop,
    Reconnect,
    Hold(HoldReason),
    Release(HoldReason),
    Opened(Which),
    Ready(Which),
    Failed(Which, Cause),
    Closed(Which, Cause),
    Received(Which),
    Pong(Which, Which),
    Busy(bool),
    Hint(Hint),
    Timeout,
    /// What is most likely to happen next in this phase.
    Likely,
    /// A machine restored from the snapshot goes on, so much later.
    Restore(u16),
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    (policies(), 1..=3_u32, any::<u64>(), vec((paces(), moves()), 1..60)).prop_map(
        |(policy, endpoints, seed, mut steps)| {
            steps.insert(0, (Pace::After(1000), Move::Start));
            let endpoints = NonZeroU32::new(endpoints).expect("there is an endpoint");
            Case { policy, endpoints, seed, steps }
        },
    )
}

fn spans(most: u64) -> impl Strategy<Value = Micros> {
    prop_oneof![1 => Just(0), 4 => 0..=most.min(9), 4 => 0..=most].prop_map(Micros::from_micros)
}

fn spans_not_zero(most: u64) -> impl Strategy<Value = Micros> {
    prop_oneof![1 => 1..=most.min(9), 1 => 1..=most].prop_map(Micros::from_micros)
}

fn policies() -> impl Strategy<Value = Policy> {
    (delays(), limits(), timeouts(), spreads()).prop_map(|(delays, limits, timeouts, spreads)| {
        let mut builder = Policy::builder()
            .base_delay(delays.base)
            .max_delay(delays.max)
            .min_delay(delays.min)
            .backoff_multiplier(delays.multiplier)
            .jitter(delays.jitter)
            .max_attempts(limits.attempts)
            .max_elapsed(limits.elapsed)
            .dial_budget(limits.budget)
            .auto_reconnect(limits.auto_reconnect)
            .failover(limits.failover)
            .connect_timeout(timeouts.connect)
            .ready_timeout(timeouts.ready)
            .stable_after(timeouts.stable_after)
            .health_check_interval(timeouts.interval)
            .ping_timeout(timeouts.ping)
            .busy_timeout(timeouts.busy)
            .quality(spreads.quality)
            .max_retry_after(spreads.max_retry_after)
            .online_spread(spreads.online_spread)
            .wake_gap(spreads.wake_gap);
        for (key, verdict) in limits.verdicts {
            builder = builder.verdict(key, verdict).expect("the key is in range");
        }
        builder.build().expect("the policy is in range")
    })
}

#[derive(Debug)]
struct Delays {
    base: Micros,
    max: Micros,
    min: Micros,
    multiplier: f64,
    jitter: Jitter,
}

fn delays() -> impl Strategy<Value = Delays> {
    let jitters = prop_oneof![
        4 => Just(Jitter::None),
        1 => Just(Jitter::Full),
        1 => Just(Jitter::Equal),
        1 => Just(Jitter::Decorrelated),
        1 => select(vec![0.0, 0.125, 0.2, 0.25, 0.5, 1.0]).prop_map(Jitter::Ratio),
    ];
    (spans(30), spans(100), spans(100), select(vec![1.0, 1.25, 1.5, 2.0, 3.0]), jitters)
        .prop_map(|(base, max, min, multiplier, jitter)| Delays { base, max, min: min.min(max), multiplier, jitter })
}

#[derive(Debug)]
struct Limits {
    attempts: Option<u32>,
    elapsed: Option<Micros>,
    budget: Option<DialBudget>,
    auto_reconnect: bool,
    failover: Failover,
    verdicts: Vec<(VerdictKey, Verdict)>,
}

fn limits() -> impl Strategy<Value = Limits> {
    let budgets = (1..=3_u32, spans_not_zero(150)).prop_map(|(burst, refill)| DialBudget { burst, refill });
    let keys = prop_oneof![
        select(vec![1000, 1002, 1006, 4401]).prop_map(VerdictKey::Close),
        select(vec![401, 403, 404, 503]).prop_map(VerdictKey::Http),
    ];
    (
        option::weighted(0.5, 0..=4_u32),
        option::weighted(0.4, spans(400)),
        option::weighted(0.6, budgets),
        prop::bool::weighted(0.85),
        select(Failover::ALL),
        vec((keys, select(Verdict::ALL)), 0..3),
    )
        .prop_map(|(attempts, elapsed, budget, auto_reconnect, failover, verdicts)| Limits {
            attempts,
            elapsed,
            budget,
            auto_reconnect,
            failover,
            verdicts,
        })
}

#[derive(Debug)]
struct Timeouts {
    connect: Micros,
    ready: Option<Micros>,
    stable_after: Micros,
    interval: Option<Micros>,
    ping: Micros,
    busy: Micros,
}

fn timeouts() -> impl Strategy<Value = Timeouts> {
    (
        spans_not_zero(80),
        option::weighted(0.4, spans_not_zero(30)),
        spans(100),
        option::weighted(0.85, spans_not_zero(40)),
        spans_not_zero(60),
        spans_not_zero(100),
    )
        .prop_map(|(connect, ready, stable_after, interval, ping, busy)| Timeouts {
            connect,
            ready,
            stable_after,
            interval,
            ping,
            busy,
        })
}

#[derive(Debug)]
struct Spreads {
    quality: QualityBounds,
    max_retry_after: Micros,
    online_spread: Micros,
    wake_gap: Micros,
}

fn spreads() -> impl Strategy<Value = Spreads> {
    let qualities = (1..=10_u64, 1..=10_u64, 1..=10_u64, select(vec![0.0, 0.1, 0.25, 0.5])).prop_map(
        |(excellent, good, poor, hysteresis)| QualityBounds {
            excellent: Micros::from_micros(excellent),
            good: Micros::from_micros(excellent + good),
            poor: Micros::from_micros(excellent + good + poor),
            hysteresis,
        },
    );
    (qualities, spans(60), spans(20), spans(150)).prop_map(|(quality, max_retry_after, online_spread, wake_gap)| {
        Spreads { quality, max_retry_after, online_spread, wake_gap }
    })
}

fn paces() -> impl Strategy<Value = Pace> {
    prop_oneof![
        3 => Just(Pace::After(0)),
        1 => Just(Pace::After(1)),
        5 => (0..15_i64).prop_map(Pace::After),
        1 => (0..100_i64).prop_map(Pace::After),
        1 => (-20..0_i64).prop_map(Pace::After),
        5 => Just(Pace::AfterDeadline(0)),
        2 => select(vec![-1, 1]).prop_map(Pace::AfterDeadline),
        1 => (0..60_i64).prop_map(Pace::AfterDeadline),
        1 => (-1..60_i64).prop_map(Pace::AfterWakeGap),
    ]
}

fn moves() -> impl Strategy<Value = Move> {
    let which = || prop_oneof![18 => Just(Which::Last), 1 => Just(Which::Previous), 1 => Just(Which::Next)];
    let ping = || prop_oneof![4 => Just(Which::Last), 1 => Just(Which::Previous), 1 => Just(Which::Next)];
    prop_oneof![
        3 => Just(Move::Start),
        1 => Just(Move::Stop),
        2 => Just(Move::Reconnect),
        4 => select(HoldReason::ALL).prop_map(Move::Hold),
        7 => select(HoldReason::ALL).prop_map(Move::Release),
        12 => which().prop_map(Move::Opened),
        4 => which().prop_map(Move::Ready),
        6 => (which(), causes()).prop_map(|(which, cause)| Move::Failed(which, cause)),
        5 => (which(), causes()).prop_map(|(which, cause)| Move::Closed(which, cause)),
        3 => which().prop_map(Move::Received),
        6 => (which(), ping()).prop_map(|(which, ping)| Move::Pong(which, ping)),
        3 => any::<bool>().prop_map(Move::Busy),
        7 => hints().prop_map(Move::Hint),
        16 => Just(Move::Timeout),
        30 => Just(Move::Likely),
        1 => (0..1000_u16).prop_map(Move::Restore),
    ]
}

fn hints() -> impl Strategy<Value = Hint> {
    (option::weighted(0.7, spans(80)), option::of(spans(40)), prop::bool::weighted(0.1))
        .prop_map(|(min_delay, spread, stop)| Hint { min_delay, spread, stop })
}

fn causes() -> impl Strategy<Value = Cause> {
    let retry_after = || option::of(spans(80));
    prop_oneof![
        6 => option::of(select(NetworkDetail::ALL)).prop_map(|detail| Cause::Network { detail }),
        1 => select(vec![Cause::Timeout, Cause::PingTimeout, Cause::Protocol, Cause::User, Cause::Superseded]),
        3 => (select(vec![500, 503, 429, 401, 403, 404, 410, 426, 400, 302]), retry_after())
            .prop_map(|(status, retry_after)| Cause::Http { status, retry_after }),
        2 => (select(vec![1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 4401]), retry_after())
            .prop_map(|(code, retry_after)| Cause::Close { code, retry_after }),
    ]
}
