//! Delays, limits and verdicts.

use redial::{
    Backoff, Cause, ConnectionId, DialBudget, Hint, HoldReason, Input, Jitter, Micros, Phase, Policy, Timestamp,
    Verdict, VerdictKey,
};

use super::support::*;

/// Without jitter, retry n waits clamp(baseDelay × multiplier^(n−1), minDelay, maxDelay), for every n, to the
/// microsecond.
#[test]
fn schedule() {
    let delays = |policy: &Policy, n: usize| {
        let mut backoff = Backoff::new(policy, 7);
        (0..n).map(|_| backoff.next_delay(policy).jittered.as_micros()).collect::<Vec<_>>()
    };
    let policy = plain().build().unwrap();
    assert_eq!(delays(&policy, 6), [1_000_000, 2_000_000, 4_000_000, 5_000_000, 5_000_000, 5_000_000]);
    // Powers of the multiplier, not a rounded delay times it: 1000 × 1.1^n.
    let policy = plain().backoff_multiplier(1.1).max_delay(ms(2000)).build().unwrap();
    let grown =
        [1_000_000, 1_100_000, 1_210_000, 1_331_000, 1_464_100, 1_610_510, 1_771_561, 1_948_717, 2_000_000, 2_000_000];
    assert_eq!(delays(&policy, 10), grown);
    // Halves up, and no rounding is carried on: 1, 1.5, 2.25, 3.375 µs.
    let micro = Micros::from_micros(1);
    let policy = plain().base_delay(micro).min_delay(micro).backoff_multiplier(1.5).build().unwrap();
    assert_eq!(delays(&policy, 4), [1, 2, 2, 3]);
    let policy = plain().min_delay(ms(1500)).build().unwrap();
    assert_eq!(delays(&policy, 3), [1_500_000, 2_000_000, 4_000_000]);
    // Far out: no overflow.
    assert_eq!(delays(&plain().max_delay(Micros::MAX_POLICY).build().unwrap(), 100_000)[99_999], 1 << 53);

    let mut run = Run::new(plain());
    run.at(0, Input::Start);
    let mut now = 0;
    for (connection, delay) in (1..).zip([1000, 2000, 4000, 5000, 5000]) {
        let retry = scheduled(&run.at(now, failed(connection)));
        now += delay;
        assert_eq!((retry.raw, retry.jittered, retry.hint, retry.budget), (ms(delay), ms(delay), None, Micros::ZERO));
        assert_eq!((retry.delay, retry.dial_at.as_micros()), (ms(delay), now * 1000));
        run.falls_due(now);
    }
}

/// Full [minDelay, raw], equal [raw/2, raw], ratio r [raw(1−r), raw(1+r)], decorrelated [baseDelay, 3 × previous];
/// always clamped to [minDelay, maxDelay] so that the spread survives at the cap; uniform.
#[test]
fn jitter_bounds() {
    // At the cap of 5 s: raw is 5000.
    let cases = [
        (Jitter::None, 5000, 5000),
        (Jitter::Full, 100, 5000),
        (Jitter::Equal, 2500, 5000),
        (Jitter::Ratio(0.2), 4000, 5000),
        (Jitter::Ratio(1.0), 100, 5000),
    ];
    for (jitter, low, high) in cases {
        let policy = Policy::builder().jitter(jitter).build().unwrap();
        let mut backoff = Backoff::new(&policy, 7);
        for raw in [1000, 2000, 4000] {
            let delay = backoff.next_delay(&policy);
            assert_eq!(delay.raw, ms(raw));
            assert!(delay.jittered >= ms(low * raw / 5000).max(ms(100).min(ms(raw))), "{jitter:?}: {delay:?}");
        }
        let (low, high) = (low * 1000, high * 1000);
        let mut quarters = [0_u32; 4];
        for _ in 0..8000 {
            let delay = backoff.next_delay(&policy).jittered.as_micros();
            assert!((low..=high).contains(&delay), "{jitter:?}: {delay}");
            let part = ((delay - low) * 4).checked_div(high - low + 1).unwrap_or(0);
            quarters[usize::try_from(part).unwrap()] += 1;
        }
        if low < high {
            // Uniform, and as wide as below the cap: each quarter has its 2000, give or take six deviations.
            assert!(quarters.iter().all(|count| count.abs_diff(2000) < 240), "{jitter:?}: {quarters:?}");
        }
    }
    let policy = Policy::builder().jitter(Jitter::Decorrelated).build().unwrap();
    for seed in 0..500 {
        let mut backoff = Backoff::new(&policy, seed);
        let mut previous = ms(1000);
        for _ in 0..10 {
            let delay = backoff.next_delay(&policy).jittered;
            let most = (previous.as_micros() * 3).min(5_000_000);
            assert!((1_000_000..=most).contains(&delay.as_micros()), "{delay} after {previous}");
            previous = delay;
        }
    }
}

/// The retry count falls back to 0 only when a connection becomes stable, or on `start`/`reconnect`. A connection that
/// opens and dies sooner counts as a failed retry.
#[test]
fn reset_only_when_stable() {
    // stableAfter is 500, but the delay that preceded it was 1000: stable only then.
    let mut run = Run::waiting(plain().stable_after(ms(500)));
    run.at(1000, Input::Timeout);
    run.at(1000, opened(2));
    let mut lasting = Run { machine: run.machine.clone() };
    let flapped = scheduled(&run.at_micros(1_999_999, closed(2)));
    assert_eq!((flapped.attempt, flapped.delay), (2, ms(2000)));
    assert_eq!(lasting.falls_due(2000), ["stable 2"]);
    let anew = scheduled(&lasting.at(2500, closed(2)));
    assert_eq!((anew.attempt, anew.delay), (1, ms(1000)));
    // `reconnect` and `start` begin anew, too.
    for inputs in [[Input::Timeout, Input::Reconnect], [Input::Stop, Input::Start]] {
        let mut run = Run { machine: run.machine.clone() };
        run.at(2001, inputs[0]);
        run.at(2001, inputs[1]);
        assert_eq!(run.machine.attempt(), 0);
        let anew = scheduled(&run.at(2002, failed(3)));
        assert_eq!((anew.attempt, anew.delay), (1, ms(1000)));
    }
}

/// A hint or Retry-After never shortens a delay; delay = max(delay, min(floor, maxRetryAfter)) + uniform[0, spread];
/// without `spread`, a fifth of the floor where it prevailed. The longer of both counts, a newer hint replaces an older
/// one, any dial uses it up, `start` and `reconnect` ignore it, `stop` ends it all.
#[test]
fn hint_is_a_floor() {
    // The first delay (1000 without a hint) after these hints, and a failure that asks for `retry_after`.
    let first = |hints: &[Input], retry_after: Option<u64>| {
        let mut run = Run::new(plain());
        run.at(0, Input::Start);
        for hint in hints {
            run.at(0, *hint);
        }
        let cause = Cause::Http { status: 503, retry_after: retry_after.map(ms) };
        let retry = scheduled(&run.at(0, failed_by(1, cause)));
        assert_eq!(retry.delay, retry.hint.unwrap_or(retry.jittered));
        assert_eq!(retry.jittered, ms(1000));
        retry.delay.as_micros()
    };
    assert_eq!(first(&[], None), 1_000_000);
    assert_eq!(first(&[hint(500)], None), 1_000_000);
    assert_eq!(first(&[hint(3000)], None), 3_000_000);
    assert_eq!(first(&[hint(3000), hint(2000)], None), 2_000_000, "the newer");
    assert_eq!(first(&[hint(3000)], Some(4000)), 4_000_000, "the longer");
    assert_eq!(first(&[hint(3000)], Some(2000)), 3_000_000, "the longer");
    assert_eq!(first(&[hint(400_000)], None), 300_000_000, "maxRetryAfter");
    assert_eq!(first(&[], Some(900)), 1_000_000);
    assert_eq!(first(&[], Some(1000)), 1_000_000, "as long is not longer: no fifth");
    assert!((2_000_000..=2_400_000).contains(&first(&[], Some(2000))));
    let spread = |spread| Input::Hint(Hint { min_delay: None, spread: Some(ms(spread)), stop: false });
    assert!((1_000_000..=1_300_000).contains(&first(&[spread(300)], None)));

    // While a retry waits it moves that to at least the floor from now.
    let mut run = Run::waiting(plain());
    assert_eq!(run.says(600, hint(400)), [""; 0], "1000 it was, and is");
    assert_eq!(run.says(600, hint(3000)), ["retry 1 in 3000 ms at 3600 ms"]);
    // The dial uses it up.
    run.falls_due(3600);
    assert_eq!(scheduled(&run.at(3600, failed(2))).delay, ms(2000));
    // Held: silently.
    run.at(3600, hold(HoldReason::Hidden));
    assert_eq!(run.says(4000, hint(4000)), [""; 0]);
    assert_eq!(run.says(5000, release(HoldReason::Hidden)), ["held > waiting", "retry 2 in 3000 ms at 8000 ms"]);

    // Kept while a connection lives; used up by the dial of `start`, which ignores it.
    let mut run = Run::open(plain());
    run.at(10, hint(3000));
    assert_eq!(scheduled(&run.at(20, closed(1))).delay, ms(3000));
    let mut run = Run::new(plain());
    run.at(0, hint(3000));
    assert_eq!(dials(&run.at(0, Input::Start)), 1);
    assert_eq!(scheduled(&run.at(0, failed(1))).delay, ms(1000));

    // `stop`: at once if a retry waits or is held, else after the end.
    let stop = Input::Hint(Hint { stop: true, ..Hint::default() });
    let mut run = Run::waiting(plain());
    assert_eq!(run.says(5, stop), ["gave up: verdict after 0 retries, 5 ms: network failure", "waiting > failed"]);
    let mut run = Run::open(plain());
    assert_eq!(run.says(5, stop), [""; 0]);
    assert!(run.says(6, closed(1)).contains(&"open > failed".into()));
}

/// An outage has at most `maxAttempts` retries; when they have failed: `gaveUp`, failed. Attempt 0 is not limited.
#[test]
fn attempt_limit() {
    let mut run = Run::waiting(plain().max_attempts(2));
    run.falls_due(1000);
    run.at(1000, failed(2));
    run.falls_due(3000);
    let gave_up = [
        "attempt 2 (3) failed: network failure",
        "connecting > failed",
        "gave up: attempts after 2 retries, 3000 ms: network failure",
    ];
    assert_eq!(run.says(3000, failed(3)), gave_up);

    let mut run = Run::new(plain().max_attempts(0));
    assert_eq!(dials(&run.at(0, Input::Start)), 1);
    run.at(0, failed(1));
    assert_eq!(run.machine.phase(), Phase::Failed);
    // A stable connection's end begins an outage that has none either; one that flaps uses them up.
    let mut run = Run::waiting(plain().max_attempts(1));
    run.at(1000, Input::Timeout);
    run.at(1000, opened(2));
    assert!(run.says(2000, closed(2)).contains(&"open > failed".into()));
}

/// As soon as a retry's `dialAt` would lie later than `maxElapsed` after the outage began, the machine gives up (never
/// while held; a dial whose timer comes late is judged again); time held and slept does not count.
#[test]
fn elapsed_limit() {
    // 1000 + 2000 + 4000 = 7000: exactly at the limit, and a microsecond less of it.
    for (limit, phase) in [(7_000_000, Phase::Waiting), (6_999_999, Phase::Failed)] {
        let mut run = Run::waiting(plain().max_elapsed(Micros::from_micros(limit)));
        run.falls_due(1000);
        run.at(1000, failed(2));
        run.falls_due(3000);
        let outputs = run.says(3000, failed(3));
        assert_eq!(run.machine.phase(), phase);
        if phase == Phase::Failed {
            assert!(outputs.contains(&"gave up: elapsed after 2 retries, 3000 ms: network failure".into()));
        }
    }
    // A late timer is judged again.
    let mut run = Run::waiting(plain().max_elapsed(ms(1500)));
    let mut later = Run { machine: run.machine.clone() };
    assert_eq!(dials(&run.at(1500, Input::Timeout)), 1);
    assert!(later.says_micros(1_500_001, Input::Timeout).contains(&"waiting > failed".into()));
    // Slept: of 19 s late, 9 s are beyond wakeGap and do not count: 11 s.
    for (limit, made) in [(11_000, 1), (10_999, 0)] {
        let mut run = Run::waiting(plain().max_elapsed(ms(limit)));
        assert_eq!(dials(&run.at(20_000, Input::Timeout)), made);
    }
    // Held from 500 to 60 500: does not count, and gives up nothing.
    let mut run = Run::waiting(plain().max_elapsed(ms(1000)));
    run.at(500, hold(HoldReason::Hidden));
    assert_eq!(run.says(60_500, release(HoldReason::Hidden)), ["dial 2 attempt 1", "held > connecting"]);
    // Attempt 0 is not limited: its budget makes it wait for longer.
    let mut run = Run::new(plain().max_elapsed(ms(10)).dial_budget(DialBudget { burst: 1, refill: ms(9000) }));
    run.at(0, Input::Start);
    run.at(0, Input::Stop);
    run.at(0, Input::Start);
    assert_eq!(run.falls_due(9000), ["dial 2 attempt 0", "waiting > connecting"]);
}

/// In any span w there are at most burst + w/refill dials; the bucket is full at first and refills evenly; a dial
/// without a token waits for it in phase waiting with a `retryScheduled`; nothing is given up for it.
#[test]
fn budget_limit() {
    let budget = DialBudget { burst: 2, refill: ms(1000) };
    let hasty = || plain().base_delay(ms(0)).max_delay(ms(0)).dial_budget(budget);
    let mut run = Run::new(hasty());
    run.at(0, Input::Start);
    assert_eq!(dials(&run.at(0, failed(1))), 1, "the second token");
    let retry = scheduled(&run.at(0, failed(2)));
    assert_eq!((retry.delay, retry.jittered, retry.budget), (ms(1000), Micros::ZERO, ms(1000)));
    // Manual dials wait for it too, and do not get it any sooner.
    assert_eq!(run.says(400, Input::Reconnect), ["retry 0 in 600 ms at 1000 ms"]);
    assert_eq!(run.falls_due(1000), ["dial 3 attempt 0", "waiting > connecting"]);

    // Every dial fails at once: in every span between two dials, the law.
    let mut run = Run::new(hasty());
    let mut made = vec![0; dials(&run.at(0, Input::Start))];
    for millis in (0..20_000).step_by(50) {
        let connection = run.machine.connection().map_or(0, |ConnectionId(id)| id);
        made.extend(vec![millis; dials(&run.at(millis, failed(connection)))]);
        made.extend(vec![millis; dials(&run.at(millis, Input::Timeout))]);
    }
    assert!(made.len() >= 20);
    for (n, from) in made.iter().enumerate() {
        for (m, to) in made.iter().enumerate().skip(n) {
            assert!((m - n + 1) as u64 <= 2 + (to - from) / 1000, "{} dials from {from} to {to}", m - n + 1);
        }
    }
}

/// Close 1000 ends in closed; stop on close 1002, 1003, 1007 to 1010, http 400, 401, 403, 404, 410, 426 (401 and 403
/// only with fresh credentials, which the dial after them has) and `superseded`; retry on all else. The policy's own
/// verdicts come first.
#[test]
fn verdicts() {
    let after = |cause, own: Option<(VerdictKey, Verdict)>| {
        let mut builder = plain();
        if let Some((key, verdict)) = own {
            builder = builder.verdict(key, verdict).unwrap();
        }
        let mut run = Run::open(builder);
        let outputs = run.says(10, closed_by(1, cause));
        let gave_up = outputs.iter().any(|line| line.starts_with("gave up: verdict"));
        assert_eq!(gave_up, run.machine.phase() == Phase::Failed, "{cause}");
        run.machine.phase()
    };
    let stops = [1002, 1003, 1007, 1008, 1009, 1010].map(Cause::close).into_iter();
    for cause in stops.chain([400, 404, 410, 426].map(Cause::http)).chain([Cause::Superseded]) {
        assert_eq!(after(cause, None), Phase::Failed, "{cause}");
    }
    let retries = [1001, 1004, 1005, 1006, 1011, 1012, 1013, 1014, 1015, 3000, 4401].map(Cause::close).into_iter();
    let retries = retries.chain([401, 403, 408, 429, 500, 503].map(Cause::http));
    for cause in retries.chain([Cause::NETWORK, Cause::Timeout, Cause::PingTimeout, Cause::Protocol]) {
        assert_eq!(after(cause, None), Phase::Waiting, "{cause}");
    }
    assert_eq!(after(Cause::close(1000), None), Phase::Closed);
    assert_eq!(after(Cause::close(4401), Some((VerdictKey::Close(4401), Verdict::Stop))), Phase::Failed);
    assert_eq!(after(Cause::close(1000), Some((VerdictKey::Close(1000), Verdict::Retry))), Phase::Waiting);
    assert_eq!(after(Cause::http(404), Some((VerdictKey::Http(404), Verdict::Retry))), Phase::Waiting);

    // New credentials, once; by hand, too.
    let mut run = Run::new(plain());
    run.at(0, Input::Start);
    run.at(0, failed_by(1, Cause::http(401)));
    let mut by_hand = Run { machine: run.machine.clone() };
    assert_eq!(by_hand.says(1, Input::Reconnect)[0], "dial 2 attempt 0 with fresh credentials");
    assert_eq!(run.falls_due(1000)[0], "dial 2 attempt 1 with fresh credentials");
    let mut refused = Run { machine: run.machine.clone() };
    refused.at(1000, failed_by(2, Cause::http(403)));
    assert_eq!(refused.machine.phase(), Phase::Failed);
    // Another failure: the credentials are not known to be bad.
    run.at(1000, failed(2));
    assert_eq!(run.falls_due(3000)[0], "dial 3 attempt 2");
    assert_eq!(refused.machine.stats(Timestamp::from_millis(1000)).gave_up, 1);
}
