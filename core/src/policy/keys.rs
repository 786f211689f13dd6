//! Names, types and ranges of the policy's keys: one place for JSON, TOML, flags, the environment and the builder.

use super::{
    DialBudget, Failover, Jitter, OptionalBudget, PolicyBuilder, PolicyError, QualityBounds, Value, Verdict, VerdictKey,
};
use crate::time::Micros;

/// Every key that can be set, with a dot before a part. `verdicts.KEY` takes a [`VerdictKey`] as its part.
pub const KEYS: &[&str] = &[
    "baseDelay",
    "maxDelay",
    "minDelay",
    "backoffMultiplier",
    "jitter",
    "jitter.ratio",
    "maxAttempts",
    "maxElapsed",
    "connectTimeout",
    "readyTimeout",
    "stableAfter",
    "autoReconnect",
    "healthCheckInterval",
    "pingTimeout",
    "busyTimeout",
    "quality",
    "quality.excellent",
    "quality.good",
    "quality.poor",
    "quality.hysteresis",
    "dialBudget",
    "dialBudget.burst",
    "dialBudget.refill",
    "failover",
    "maxRetryAfter",
    "onlineSpread",
    "wakeGap",
    "verdicts",
];

const ANY_KEY: &str = "the keys baseDelay, maxDelay, minDelay, backoffMultiplier, jitter, maxAttempts, maxElapsed, \
    connectTimeout, readyTimeout, stableAfter, autoReconnect, healthCheckInterval, pingTimeout, busyTimeout, quality \
    (excellent, good, poor, hysteresis), dialBudget (burst, refill), failover, maxRetryAfter, onlineSpread, wakeGap, \
    verdicts";
const SPAN: &str = "milliseconds from 0 to 9007199254740.992, at most three decimals";
const SPAN_NOT_ZERO: &str = "milliseconds from 0.001 to 9007199254740.992, at most three decimals";
const SPAN_OR_NULL: &str = "null or milliseconds from 0 to 9007199254740.992, at most three decimals";
const SPAN_NOT_ZERO_OR_NULL: &str = "null or milliseconds from 0.001 to 9007199254740.992, at most three decimals";
const MIN_DELAY: &str = "milliseconds from 0 to maxDelay, at most three decimals";
const MULTIPLIER: &str = "a finite number, 1 or more";
const JITTER: &str =
    "true, false, \"full\", \"equal\", \"decorrelated\", \"none\" or {\"ratio\": R} with R from 0 to 1";
const RATIO: &str = "a number from 0 to 1";
const ATTEMPTS: &str = "null or a whole number from 0 to 4294967295";
const TRUTH: &str = "true or false";
const QUALITY: &str = "an object with excellent, good, poor (milliseconds, 0 < excellent < good < poor) and hysteresis";
const QUALITY_BOUND: &str = "milliseconds with 0 < excellent < good < poor, at most three decimals";
const HYSTERESIS: &str = "a number from 0 to less than 1";
const BUDGET: &str = "null or an object with burst (a whole number, 1 or more) and refill (milliseconds, more than 0)";
const BURST: &str = "a whole number from 1 to 4294967295";
const FAILOVER: &str = "\"ordered\", \"roundRobin\", \"random\" or \"healthiest\"";
const VERDICTS: &str = "an object of close:CODE or http:STATUS with \"stop\" or \"retry\", at most 16 entries";
const VERDICT: &str = "\"stop\" or \"retry\"";
const VERDICT_FULL: &str = "at most 16 verdicts";

impl PolicyBuilder {
    /// Sets one key by its name, for files, flags and environments; [`KEYS`] lists the names. Ranges are checked when
    /// the policy is built.
    ///
    /// # Errors
    /// If there is no such key, or the value is of a wrong type or can't be represented.
    pub fn set(mut self, key: &str, value: Value<'_>) -> Result<Self, PolicyError> {
        self.set_in_place(key, value)?;
        Ok(self)
    }

    pub(super) fn set_in_place(&mut self, key: &str, value: Value<'_>) -> Result<(), PolicyError> {
        self.take_in(key, Given(value)).map_err(|wrong| match wrong {
            Wrong::Key => PolicyError::unknown_key(key, value, ANY_KEY),
            Wrong::Value(allowed) => PolicyError::new(key, value, allowed),
        })
    }

    fn take_in(&mut self, key: &str, given: Given<'_>) -> Result<(), Wrong> {
        let s = &mut self.settings;
        match key {
            "baseDelay" => s.base_delay = given.span(SPAN)?,
            "maxDelay" => s.max_delay = given.span(SPAN)?,
            "minDelay" => self.min_delay = Some(given.span(MIN_DELAY)?),
            "backoffMultiplier" => s.backoff_multiplier = given.number(MULTIPLIER)?,
            "jitter" => s.jitter = given.jitter()?,
            "jitter.ratio" => s.jitter = Jitter::Ratio(given.number(RATIO)?),
            "maxAttempts" => s.max_attempts = given.or_null(|given| given.whole(ATTEMPTS))?,
            "maxElapsed" => s.max_elapsed = given.or_null(|given| given.span(SPAN_OR_NULL))?.into(),
            "connectTimeout" => s.connect_timeout = given.span(SPAN_NOT_ZERO)?,
            "readyTimeout" => s.ready_timeout = given.or_null(|given| given.span(SPAN_NOT_ZERO_OR_NULL))?.into(),
            "stableAfter" => s.stable_after = given.span(SPAN)?,
            "autoReconnect" => s.auto_reconnect = given.truth()?,
            "healthCheckInterval" => {
                s.health_check_interval = given.or_null(|given| given.span(SPAN_NOT_ZERO_OR_NULL))?.into();
            }
            "pingTimeout" => s.ping_timeout = given.span(SPAN_NOT_ZERO)?,
            "busyTimeout" => s.busy_timeout = given.span(SPAN_NOT_ZERO)?,
            "quality" => return Err(Wrong::Value(QUALITY)),
            "quality.excellent" => s.quality.excellent = given.span(QUALITY_BOUND)?,
            "quality.good" => s.quality.good = given.span(QUALITY_BOUND)?,
            "quality.poor" => s.quality.poor = given.span(QUALITY_BOUND)?,
            "quality.hysteresis" => s.quality.hysteresis = given.number(HYSTERESIS)?,
            "dialBudget" if given.is_null() => s.dial_budget = OptionalBudget::NONE,
            "dialBudget" => return Err(Wrong::Value(BUDGET)),
            "dialBudget.burst" => self.set_budget(DialBudget { burst: given.whole(BURST)?, ..self.budget() }),
            "dialBudget.refill" => self.set_budget(DialBudget { refill: given.span(SPAN_NOT_ZERO)?, ..self.budget() }),
            "failover" => s.failover = given.word(Failover::ALL, Failover::as_str, FAILOVER)?,
            "maxRetryAfter" => s.max_retry_after = given.span(SPAN)?,
            "onlineSpread" => s.online_spread = given.span(SPAN)?,
            "wakeGap" => s.wake_gap = given.span(SPAN)?,
            "verdicts" => return Err(Wrong::Value(VERDICTS)),
            _ => {
                let Some(part) = key.strip_prefix("verdicts.") else {
                    return Err(Wrong::Key);
                };
                let Some(cause) = VerdictKey::parse(part) else {
                    return Err(Wrong::Value(VerdictKey::ALLOWED));
                };
                let verdict = given.word(Verdict::ALL, Verdict::as_str, VERDICT)?;
                if !self.verdicts.insert(cause, verdict) {
                    return Err(Wrong::Value(VERDICT_FULL));
                }
            }
        }
        Ok(())
    }

    /// An object is given for this key; its parts follow by themselves.
    #[cfg(feature = "serde")]
    pub(super) fn open_object(&mut self, key: &str) -> Result<(), PolicyError> {
        match key {
            "quality" | "verdicts" | "jitter" => Ok(()),
            "dialBudget" => {
                self.set_budget(self.budget());
                Ok(())
            }
            // The key refuses the value in its own words.
            _ => self.set_in_place(key, Value::Text("an object")),
        }
    }

    /// The budget, or the default one where there is none yet.
    fn budget(&self) -> DialBudget {
        self.settings.dial_budget.get().unwrap_or_default()
    }

    fn set_budget(&mut self, budget: DialBudget) {
        self.settings.dial_budget = OptionalBudget::some(budget);
    }
}

pub(super) fn set_verdict(builder: &mut PolicyBuilder, key: VerdictKey, verdict: Verdict) -> Result<(), PolicyError> {
    if !key.is_in_range() {
        return Err(PolicyError::verdict(key, verdict, VerdictKey::ALLOWED));
    }
    if !builder.verdicts.insert(key, verdict) {
        return Err(PolicyError::verdict(key, verdict, VERDICT_FULL));
    }
    Ok(())
}

/// Checks what a type can't say.
pub(super) fn check(builder: &PolicyBuilder) -> Result<(), PolicyError> {
    first_fault(builder).map_err(|Fault { key, value, allowed }| PolicyError::new(key, Value::Number(value), allowed))
}

/// What is out of range: small, because it is handed through many checks.
struct Fault {
    key: &'static str,
    value: f64,
    allowed: &'static str,
}

fn first_fault(builder: &PolicyBuilder) -> Result<(), Fault> {
    let s = &builder.settings;
    let min_delay = builder.min_delay_or_default();
    span("baseDelay", s.base_delay, Micros::ZERO, SPAN)?;
    span("maxDelay", s.max_delay, Micros::ZERO, SPAN)?;
    ensure(min_delay <= s.max_delay, "minDelay", min_delay.as_millis_f64(), MIN_DELAY)?;
    let multiplier = s.backoff_multiplier;
    ensure(multiplier.is_finite() && multiplier >= 1.0, "backoffMultiplier", multiplier, MULTIPLIER)?;
    if let Jitter::Ratio(ratio) = s.jitter {
        ensure((0.0..=1.0).contains(&ratio), "jitter.ratio", ratio, RATIO)?;
    }
    optional_span("maxElapsed", s.max_elapsed.get(), Micros::ZERO, SPAN_OR_NULL)?;
    span("connectTimeout", s.connect_timeout, SHORTEST, SPAN_NOT_ZERO)?;
    optional_span("readyTimeout", s.ready_timeout.get(), SHORTEST, SPAN_NOT_ZERO_OR_NULL)?;
    span("stableAfter", s.stable_after, Micros::ZERO, SPAN)?;
    optional_span("healthCheckInterval", s.health_check_interval.get(), SHORTEST, SPAN_NOT_ZERO_OR_NULL)?;
    span("pingTimeout", s.ping_timeout, SHORTEST, SPAN_NOT_ZERO)?;
    span("busyTimeout", s.busy_timeout, SHORTEST, SPAN_NOT_ZERO)?;
    check_quality(&s.quality)?;
    if let Some(budget) = s.dial_budget.get() {
        ensure(budget.burst >= 1, "dialBudget.burst", budget.burst.into(), BURST)?;
        span("dialBudget.refill", budget.refill, SHORTEST, SPAN_NOT_ZERO)?;
    }
    span("maxRetryAfter", s.max_retry_after, Micros::ZERO, SPAN)?;
    span("onlineSpread", s.online_spread, Micros::ZERO, SPAN)?;
    span("wakeGap", s.wake_gap, Micros::ZERO, SPAN)
}

const SHORTEST: Micros = Micros::from_micros(1);

fn check_quality(quality: &QualityBounds) -> Result<(), Fault> {
    let QualityBounds { excellent, good, poor, hysteresis } = *quality;
    span("quality.excellent", excellent, SHORTEST, QUALITY_BOUND)?;
    ensure(excellent < good, "quality.good", good.as_millis_f64(), QUALITY_BOUND)?;
    ensure(good < poor, "quality.poor", poor.as_millis_f64(), QUALITY_BOUND)?;
    span("quality.poor", poor, SHORTEST, QUALITY_BOUND)?;
    ensure((0.0..1.0).contains(&hysteresis), "quality.hysteresis", hysteresis, HYSTERESIS)
}

fn span(key: &'static str, given: Micros, least: Micros, allowed: &'static str) -> Result<(), Fault> {
    let fits = least <= given && given <= Micros::MAX_POLICY;
    ensure(fits, key, given.as_millis_f64(), allowed)
}

fn optional_span(key: &'static str, given: Option<Micros>, least: Micros, allowed: &'static str) -> Result<(), Fault> {
    given.map_or(Ok(()), |given| span(key, given, least, allowed))
}

fn ensure(holds: bool, key: &'static str, value: f64, allowed: &'static str) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault { key, value, allowed }) }
}

/// A value on its way to a setting.
#[derive(Clone, Copy)]
struct Given<'a>(Value<'a>);

/// Why it does not get there.
enum Wrong {
    /// There is no such key.
    Key,
    /// What is allowed instead.
    Value(&'static str),
}

impl Given<'_> {
    fn span(self, allowed: &'static str) -> Result<Micros, Wrong> {
        match self.0 {
            Value::Number(millis) => Micros::from_millis_f64(millis).ok_or(Wrong::Value(allowed)),
            Value::Null | Value::Bool(_) | Value::Text(_) => Err(Wrong::Value(allowed)),
        }
    }

    fn number(self, allowed: &'static str) -> Result<f64, Wrong> {
        match self.0 {
            Value::Number(number) => Ok(number),
            Value::Null | Value::Bool(_) | Value::Text(_) => Err(Wrong::Value(allowed)),
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn whole(self, allowed: &'static str) -> Result<u32, Wrong> {
        let number = self.number(allowed)?;
        let whole = number as u32; // saturates
        if f64::from(whole) == number { Ok(whole) } else { Err(Wrong::Value(allowed)) }
    }

    fn truth(self) -> Result<bool, Wrong> {
        match self.0 {
            Value::Bool(truth) => Ok(truth),
            Value::Null | Value::Number(_) | Value::Text(_) => Err(Wrong::Value(TRUTH)),
        }
    }

    fn jitter(self) -> Result<Jitter, Wrong> {
        match self.0 {
            Value::Bool(true) | Value::Text("full") => Ok(Jitter::Full),
            Value::Bool(false) | Value::Text("none") => Ok(Jitter::None),
            Value::Text("equal") => Ok(Jitter::Equal),
            Value::Text("decorrelated") => Ok(Jitter::Decorrelated),
            Value::Null | Value::Number(_) | Value::Text(_) => Err(Wrong::Value(JITTER)),
        }
    }

    fn word<W: Copy>(self, all: &[W], name: fn(W) -> &'static str, allowed: &'static str) -> Result<W, Wrong> {
        match self.0 {
            Value::Text(text) => all.iter().copied().find(|word| name(*word) == text),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
        .ok_or(Wrong::Value(allowed))
    }

    fn or_null<T>(self, read: impl FnOnce(Self) -> Result<T, Wrong>) -> Result<Option<T>, Wrong> {
        if self.is_null() { Ok(None) } else { read(self).map(Some) }
    }

    /// `none` stands for null where a form (TOML, a flag, the environment) has no null.
    fn is_null(self) -> bool {
        matches!(self.0, Value::Null | Value::Text("none"))
    }
}
