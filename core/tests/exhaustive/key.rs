//! When two machines count as the same state: see the words on it in `main.rs`.

use redial::{EndpointHealth, Failover, Jitter, Micros, Policy, ReconnectMachine, Timestamp};

use crate::fields::{self, EVER, NEVER, NONE};

/// What decides a machine's future, as numbers.
pub(crate) type Key = Box<[i32]>;

/// The variants of the machine's state that are named here, by their place in its declaration.
const OPEN: i64 = 3;
const HELD: i64 = 5;

pub(crate) fn key(machine: &ReconnectMachine) -> Key {
    // As of the latest time seen.
    let snapshot = machine.snapshot(Timestamp::ZERO);
    let policy = machine.policy();
    let healthiest = policy.failover() == Failover::Healthiest;
    let decorrelated = policy.jitter() == Jitter::Decorrelated;
    let mut key = Vec::with_capacity(32);
    let (mut state, mut holds, mut held_since, mut began, mut tokens) = (NONE, 0, NEVER, NEVER, 0);
    for (name, value) in fields::fields(&snapshot) {
        match name {
            // What stays as it is, what is only reported, and names that are only compared.
            "version" | "connection" | "lastConnection" | "lastPing" | "hint" | "rng" => {}
            "now" => key.push((value == EVER).into()),
            // The state's variant; its fields follow under their own names.
            "state" => {
                state = value;
                key.push(word(value));
            }
            // How the connection came about counts until it is ready.
            "attempt" | "preceding" if state == OPEN => {}
            "attempt" | "retries" if policy.max_attempts().is_none() => key.push((value > 0).into()),
            "since" => held_since = if state == HELD { value } else { NEVER },
            // A dial that is due is due, however long it has been.
            "due" => key.push(word(value.max(0))),
            "previous" if !decorrelated => {}
            // That a ping is unanswered, not which.
            "ping" => key.push(1),
            "sent" => key.push(latency_class(policy, value.saturating_neg())),
            "smoothed" => key.push(if value < 0 { -1 } else { latency_class(policy, value >> 16) }),
            // Of the healthiest it is known for the end of its connection.
            "endpoint" if healthiest && machine.connection().is_none() => {}
            "endpoint" => key.push(i32::try_from(value).unwrap_or(-1)),
            "holds" => {
                holds |= 1 << value;
            }
            "began" => began = value,
            "uncounted" => key.extend(elapsed(policy, began, value, held_since)),
            "tokens" => tokens = value,
            "countedAt" => key.extend(bucket(policy, tokens, value)),
            _ => key.push(word(value)),
        }
    }
    key.push(holds);
    if healthiest {
        key.extend(endpoints(machine));
    }
    key.into()
}

/// The state of the machine's random numbers.
pub(crate) fn draws(machine: &ReconnectMachine) -> i64 {
    let fields = fields::fields(&machine.snapshot(Timestamp::ZERO));
    fields.iter().find(|(name, _)| *name == "rng").unwrap().1
}

/// All spans of the policies here are short, so that a number is small, or one of the words.
fn word(value: i64) -> i32 {
    match value {
        EVER => i32::MIN,
        NONE => i32::MIN + 1,
        NEVER => i32::MAX,
        _ => i32::try_from(value).unwrap(),
    }
}

/// Whether there is an outage, and how much of its limit is used up.
fn elapsed(policy: &Policy, began: i64, uncounted: i64, held_since: i64) -> [i32; 2] {
    if began == NEVER {
        return [0, 0];
    }
    let Some(limit) = policy.max_elapsed().map(micros) else { return [1, 0] };
    let held = if held_since == NEVER { 0 } else { -held_since.max(began) };
    [1, word((-began - uncounted - held).min(limit + 1))]
}

/// The tokens that are there now, and how much of the next one is.
fn bucket(policy: &Policy, tokens: i64, counted_at: i64) -> [i32; 2] {
    let Some(budget) = policy.dial_budget() else { return [0, 0] };
    let (burst, refill) = (i64::from(budget.burst), micros(budget.refill));
    // Before the first input the bucket is full.
    if counted_at == EVER {
        return [word(burst), 0];
    }
    let tokens = tokens + -counted_at / refill;
    if tokens >= burst { [word(burst), 0] } else { [word(tokens), word(-counted_at % refill)] }
}

/// Which of the table's bounds, as they are and moved by the hysteresis, a latency has passed.
fn latency_class(policy: &Policy, latency: i64) -> i32 {
    let bounds = policy.quality();
    [bounds.excellent, bounds.good, bounds.poor].iter().map(|bound| i32::from(micros(*bound) <= latency)).sum()
}

/// Of each endpoint: whether it has failed, how long it cools down yet, and how much longer the next time. Without pings there
/// are no latencies.
fn endpoints(machine: &ReconnectMachine) -> Vec<i32> {
    let (policy, stats) = (machine.policy(), machine.stats(Timestamp::ZERO));
    let first = micros(policy.stable_after().max(policy.base_delay()).max(Micros::from_micros(1)));
    let most = micros(policy.max_retry_after());
    let each = |known: EndpointHealth| {
        assert_eq!(known.latency, None, "teach the key of the search how long a latency is remembered");
        let cools = known.cooling_until.map_or(0, |until| micros(until) - micros(stats.age()));
        let growth = (0..known.failures).take_while(|failures| first << failures < most).count();
        [word(cools.max(0)), i32::try_from(growth).unwrap()]
    };
    stats.endpoints.iter().flat_map(each).collect()
}

fn micros(span: Micros) -> i64 {
    span.as_micros().try_into().unwrap()
}
