//! The policy reader, as JSON and as TOML.

use redial::{Jitter, Micros, Policy, PolicyBuilder, Verdicts};
use serde::de::DeserializeSeed;
use serde_json::Value;

use crate::text::assert_one_line;

/// Reads a policy. What is accepted is within the limits and reads again as it was; what is refused is told in one line
/// that names the key.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    match serde_json::from_str(text) {
        Ok(policy) => check(&policy),
        Err(error) => {
            let is_object = matches!(serde_json::from_str(text), Ok(Value::Object(_)));
            check_error(&error.to_string(), is_object);
        }
    }
    match from_toml(text) {
        Ok(policy) => check(&policy),
        Err(message) => check_error(&message, text.parse::<toml::Table>().is_ok()),
    }
}

/// As the command line reads it.
fn from_toml(text: &str) -> Result<Policy, String> {
    let message = |error: toml::de::Error| error.message().to_owned();
    let reader = toml::Deserializer::parse(text).map_err(message)?;
    let builder = PolicyBuilder::default().deserialize(reader).map_err(message)?;
    builder.build().map_err(|error| error.to_string())
}

fn check(policy: &Policy) {
    assert_limits(policy);
    let json = serde_json::to_string(policy).expect("a policy can be written");
    let again: Policy = serde_json::from_str(&json).unwrap_or_else(|error| panic!("written, then refused: {error}"));
    assert_eq!(&again, policy, "a policy reads as it was written: {json}");
    let toml = as_toml(policy);
    assert_eq!(from_toml(&toml).as_ref(), Ok(policy), "TOML says the same as JSON: {toml}");
    assert_eq!(policy.to_builder().build().as_ref(), Ok(policy), "a builder from a policy builds it again");
}

/// TOML has no null: `none` stands for it.
fn as_toml(policy: &Policy) -> String {
    let Ok(Value::Object(mut keys)) = serde_json::to_value(policy) else {
        panic!("a policy is an object");
    };
    for value in keys.values_mut().filter(|value| value.is_null()) {
        *value = "none".into();
    }
    toml::to_string(&keys).expect("a policy can be written as TOML")
}

fn check_error(message: &str, well_formed: bool) {
    assert_one_line(message);
    assert!(!well_formed || message.contains("policy key "), "an error names the key: {message}");
}

/// The contract's ranges, written down a second time.
fn assert_limits(policy: &Policy) {
    let spans = [
        ("baseDelay", Some(policy.base_delay()), 0),
        ("maxDelay", Some(policy.max_delay()), 0),
        ("minDelay", Some(policy.min_delay()), 0),
        ("maxElapsed", policy.max_elapsed(), 0),
        ("connectTimeout", Some(policy.connect_timeout()), 1),
        ("readyTimeout", policy.ready_timeout(), 1),
        ("stableAfter", Some(policy.stable_after()), 0),
        ("healthCheckInterval", policy.health_check_interval(), 1),
        ("pingTimeout", Some(policy.ping_timeout()), 1),
        ("busyTimeout", Some(policy.busy_timeout()), 1),
        ("quality.excellent", Some(policy.quality().excellent), 1),
        ("dialBudget.refill", policy.dial_budget().map(|budget| budget.refill), 1),
        ("maxRetryAfter", Some(policy.max_retry_after()), 0),
        ("onlineSpread", Some(policy.online_spread()), 0),
        ("wakeGap", Some(policy.wake_gap()), 0),
    ];
    for (key, span, least) in spans {
        let fits = |span: Micros| (least..=1 << 53).contains(&span.as_micros());
        assert!(span.is_none_or(fits), "{key} is out of range: {span:?}");
    }
    assert!(policy.min_delay() <= policy.max_delay(), "minDelay is at most maxDelay");
    let multiplier = policy.backoff_multiplier();
    assert!(multiplier.is_finite() && multiplier >= 1.0, "backoffMultiplier is out of range: {multiplier}");
    if let Jitter::Ratio(ratio) = policy.jitter() {
        assert!((0.0..=1.0).contains(&ratio), "jitter.ratio is out of range: {ratio}");
    }
    let quality = policy.quality();
    assert!(quality.excellent < quality.good && quality.good < quality.poor, "quality bounds grow: {quality:?}");
    assert!(quality.poor.as_micros() <= 1 << 53, "quality.poor is out of range: {quality:?}");
    assert!((0.0..1.0).contains(&quality.hysteresis), "quality.hysteresis is out of range: {quality:?}");
    assert!(policy.dial_budget().is_none_or(|budget| budget.burst >= 1), "dialBudget.burst is at least 1");
    assert!(policy.verdicts().iter().count() <= Verdicts::CAPACITY, "at most 16 verdicts");
}
