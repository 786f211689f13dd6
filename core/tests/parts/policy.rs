//! The policy's keys, values and ranges, and the errors that name them.

use redial::{DialBudget, Jitter, Micros, Policy, PolicyBuilder, Preset, QualityBounds, Value, Verdict, VerdictKey};

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
        assert_eq!((error.key(), error.value()), (name, Value::Text("stop")));
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
        QualityBounds { excellent: ms(excellent), good: ms(good), poor: ms(poor), hysteresis }
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
        ("maxElapsed", Policy::builder().max_elapsed(Micros::from_micros(u64::MAX))),
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
    let bounds = QualityBounds::default();
    assert_eq!([bounds.excellent, bounds.good, bounds.poor], [50, 100, 200].map(Micros::from_millis));
    assert_eq!((bounds, Policy::chat().quality().hysteresis), (Policy::chat().quality(), 0.1));
}

/// "Cut after 44 bytes", at a whole character, with an ellipsis; one line that names key, value and what is allowed.
#[test]
fn an_error_is_one_short_line() {
    let shown = |text: &str| Policy::builder().set(text, Value::Null).unwrap_err().key().to_owned();
    assert_eq!(shown(&"k".repeat(44)), "k".repeat(44));
    assert_eq!(shown(&"k".repeat(45)), format!("{}…", "k".repeat(44)));
    assert_eq!(shown(&"ü".repeat(30)), format!("{}…", "ü".repeat(22)));
    assert_eq!(shown(&format!("{}ü", "k".repeat(43))), format!("{}…", "k".repeat(43)));
    assert_eq!(shown("a\nb"), "a\u{fffd}b");
    let error = Policy::builder().set("quality.god", Value::Bool(true)).unwrap_err();
    assert_eq!(error.value(), Value::Bool(true));
    assert!(error.to_string().starts_with("policy key quality.god (given true) is not known; allowed: the keys"));
    for object in ["dialBudget", "verdicts", "quality"] {
        let error = Policy::builder().set(object, Value::Bool(true)).unwrap_err();
        assert!(
            error.to_string().starts_with(&format!("policy key {object}: true is not allowed; allowed: ")),
            "{error}"
        );
        assert!(error.allowed().contains("an object"), "{error}");
    }
    assert!(format!("{error:?}").contains("key: \"quality.god\", value: true"), "{error:?}");
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
