//! Arbitrary policies.

use redial::{DialBudget, Failover, Jitter, Micros, Policy, PolicyBuilder, QualityBounds, Verdict, VerdictKey};

use super::Focus;
use super::bytes::Source;

/// A policy of small spans, or of a thousand or a million times as long ones.
pub(super) fn policy(focus: Focus, source: &mut Source<'_>) -> Policy {
    let scale = if focus == Focus::Anything { source.one_of(&[1, 1, 1, 1000, 1_000_000], 1) } else { 1 };
    let builder = delays(focus, scale, source);
    let builder = limits(scale, source, builder);
    let builder = timeouts(scale, source, builder);
    let builder = spreads(scale, source, builder);
    // In range by construction; the defaults are a policy, too.
    focused(focus, source, builder).build().unwrap_or_default()
}

fn delays(focus: Focus, scale: u64, source: &mut Source<'_>) -> PolicyBuilder {
    let quarters = &[2.0, 1.0, 1.25, 1.5, 3.0];
    let multiplier = match focus {
        // The model's powers are exact.
        Focus::Close | Focus::Shared | Focus::Endpoints => source.one_of(quarters, 2.0),
        _ if source.percent(70) => source.one_of(quarters, 2.0),
        _ => source.one_of(&[1.1, 1.7, 1.15, 10.0, 1e300, 1.0 + f64::EPSILON, 1.618_033_988_749_895], 1.1),
    };
    let jitter = match source.weighed(&[4, 1, 1, 1, 1]) {
        0 => Jitter::None,
        1 => Jitter::Full,
        2 => Jitter::Equal,
        3 => Jitter::Decorrelated,
        _ => Jitter::Ratio(source.one_of(&[0.0, 0.125, 0.2, 0.25, 0.5, 1.0], 0.2)),
    };
    let (base, max, min) = (source.span(30 * scale), source.span(100 * scale), source.span(100 * scale));
    Policy::builder()
        .base_delay(base)
        .max_delay(max)
        .min_delay(min.min(max))
        .backoff_multiplier(multiplier)
        .jitter(jitter)
}

fn limits(scale: u64, source: &mut Source<'_>, builder: PolicyBuilder) -> PolicyBuilder {
    let mut builder = builder
        .max_attempts(source.maybe(50, |source| source.below(5) as u32))
        .max_elapsed(source.maybe(40, |source| source.span(400 * scale)))
        .dial_budget(source.maybe(60, |source| budget(scale, source)))
        .auto_reconnect(!source.percent(15))
        .failover(source.one_of(Failover::ALL, Failover::Ordered));
    for _ in 0..source.below(3) {
        let key = match source.below(2) {
            0 => VerdictKey::Close(source.one_of(&[1000, 1002, 1006, 4401], 1006)),
            _ => VerdictKey::Http(source.one_of(&[401, 403, 404, 503], 503)),
        };
        // The keys are in range, and there is room.
        builder = builder.verdict(key, source.one_of(Verdict::ALL, Verdict::Stop)).unwrap_or_default();
    }
    builder
}

fn budget(scale: u64, source: &mut Source<'_>) -> DialBudget {
    DialBudget { burst: 1 + source.below(3) as u32, refill: source.span_not_zero(150 * scale) }
}

fn timeouts(scale: u64, source: &mut Source<'_>, builder: PolicyBuilder) -> PolicyBuilder {
    builder
        .connect_timeout(source.span_not_zero(80 * scale))
        .ready_timeout(source.maybe(40, |source| source.span_not_zero(30 * scale)))
        .stable_after(source.span(100 * scale))
        .health_check_interval(source.maybe(85, |source| source.span_not_zero(40 * scale)))
        .ping_timeout(source.span_not_zero(60 * scale))
        .busy_timeout(source.span_not_zero(100 * scale))
}

fn spreads(scale: u64, source: &mut Source<'_>, builder: PolicyBuilder) -> PolicyBuilder {
    builder
        .quality(quality(scale, source))
        .max_retry_after(source.span(60 * scale))
        .online_spread(source.span(20 * scale))
        .wake_gap(source.span(150 * scale))
}

fn quality(scale: u64, source: &mut Source<'_>) -> QualityBounds {
    let [excellent, good, poor] = [(); 3].map(|()| scale * (1 + source.below(10)));
    QualityBounds {
        excellent: Micros::from_micros(excellent),
        good: Micros::from_micros(excellent + good),
        poor: Micros::from_micros(excellent + good + poor),
        hysteresis: source.one_of(&[0.0, 0.1, 0.25, 0.5], 0.1),
    }
}

/// What the focus asks for.
fn focused(focus: Focus, source: &mut Source<'_>, builder: PolicyBuilder) -> PolicyBuilder {
    let rare = Micros::from_micros(1_000_000);
    match focus {
        Focus::Close | Focus::Anything => builder,
        Focus::Schedule => builder.jitter(Jitter::None).max_attempts(None).max_elapsed(None).auto_reconnect(true),
        Focus::Failures => builder.max_elapsed(None).auto_reconnect(true),
        Focus::Budget => builder.dial_budget(budget(1, source)).auto_reconnect(true),
        Focus::Elapsed => builder
            .max_elapsed(Micros::from_micros(source.below(1000)))
            .max_attempts(None)
            .wake_gap(Micros::from_micros(source.below(60))),
        Focus::Shared => builder.dial_budget(source.maybe(20, |source| budget(1, source))).auto_reconnect(true),
        Focus::Endpoints => builder
            .failover(if source.percent(20) {
                source.one_of(Failover::ALL, Failover::Ordered)
            } else {
                Failover::Healthiest
            })
            .max_attempts(None)
            .max_elapsed(None)
            .dial_budget(None)
            .auto_reconnect(true),
        Focus::Health => builder.health_check_interval(source.span_not_zero(40)).wake_gap(rare),
        Focus::Steady => builder
            .health_check_interval(source.span_not_zero(40))
            .ping_timeout(rare)
            .wake_gap(rare)
            .ready_timeout(None),
    }
}
