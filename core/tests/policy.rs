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
        ("failover", Value::Text("sometimes"), "\"roundRobin\", \"random\" or \"healthiest\""),
        ("verdicts.close:99", Value::Text("stop"), "1000 to 4999"),
        ("verdicts.http:503", Value::Text("perhaps"), "\"retry\""),
        ("quality", number(3.0), "an object"),
        ("baseDlay", number(3.0), "baseDelay"),
    ];
    for (key, value, allowed) in cases {
        let error = Policy::builder().set(key, value).and_then(PolicyBuilder::build).expect_err(key);
        assert_eq!(error.key(), key);
        assert_eq!(error.value().to_string(), value.to_string());
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
                // A reader that is off by one in the last bit makes 1.38286339050826 of it.
                .backoff_multiplier(1.382_863_390_508_260_1)
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
    fn an_integer_of_more_than_64_bits_is_refused_as_any_other() {
        use serde::de::{Deserialize, value};
        let pair = [("a\nb", i128::MAX)].into_iter();
        let read: Result<Policy, value::Error> = Policy::deserialize(value::MapDeserializer::new(pair));
        assert!(read.unwrap_err().to_string().starts_with("policy key a\u{fffd}b (given 1701"));
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
        assert!(
            refused(r#"{"baseDelay":{}}"#).contains("baseDelay: \"an object\" is not allowed; allowed: milliseconds")
        );
        assert!(refused(r#"{"maxAttempts":{}}"#).contains("maxAttempts: \"an object\""));
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

    /// What a format with optional values, such as MessagePack, makes of null.
    struct Absent;

    impl<'de> serde::Deserializer<'de> for Absent {
        type Error = serde_json::Error;

        fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            visitor.visit_none()
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    impl serde::de::IntoDeserializer<'_, serde_json::Error> for Absent {
        type Deserializer = Self;

        fn into_deserializer(self) -> Self {
            self
        }
    }

    #[test]
    fn whole_numbers_may_have_more_than_64_bits() {
        use serde::de::{DeserializeSeed, value, value::MapDeserializer};
        let map = MapDeserializer::<_, value::Error>::new([("wakeGap", 1_u128 << 64)].into_iter());
        let error = Policy::builder().deserialize(map).unwrap_err();
        assert!(error.to_string().contains("wakeGap: 18446744073709552000 is not allowed"), "{error}");
    }

    #[test]
    fn null_has_more_than_one_form() {
        use serde::de::{DeserializeSeed, value::MapDeserializer};
        let read = |key| Policy::builder().deserialize(MapDeserializer::new([(key, Absent)].into_iter()));
        assert_eq!(read("maxAttempts").unwrap(), Policy::builder().max_attempts(None));
        assert!(read("baseDelay").unwrap_err().to_string().contains("baseDelay: null is not allowed"));
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
