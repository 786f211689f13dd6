//! Points in time and spans of time.

use std::time::Duration;

use redial::{Micros, Timestamp};

#[test]
fn points_in_time_are_counted_from_the_origin() {
    assert_eq!(Timestamp::ZERO.as_micros(), 0);
    assert_eq!(Timestamp::from_micros(7).as_micros(), 7);
    assert_eq!(Timestamp::from_millis(7), Timestamp::from_micros(7000));
    assert_eq!(Timestamp::from_millis(u64::MAX).as_micros(), u64::MAX, "saturates");
    let start = Timestamp::from_micros(5);
    assert_eq!(Timestamp::from_micros(7).saturating_since(start), Micros::from_micros(2));
    assert_eq!(start.saturating_since(Timestamp::from_micros(7)), Micros::ZERO);
    assert_eq!(start.saturating_add(Micros::from_micros(2)), Timestamp::from_micros(7));
    assert_eq!(Timestamp::from_micros(u64::MAX).saturating_add(Micros::from_micros(1)).as_micros(), u64::MAX);
}

#[test]
fn spans_of_time_are_whole_microseconds() {
    assert_eq!(Micros::from_millis(7), Micros::from_micros(7000));
    assert_eq!(Micros::from_secs(7), Micros::from_millis(7000));
    assert_eq!([Micros::from_millis(u64::MAX), Micros::from_secs(u64::MAX)].map(Micros::as_micros), [u64::MAX; 2]);
    assert_eq!(Micros::MAX_POLICY.as_micros(), 9_007_199_254_740_992);
    let (two, five) = (Micros::from_micros(2), Micros::from_micros(5));
    assert_eq!((five.saturating_add(two).as_micros(), five.saturating_sub(two).as_micros()), (7, 3));
    assert_eq!(
        (two.saturating_sub(five), Micros::from_micros(u64::MAX).saturating_add(two).as_micros()),
        (Micros::ZERO, u64::MAX)
    );
}

/// "if that is a whole number of microseconds from 0 to 2⁵³"
#[test]
fn milliseconds_have_at_most_three_decimals() {
    assert_eq!(Micros::from_micros(1_234_567).as_millis_f64(), 1234.567);
    let allowed = [(0.0, 0), (0.001, 1), (0.999, 999), (1.0, 1000), (4.35, 4350), (2.007, 2007), (1234.567, 1_234_567)];
    for (millis, micros) in allowed {
        assert_eq!(Micros::from_millis_f64(millis), Some(Micros::from_micros(micros)), "{millis}");
    }
    assert_eq!(Micros::from_millis_f64(9_007_199_254_740.992), Some(Micros::MAX_POLICY));
    let refused = [-0.001, -1.0, 0.0001, 1.2345, 9_007_199_254_740.994, 1e300, f64::INFINITY, f64::NAN];
    for millis in refused {
        assert_eq!(Micros::from_millis_f64(millis), None, "{millis}");
    }
}

#[test]
fn durations_are_rounded_to_the_nearest_microsecond() {
    let micros = |nanos| Micros::from(Duration::from_nanos(nanos)).as_micros();
    assert_eq!([0, 499, 500, 999, 1000, 1499, 1500, 2_000_500].map(micros), [0, 0, 1, 1, 1, 1, 2, 2001]);
    assert_eq!(Micros::from(Duration::MAX).as_micros(), u64::MAX, "saturates");
    assert_eq!(Micros::from(Duration::from_micros(u64::MAX)).as_micros(), u64::MAX);
    assert_eq!(Duration::from(Micros::from_micros(1_500_001)), Duration::from_micros(1_500_001));
}

#[test]
fn spans_are_written_without_trailing_zeros() {
    let texts = [
        (0, "0 ms"),
        (1, "0.001 ms"),
        (10, "0.01 ms"),
        (100, "0.1 ms"),
        (120, "0.12 ms"),
        (123, "0.123 ms"),
        (103, "0.103 ms"),
        (1000, "1 ms"),
        (12_500, "12.5 ms"),
        (60_000_040, "60000.04 ms"),
    ];
    for (micros, text) in texts {
        assert_eq!(Micros::from_micros(micros).to_string(), text);
    }
}
