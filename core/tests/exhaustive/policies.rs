//! The policies that are searched: every rule, with spans of a few microseconds.

use redial::{
    DialBudget, Failover, Hint, HoldReason, Jitter, Micros, Policy, PolicyBuilder, QualityBounds, Verdict, VerdictKey,
};

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) policy: Policy,
    pub(crate) endpoints: u32,
    /// The reasons that come and go.
    pub(crate) holds: &'static [HoldReason],
    pub(crate) hints: &'static [Hint],
    /// How many endpoints there come to be.
    pub(crate) counts: &'static [u32],
    /// For how long a shared budget puts a dial off, in microseconds.
    pub(crate) waits: &'static [u64],
    /// States and transitions.
    pub(crate) found: (usize, usize),
    /// The most steps that any state is from open, once the network is back.
    pub(crate) steps_to_open: usize,
}

pub(crate) fn cases() -> Vec<Case> {
    use HoldReason::{AutoReconnectOff, Hidden, Offline};
    vec![
        case("plain, two endpoints", tiny().max_attempts(Some(1)), 2, HoldReason::ALL, &[], (1_287, 101_469), 2),
        case(
            "automatic reconnection off, no limit, round robin",
            tiny().auto_reconnect(false).max_attempts(None).failover(Failover::RoundRobin),
            3,
            &[AutoReconnectOff, Hidden],
            &[],
            (803, 61_507),
            2,
        ),
        case(
            "delays of zero, stable at once",
            tiny().base_delay(us(0)).max_delay(us(0)).min_delay(us(0)).stable_after(us(0)),
            1,
            &[Offline, Hidden],
            &[NOTHING],
            (198, 13_952),
            2,
        ),
        case(
            "handshake, verdicts of its own",
            tiny()
                .ready_timeout(us(2))
                .verdict(VerdictKey::Close(1006), Verdict::Stop)
                .and_then(|tiny| tiny.verdict(VerdictKey::Http(401), Verdict::Retry))
                .unwrap(),
            1,
            &[Offline],
            &[FLOOR],
            (371, 30_293),
            3,
        ),
        case(
            "health checks and grades",
            tiny().health_check_interval(us(3)).ping_timeout(us(2)).busy_timeout(us(4)).max_attempts(Some(0)),
            1,
            &[Offline],
            &[],
            (1_591, 165_788),
            1,
        ),
        case(
            "more pings than answers",
            tiny().health_check_interval(us(2)).ping_timeout(us(3)).busy_timeout(us(4)).max_attempts(Some(0)),
            1,
            &[Offline],
            &[],
            (1_411, 146_568),
            1,
        ),
        case("dial budget, burst 1", tiny().dial_budget(budget(1, 5)), 1, &[Offline], &[], (626, 44_321), 2),
        case("dial budget, burst 2", tiny().dial_budget(budget(2, 4)), 1, &[AutoReconnectOff], &[], (1_099, 83_028), 2),
        case("hints", tiny().max_retry_after(us(5)), 1, &[Offline], &[FLOOR, LONG, STOP, NOTHING], (625, 52_612), 2),
        case("elapsed limit", tiny().max_elapsed(us(8)), 1, &[Offline], &[], (841, 69_899), 2),
        case(
            "elapsed limit and dial budget",
            tiny().max_elapsed(us(5)).max_attempts(None).dial_budget(budget(1, 3)),
            1,
            &[Offline],
            &[],
            (1_296, 101_406),
            2,
        ),
        case(
            "draws: jitter, online spread, random endpoint",
            tiny().jitter(Jitter::Full).online_spread(us(2)).failover(Failover::Random).max_attempts(Some(1)),
            2,
            &[Offline],
            &[SPREAD],
            (291, 113_064),
            2,
        ),
        Case {
            counts: &[1, 3],
            ..case("endpoints come and go", tiny().max_attempts(Some(1)), 2, &[Hidden], &[], (478, 37_455), 2)
        },
        Case {
            waits: &[0, 3],
            ..case("shared budget", tiny().max_elapsed(us(8)), 1, &[Offline], &[], (2_311, 212_866), 2)
        },
        Case {
            counts: &[1, 3],
            ..case(
                "healthiest of three, which come and go",
                tiny().failover(Failover::Healthiest).max_attempts(Some(1)),
                3,
                &[],
                &[],
                (10_047, 801_521),
                2,
            )
        },
    ]
}

/// Two retries after 2 and 4 µs; no budget, no pings.
fn tiny() -> PolicyBuilder {
    Policy::builder()
        .jitter(Jitter::None)
        .base_delay(us(2))
        .min_delay(us(1))
        .max_delay(us(4))
        .max_attempts(Some(2))
        .connect_timeout(us(3))
        .stable_after(us(3))
        .health_check_interval(None)
        .ping_timeout(us(3))
        .busy_timeout(us(5))
        .quality(QualityBounds { excellent: us(1), good: us(2), poor: us(3), hysteresis: 0.1 })
        .dial_budget(None)
        .max_retry_after(us(6))
        .online_spread(us(0))
        .wake_gap(us(4))
}

const FLOOR: Hint = Hint { min_delay: Some(us(5)), spread: Some(us(0)), stop: false };
const LONG: Hint = Hint { min_delay: Some(us(50)), spread: Some(us(0)), stop: false };
const SPREAD: Hint = Hint { min_delay: Some(us(3)), spread: Some(us(2)), stop: false };
const STOP: Hint = Hint { min_delay: None, spread: None, stop: true };
const NOTHING: Hint = Hint { min_delay: None, spread: None, stop: false };

fn case(
    name: &'static str,
    policy: PolicyBuilder,
    endpoints: u32,
    holds: &'static [HoldReason],
    hints: &'static [Hint],
    found: (usize, usize),
    steps_to_open: usize,
) -> Case {
    Case {
        name,
        policy: policy.build().unwrap(),
        endpoints,
        holds,
        hints,
        counts: &[],
        waits: &[],
        found,
        steps_to_open,
    }
}

const fn us(micros: u64) -> Micros {
    Micros::from_micros(micros)
}

const fn budget(burst: u32, refill: u64) -> Option<DialBudget> {
    Some(DialBudget { burst, refill: us(refill) })
}
