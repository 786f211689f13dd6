//! The policy from a preset or a file, the environment and flags, in this order.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use redial::{KEYS, Policy, PolicyBuilder, Preset, Value};
use serde::de::DeserializeSeed;

use crate::args::PolicyArgs;
use crate::failure::Failure;

/// The policy of flags, environment, file and preset.
pub(crate) fn load(args: &PolicyArgs) -> Result<Policy, Failure> {
    let builder = base(args)?.unwrap_or_else(|| Preset::Chat.builder());
    let builder = environment(builder, std::env::vars_os())?;
    flags(builder, &args.set)?.build().map_err(Failure::usage)
}

/// The policy of a trace, where flags override it. The environment does not: a replay is to be the same everywhere.
pub(crate) fn override_with(args: &PolicyArgs, policy: &Policy) -> Result<Policy, Failure> {
    let builder = base(args)?.unwrap_or_else(|| policy.to_builder());
    flags(builder, &args.set)?.build().map_err(Failure::usage)
}

fn base(args: &PolicyArgs) -> Result<Option<PolicyBuilder>, Failure> {
    match (&args.policy, args.preset) {
        (Some(path), _) => file(path).map(Some),
        (None, Some(preset)) => Ok(Some(preset.builder())),
        (None, None) => Ok(None),
    }
}

fn file(path: &Path) -> Result<PolicyBuilder, Failure> {
    let named = |problem: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {problem}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| named(&error))?;
    let builder = PolicyBuilder::default();
    if path.extension().is_some_and(|extension| extension == "toml") {
        let placed = |error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count().saturating_add(1);
            named(&format_args!("line {line}: {}", error.message()))
        };
        builder.deserialize(toml::Deserializer::parse(&text).map_err(placed)?).map_err(placed)
    } else {
        let mut reader = serde_json::Deserializer::from_str(&text);
        let builder = builder.deserialize(&mut reader).map_err(|error| named(&error))?;
        reader.end().map_err(|error| named(&error))?;
        Ok(builder)
    }
}

const PREFIX: &str = "REDIAL_";

fn environment(
    builder: PolicyBuilder,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<PolicyBuilder, Failure> {
    let mut ours: Vec<(String, OsString)> = variables
        .filter_map(|(name, value)| name.into_string().ok().map(|name| (name, value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    // An object before its parts, and the same error each time.
    ours.sort();
    ours.into_iter().try_fold(builder, |builder, (name, value)| {
        let Some(key) = KEYS.iter().find(|key| variable_name(key) == name) else {
            let all: Vec<_> = KEYS.iter().map(|key| variable_name(key)).collect();
            return Err(Failure::usage(format_args!(
                "environment variable {name} is no key of the policy; allowed: {}",
                all.join(", ")
            )));
        };
        let value = value.to_string_lossy();
        set(builder, key, &value)
            .map_err(|problem| Failure::usage(format_args!("environment variable {name}: {problem}")))
    })
}

/// `quality.excellent` becomes `REDIAL_QUALITY_EXCELLENT`.
fn variable_name(key: &str) -> String {
    let mut name = PREFIX.to_owned();
    for c in key.chars() {
        match c {
            '.' => name.push('_'),
            c if c.is_ascii_uppercase() => name.extend(['_', c]),
            c => name.push(c.to_ascii_uppercase()),
        }
    }
    name
}

fn flags(builder: PolicyBuilder, set_flags: &[String]) -> Result<PolicyBuilder, Failure> {
    set_flags.iter().try_fold(builder, |builder, flag| {
        let Some((key, value)) = flag.split_once('=') else {
            return Err(Failure::usage(format_args!("--set {flag}: allowed is KEY=VALUE, such as maxDelay=8000")));
        };
        set(builder, key, value).map_err(|problem| Failure::usage(format_args!("--set {flag}: {problem}")))
    })
}

/// Sets a key from a text; an object is written as JSON.
fn set(builder: PolicyBuilder, key: &str, text: &str) -> Result<PolicyBuilder, String> {
    if text.starts_with('{') {
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let object = serde_json::Value::Object([(key.to_owned(), value)].into_iter().collect());
        return builder.deserialize(object).map_err(|error| error.to_string());
    }
    builder.set(key, Value::from_text(text)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_environment(variables: &[(&str, &str)]) -> Result<Policy, Failure> {
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        environment(PolicyBuilder::default(), variables)?.build().map_err(Failure::usage)
    }

    #[test]
    fn every_key_has_its_variable() {
        assert_eq!(variable_name("baseDelay"), "REDIAL_BASE_DELAY");
        assert_eq!(variable_name("maxAttempts"), "REDIAL_MAX_ATTEMPTS");
        assert_eq!(variable_name("quality.excellent"), "REDIAL_QUALITY_EXCELLENT");
        assert_eq!(variable_name("dialBudget.burst"), "REDIAL_DIAL_BUDGET_BURST");
    }

    #[test]
    fn the_environment_sets_numbers_words_objects_and_none() {
        let policy = from_environment(&[
            ("HOME", "/"),
            ("REDIAL_BASE_DELAY", "500"),
            ("REDIAL_MAX_ATTEMPTS", "none"),
            ("REDIAL_JITTER", "equal"),
            ("REDIAL_QUALITY_EXCELLENT", "40"),
            ("REDIAL_DIAL_BUDGET", "none"),
            ("REDIAL_VERDICTS", r#"{"close:4401":"stop"}"#),
        ]);
        let policy = policy.unwrap();
        assert_eq!(policy.base_delay(), redial::Micros::from_millis(500));
        assert_eq!(policy.max_attempts(), None);
        assert_eq!(policy.jitter(), redial::Jitter::Equal);
        assert_eq!(policy.quality().excellent, redial::Micros::from_millis(40));
        assert_eq!(policy.dial_budget(), None);
        assert_eq!(policy.verdicts().iter().count(), 1);
    }

    #[test]
    fn a_misspelt_variable_is_an_error() {
        assert!(matches!(
            from_environment(&[("REDIAL_BASEDELAY", "5")]),
            Err(Failure::Usage(problem)) if problem.contains("REDIAL_BASEDELAY") && problem.contains("REDIAL_BASE_DELAY")
        ));
    }
}
