//! The policy: defaults, presets, checks, and its JSON.

#![allow(clippy::unwrap_used)]

use redial::{
    Backoff, DialBudget, Failover, Jitter, KEYS, Micros, Policy, PolicyBuilder, Preset, Value, Verdict, VerdictKey,
};

fn delays(policy: &Policy, count: usize) -> Vec<f64> {
    let mut backoff = Backoff::new(policy, 1);
    (0..count).map(|_| backoff.next_delay(policy).jittered.as_millis_f64()).collect()
}

#[test]
fn the_defaults_are_the_contracts() {
    let policy = Policy::default();
    assert_eq!(policy, Policy::chat());
    assert_eq!(policy.base_delay(), Micros::from_millis(1000));
    assert_eq!(policy.max_delay(), Micros::from_millis(5000));
    assert_eq!(policy.min_delay(), Micros::from_millis(100));
    assert_eq!(policy.jitter(), Jitter::Full);
    assert_eq!(policy.max_attempts(), Some(5));
    assert_eq!(policy.connect_timeout(), Micros::from_secs(10));
    assert_eq!(policy.ready_timeout(), None);
    assert_eq!(policy.stable_after(), Micros::from_secs(5));
    assert!(policy.auto_reconnect());
    assert_eq!(policy.health_check_interval(), Some(Micros::from_secs(5)));
    assert_eq!(policy.ping_timeout(), Micros::from_secs(3));
    assert_eq!(policy.busy_timeout(), Micros::from_secs(30));
    assert_eq!(policy.dial_budget(), Some(DialBudget { burst: 5, refill: Micros::from_secs(1) }));
    assert_eq!(policy.failover(), Failover::Ordered);
    assert_eq!(policy.max_retry_after(), Micros::from_secs(300));
    assert_eq!(policy.online_spread(), Micros::from_secs(1));
    assert_eq!(policy.wake_gap(), Micros::from_secs(10));
}

#[test]
fn every_preset_is_a_valid_policy() {
    for preset in Preset::ALL {
        assert_eq!(Preset::parse(preset.as_str()), Some(*preset));
        let _ = preset.policy();
    }
    assert_eq!(Policy::support().max_attempts(), Some(10));
    assert_eq!(Policy::assistant().busy_timeout(), Micros::from_secs(120));
    assert_eq!(Policy::resilient().min_delay(), Micros::from_millis(250));
}

#[test]
fn the_seed_schedules() {
    let seed = |max| {
        let builder = Policy::builder().jitter(Jitter::None).max_delay(Micros::from_millis(max));
        delays(&builder.build().unwrap(), 5)
    };
    assert_eq!(seed(5000), [1000.0, 2000.0, 4000.0, 5000.0, 5000.0]);
    assert_eq!(seed(16_000), [1000.0, 2000.0, 4000.0, 8000.0, 16_000.0]);
    let session = delays(&Policy::session(), 8);
    assert_eq!(session, [500.0, 1000.0, 2000.0, 4000.0, 8000.0, 10_000.0, 10_000.0, 10_000.0]);
}

#[test]
fn the_shortest_delay_is_never_above_the_longest_by_default() {
    let policy = Policy::builder().max_delay(Micros::from_millis(30)).build().unwrap();
    assert_eq!(policy.min_delay(), Micros::from_millis(30));
    let refused = Policy::builder().max_delay(Micros::from_millis(30)).min_delay(Micros::from_millis(31)).build();
    assert_eq!(refused.unwrap_err().key(), "minDelay");
}

/// What is out of range, and how the error names it.
#[test]
fn bad_values_are_named_with_what_is_allowed() {
    let number = Value::Number;
    let cases = [
        ("baseDelay", number(-1.0), "milliseconds from 0"),
        ("baseDelay", number(0.0001), "three decimals"),
        ("baseDelay", number(f64::NAN), "milliseconds from 0"),
        ("baseDelay", Value::Null, "milliseconds from 0"),
        ("maxDelay", number(9_007_199_254_741.0), "9007199254740.992"),
        ("minDelay", number(5001.0), "0 to maxDelay"),
        ("backoffMultiplier", number(0.9), "1 or more"),
        ("backoffMultiplier", number(f64::INFINITY), "finite"),
        ("jitter", Value::Text("half"), "decorrelated"),
        ("jitter.ratio", number(1.1), "0 to 1"),
        ("maxAttempts", number(2.5), "whole number"),
        ("maxAttempts", number(4_294_967_296.0), "4294967295"),
        ("connectTimeout", number(0.0), "0.001"),
        ("readyTimeout", number(0.0), "null or"),
        ("autoReconnect", number(1.0), "true or false"),
        ("healthCheckInterval", number(0.0), "null or"),
        ("pingTimeout", number(0.0), "0.001"),
        ("busyTimeout", number(0.0), "0.001"),
        ("quality.excellent", number(0.0), "0 < excellent"),
        ("quality.good", number(50.0), "excellent < good"),
        ("quality.poor", number(100.0), "good < poor"),
        ("quality.hysteresis", number(1.0), "less than 1"),
        ("dialBudget.burst", number(0.0), "from 1"),
        ("dialBudget.refill", number(0.0), "0.001"),
        ("failover", Value::Text("sometimes"), "roundRobin"),
        ("verdicts.close:99", Value::Text("stop"), "1000 to 4999"),
        ("verdicts.http:503", Value::Text("perhaps"), "\"retry\""),
        ("quality", number(3.0), "an object"),
        ("baseDlay", number(3.0), "baseDelay"),
    ];
    for (key, value, allowed) in cases {
        let error = Policy::builder().set(key, value).and_then(PolicyBuilder::build).expect_err(key);
        assert_eq!(error.key(), key);
        assert_eq!(error.value(), value.to_string());
        assert!(error.allowed().contains(allowed), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn a_long_or_hostile_value_stays_one_short_line() {
    let error = Policy::builder().set(&"k\n".repeat(1000), Value::Text(&"ü".repeat(1000))).unwrap_err();
    let text = error.to_string();
    assert!(text.len() < 600 && !text.contains('\n') && text.contains('…'), "{text}");
}

#[test]
fn sixteen_verdicts_fit_and_one_can_be_replaced() {
    let mut builder = Policy::builder();
    for code in 4000..4016 {
        builder = builder.verdict(VerdictKey::Close(code), Verdict::Stop).unwrap();
    }
    builder = builder.verdict(VerdictKey::Close(4003), Verdict::Retry).unwrap();
    assert!(builder.verdict(VerdictKey::Close(4016), Verdict::Stop).is_err());
    let policy = builder.build().unwrap();
    assert_eq!(policy.verdicts().verdict(VerdictKey::Close(4003)), Some(Verdict::Retry));
    assert_eq!(policy.verdicts().iter().count(), 16);
}

#[test]
fn every_key_can_be_set() {
    for key in KEYS {
        let value = match *key {
            "jitter" => Value::Text("equal"),
            "failover" => Value::Text("random"),
            "autoReconnect" => Value::Bool(false),
            "jitter.ratio" | "quality.hysteresis" => Value::Number(0.25),
            "dialBudget" => Value::Text("none"),
            "quality.poor" => Value::Number(300.0),
            "quality" | "verdicts" => continue, // objects, set by their parts
            _ => Value::Number(75.0),
        };
        let policy = Policy::builder().set(key, value).and_then(PolicyBuilder::build);
        assert_ne!(policy.expect(key), Policy::chat(), "{key} changed nothing");
    }
}

/// "a truth value, a number, or itself"
#[test]
fn a_text_stands_for_a_value() {
    let numbers = [("0", 0.0), ("12.5", 12.5), ("-3", -3.0), ("+3", 3.0), (".5", 0.5), ("1e3", 1000.0)];
    for (text, number) in numbers {
        assert_eq!(Value::from_text(text), Value::Number(number), "{text}");
    }
    assert_eq!(["true", "false"].map(Value::from_text), [Value::Bool(true), Value::Bool(false)]);
    assert_eq!(Value::from_text("null"), Value::Null);
    for text in ["none", "full", "", "inf", "nan", "1x", "-", "True", "close:4401"] {
        assert_eq!(Value::from_text(text), Value::Text(text));
    }
}

/// "the CODE from 1000 to 4999, the STATUS from 100 to 999", in plain digits.
#[test]
fn verdict_keys_are_read_and_checked() {
    let read = [("close:1000", VerdictKey::Close(1000)), ("close:4999", VerdictKey::Close(4999))];
    for (text, key) in
        read.into_iter().chain([("http:100", VerdictKey::Http(100)), ("http:999", VerdictKey::Http(999))])
    {
        assert_eq!(VerdictKey::parse(text), Some(key));
        assert_eq!(key.to_string(), text);
        assert!(Policy::builder().verdict(key, Verdict::Stop).is_ok());
    }
    let none =
        ["close:999", "close:5000", "http:99", "http:1000", "close", "close:", "close:+4401", "dial:4401", ":1000"];
    for text in none.into_iter().chain(["close:70000", "http:5 3", ""]) {
        assert_eq!(VerdictKey::parse(text), None, "{text}");
    }
    for (key, name) in [(VerdictKey::Close(999), "verdicts.close:999"), (VerdictKey::Http(1000), "verdicts.http:1000")]
    {
        let error = Policy::builder().verdict(key, Verdict::Stop).unwrap_err();
        assert_eq!((error.key(), error.value()), (name, "stop"));
        assert!(error.allowed().contains("from 1000 to 4999"));
    }
}

/// What a type can't say is checked when the policy is built, at both ends of each range.
#[test]
fn ranges_end_where_the_contract_says() {
    let number = Value::Number;
    let longest = 9_007_199_254_740.992;
    let allowed = [
        ("baseDelay", number(0.0)),
        ("baseDelay", number(longest)),
        ("maxDelay", number(longest)),
        ("minDelay", number(0.0)),
        ("minDelay", number(5000.0)),
        ("backoffMultiplier", number(1.0)),
        ("backoffMultiplier", number(f64::MAX)),
        ("jitter.ratio", number(0.0)),
        ("jitter.ratio", number(1.0)),
        ("maxAttempts", number(0.0)),
        ("maxAttempts", number(4_294_967_295.0)),
        ("maxAttempts", Value::Null),
        ("maxElapsed", number(0.0)),
        ("maxElapsed", number(longest)),
        ("connectTimeout", number(0.001)),
        ("readyTimeout", number(0.001)),
        ("readyTimeout", Value::Text("none")),
        ("stableAfter", number(0.0)),
        ("healthCheckInterval", number(0.001)),
        ("healthCheckInterval", Value::Null),
        ("pingTimeout", number(0.001)),
        ("busyTimeout", number(longest)),
        ("quality.excellent", number(0.001)),
        ("quality.excellent", number(99.999)),
        ("quality.good", number(50.001)),
        ("quality.good", number(199.999)),
        ("quality.poor", number(100.001)),
        ("quality.poor", number(longest)),
        ("quality.hysteresis", number(0.0)),
        ("quality.hysteresis", number(0.999)),
        ("dialBudget.burst", number(1.0)),
        ("dialBudget.burst", number(4_294_967_295.0)),
        ("dialBudget.refill", number(0.001)),
        ("maxRetryAfter", number(0.0)),
        ("onlineSpread", number(0.0)),
        ("wakeGap", number(0.0)),
        ("wakeGap", number(longest)),
    ];
    for (key, value) in allowed {
        let built = Policy::builder().set(key, value).and_then(PolicyBuilder::build);
        assert!(built.is_ok(), "{key} {value}: {built:?}");
    }
    // What a setter takes and a file can't say.
    let longer = Micros::from_micros((1 << 53) + 1);
    let bounds = |excellent, good, poor, hysteresis| {
        let ms = Micros::from_millis;
        redial::QualityBounds { excellent: ms(excellent), good: ms(good), poor: ms(poor), hysteresis }
    };
    let refused = [
        ("baseDelay", Policy::builder().base_delay(longer)),
        ("maxDelay", Policy::builder().max_delay(longer)),
        ("minDelay", Policy::builder().max_delay(Micros::ZERO).min_delay(Micros::from_micros(1))),
        ("backoffMultiplier", Policy::builder().backoff_multiplier(0.999)),
        ("backoffMultiplier", Policy::builder().backoff_multiplier(f64::NAN)),
        ("jitter.ratio", Policy::builder().jitter(Jitter::Ratio(-0.1))),
        ("jitter.ratio", Policy::builder().jitter(Jitter::Ratio(f64::NAN))),
        ("maxElapsed", Policy::builder().max_elapsed(longer)),
        ("connectTimeout", Policy::builder().connect_timeout(Micros::ZERO)),
        ("readyTimeout", Policy::builder().ready_timeout(Micros::ZERO)),
        ("stableAfter", Policy::builder().stable_after(longer)),
        ("healthCheckInterval", Policy::builder().health_check_interval(Micros::ZERO)),
        ("pingTimeout", Policy::builder().ping_timeout(Micros::ZERO)),
        ("busyTimeout", Policy::builder().busy_timeout(Micros::ZERO)),
        ("quality.excellent", Policy::builder().quality(bounds(0, 100, 200, 0.1))),
        ("quality.good", Policy::builder().quality(bounds(100, 100, 200, 0.1))),
        ("quality.poor", Policy::builder().quality(bounds(50, 200, 200, 0.1))),
        ("quality.hysteresis", Policy::builder().quality(bounds(50, 100, 200, 1.0))),
        ("quality.hysteresis", Policy::builder().quality(bounds(50, 100, 200, -0.1))),
        ("dialBudget.burst", Policy::builder().dial_budget(DialBudget { burst: 0, refill: Micros::from_millis(1) })),
        ("dialBudget.refill", Policy::builder().dial_budget(DialBudget { burst: 1, refill: Micros::ZERO })),
        ("maxRetryAfter", Policy::builder().max_retry_after(longer)),
        ("onlineSpread", Policy::builder().online_spread(longer)),
        ("wakeGap", Policy::builder().wake_gap(longer)),
    ];
    for (key, builder) in refused {
        assert_eq!(builder.build().unwrap_err().key(), key);
    }
    let mut far = bounds(50, 100, 200, 0.1);
    far.poor = longer;
    assert_eq!(Policy::builder().quality(far).build().unwrap_err().key(), "quality.poor");
}

/// "a part left out keeps its default", also where the whole was switched off before.
#[test]
fn a_part_of_the_budget_brings_the_defaults_back() {
    let off = Policy::builder().set("dialBudget", Value::Null).unwrap();
    assert_eq!(off.build().unwrap().dial_budget(), None);
    let budget = |key, number| off.set(key, Value::Number(number)).unwrap().build().unwrap().dial_budget();
    assert_eq!(budget("dialBudget.burst", 2.0), Some(DialBudget { burst: 2, refill: Micros::from_secs(1) }));
    assert_eq!(budget("dialBudget.refill", 2.0), Some(DialBudget { burst: 5, refill: Micros::from_millis(2) }));
    assert_eq!(DialBudget::default(), DialBudget { burst: 5, refill: Micros::from_secs(1) });
    let bounds = redial::QualityBounds::default();
    assert_eq!([bounds.excellent, bounds.good, bounds.poor], [50, 100, 200].map(Micros::from_millis));
    assert_eq!((bounds, Policy::chat().quality().hysteresis), (Policy::chat().quality(), 0.1));
}

/// "Cut after 44 bytes", at a whole character, with an ellipsis.
#[test]
fn a_value_is_cut_after_44_bytes() {
    let shown = |text: &str| Policy::builder().set(text, Value::Null).unwrap_err().key().to_owned();
    assert_eq!(shown(&"k".repeat(44)), "k".repeat(44));
    assert_eq!(shown(&"k".repeat(45)), format!("{}…", "k".repeat(44)));
    assert_eq!(shown(&"ü".repeat(30)), format!("{}…", "ü".repeat(22)));
    assert_eq!(shown(&format!("{}ü", "k".repeat(43))), format!("{}…", "k".repeat(43)));
    assert_eq!(shown("a\nb"), "a\u{fffd}b");
    let error = Policy::builder().set("quality.god", Value::Bool(true)).unwrap_err();
    assert_eq!(error.value(), "true");
    assert!(format!("{error:?}").contains("key: \"quality.god\", value: \"true\""), "{error:?}");
}

/// The presets as the contract lists them: what they do not name is the default.
#[test]
fn the_presets_are_the_contracts() {
    let (ms, secs) = (Micros::from_millis, Micros::from_secs);
    let is = |policy: Policy, builder: PolicyBuilder| assert_eq!(policy, builder.build().unwrap());
    is(Policy::assistant(), Policy::builder().busy_timeout(secs(120)));
    is(Policy::support(), Policy::builder().base_delay(ms(500)).max_attempts(10));
    let session = Policy::builder().base_delay(ms(500)).max_delay(ms(10_000));
    is(Policy::session(), session.jitter(Jitter::None).max_attempts(None));
    let resilient = Policy::builder().base_delay(ms(500)).max_delay(ms(30_000)).min_delay(ms(250)).max_attempts(None);
    let resilient = resilient.stable_after(secs(10)).health_check_interval(secs(25)).ping_timeout(secs(10));
    is(Policy::resilient(), resilient);
    assert_eq!(Preset::parse("chatty"), None);
}

/// "A builder that starts from this policy."
#[test]
fn a_policy_can_be_changed() {
    let policy = Policy::resilient();
    assert_eq!(policy.to_builder().build().unwrap(), policy);
    let own = policy.to_builder().verdict(VerdictKey::Close(4401), Verdict::Stop).unwrap().build().unwrap();
    let changed = own.to_builder().wake_gap(Micros::ZERO).build().unwrap();
    assert_eq!((changed.verdicts(), changed.min_delay()), (own.verdicts(), Micros::from_millis(250)));
    assert_ne!(changed, own);
}

#[cfg(feature = "serde")]
mod json {
    use super::*;

    fn refused(json: &str) -> String {
        serde_json::from_str::<Policy>(json).unwrap_err().to_string()
    }

    #[test]
    fn the_seeds_json_loads_unchanged() {
        let json = r#"{"baseDelay":1000,"maxDelay":5000,"maxAttempts":5,"backoffMultiplier":2,"jitter":true,"healthCheckInterval":5000,"pingTimeout":3000}"#;
        assert_eq!(serde_json::from_str::<Policy>(json).unwrap(), Policy::chat());
    }

    #[test]
    fn every_form_of_jitter_is_read() {
        let forms = [
            ("false", Jitter::None),
            ("\"none\"", Jitter::None),
            ("true", Jitter::Full),
            ("\"full\"", Jitter::Full),
            ("\"equal\"", Jitter::Equal),
            ("\"decorrelated\"", Jitter::Decorrelated),
            ("{\"ratio\": 0.2}", Jitter::Ratio(0.2)),
        ];
        for (json, jitter) in forms {
            let policy: Policy = serde_json::from_str(&format!("{{\"jitter\":{json}}}")).unwrap();
            assert_eq!(policy.jitter(), jitter, "{json}");
        }
    }

    #[test]
    fn a_part_left_out_keeps_its_default() {
        let policy: Policy = serde_json::from_str(r#"{"quality":{"good":90},"dialBudget":{"burst":3}}"#).unwrap();
        assert_eq!(policy.quality().good, Micros::from_millis(90));
        assert_eq!(policy.quality().poor, Micros::from_millis(200));
        assert_eq!(policy.dial_budget(), Some(DialBudget { burst: 3, refill: Micros::from_secs(1) }));
        let policy: Policy = serde_json::from_str(r#"{"dialBudget":null,"maxAttempts":null}"#).unwrap();
        assert_eq!((policy.dial_budget(), policy.max_attempts()), (None, None));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut policies: Vec<Policy> = Preset::ALL.iter().map(|preset| preset.policy()).collect();
        policies.push(
            Policy::builder()
                .jitter(Jitter::Ratio(0.3))
                .max_elapsed(Micros::from_micros(1_234_567))
                .ready_timeout(Micros::MAX_POLICY)
                .backoff_multiplier(1.6)
                .dial_budget(None)
                .verdict(VerdictKey::Close(4401), Verdict::Stop)
                .unwrap()
                .build()
                .unwrap(),
        );
        for policy in policies {
            let json = serde_json::to_string(&policy).unwrap();
            assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy, "{json}");
        }
    }

    #[test]
    fn errors_name_key_value_and_what_is_allowed() {
        assert!(refused(r#"{"maxAttemps":3}"#).contains("maxAttemps (given 3) is not known; allowed: the keys"));
        assert!(refused(r#"{"baseDelay":"soon"}"#).contains("baseDelay: \"soon\" is not allowed"));
        assert!(refused(r#"{"quality":{"god":3}}"#).contains("quality.god"));
        assert!(refused(r#"{"quality":{"good":3}}"#).contains("quality.good: 3"));
        assert!(refused(r#"{"baseDelay":{"a":1}}"#).contains("baseDelay"));
        assert!(refused(r#"{"baseDelay":[1]}"#).contains("baseDelay: \"a list\""));
        assert!(refused(r#"{"quality":{"good":{"x":1}}}"#).contains("quality.good"));
        assert!(refused(r#"{"dialBudget":false}"#).contains("null or an object"));
        assert!(refused("[]").contains("an object with the policy's keys"));
    }

    #[test]
    fn what_is_no_policy_is_refused_in_its_place() {
        assert!(refused(r#"{"baseDelay":-5}"#).contains("baseDelay: -5"));
        assert!(refused(r#"{"verdicts":{"close:4401":"stop","close:4401":"retry"}}"#).contains("stands twice"));
        assert!(refused(r#"{"verdicts":{"close:4401":5}}"#).contains("verdicts.close:4401: 5"));
        assert!(refused(r#"{"verdicts":true}"#).contains("at most 16 entries"));
        assert!(refused(r#"{"jitter":{"ration":0.5}}"#).contains("jitter.ration"));
        assert!(refused(r#"{"jitter":null}"#).contains("jitter: null"));
        assert!(refused(r#"{"autoReconnect":"yes"}"#).contains("true or false"));
        assert!(refused(r#"{"backoffMultiplier":true}"#).contains("backoffMultiplier: true"));
    }

    /// Whatever format it is: what has no place in a policy is refused with the key.
    #[test]
    fn a_value_that_json_does_not_have_is_refused() {
        use serde::de::{DeserializeSeed, value::MapDeserializer};
        let entries = [("baseDelay", b"soon".as_slice())].into_iter();
        let read = Policy::builder().deserialize(MapDeserializer::<_, serde_json::Error>::new(entries));
        let error = read.unwrap_err().to_string();
        assert!(error.contains("expected a value for the policy key baseDelay"), "{error}");
    }

    /// Reads keys over those that are set already.
    #[test]
    fn a_file_is_laid_over_a_preset() {
        use serde::de::DeserializeSeed;
        let mut file = serde_json::Deserializer::from_str(r#"{"maxDelay":20000}"#);
        let builder = Preset::Resilient.builder().deserialize(&mut file).unwrap();
        assert_eq!(builder, Preset::Resilient.builder().max_delay(Micros::from_secs(20)));
    }

    #[test]
    fn every_jitter_and_number_is_written_in_its_shortest_form() {
        let written = |builder: PolicyBuilder| serde_json::to_value(builder.build().unwrap()).unwrap();
        let forms = [
            (Jitter::None, serde_json::json!("none")),
            (Jitter::Full, serde_json::json!("full")),
            (Jitter::Equal, serde_json::json!("equal")),
            (Jitter::Decorrelated, serde_json::json!("decorrelated")),
            (Jitter::Ratio(0.25), serde_json::json!({"ratio": 0.25})),
            (Jitter::Ratio(1.0), serde_json::json!({"ratio": 1})),
        ];
        for (jitter, form) in forms {
            assert_eq!(written(Policy::builder().jitter(jitter))["jitter"], form);
        }
        let policy = written(Policy::builder().base_delay(Micros::from_micros(1500)).backoff_multiplier(1.5));
        assert_eq!(policy["baseDelay"].to_string(), "1.5");
        assert_eq!(
            (policy["maxDelay"].to_string(), policy["backoffMultiplier"].to_string()),
            ("5000".into(), "1.5".into())
        );
        assert_eq!(written(Policy::builder())["backoffMultiplier"].to_string(), "2");
        let own = Policy::builder().verdict(VerdictKey::Http(503), Verdict::Stop).unwrap();
        assert_eq!(written(own)["verdicts"].to_string(), r#"{"http:503":"stop"}"#);
    }
}
