//! `Retry-After` (RFC 9110, section 10.2.3).

use redial::Micros;
use std::time::SystemTime;
use tungstenite::http::HeaderMap;
use tungstenite::http::header::{DATE, RETRY_AFTER};

/// How long the server asks to wait, as seconds or as a date; a date that has passed asks for no wait at all.
///
/// A date is counted from the answer's own `Date`, so that two clocks that disagree do no harm. What is longer than a hint
/// can hold is as long as it can, so that a trace of it can be replayed.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Micros> {
    Some(asked_for(headers)?.min(Micros::MAX_POLICY))
}

fn asked_for(headers: &HeaderMap) -> Option<Micros> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // What has too many digits for a number is long.
        return Some(Micros::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now =
        headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok()).unwrap_or_else(today);
    Some(until.duration_since(now).map_or(Micros::ZERO, Micros::from))
}

/// A date means nothing to a clock that counts from its own origin, so here alone the calendar is asked.
#[allow(clippy::disallowed_methods)]
fn today() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(retry_after_value: &str, date: Option<&str>) -> Option<Micros> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after_value.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers)
    }

    #[test]
    fn seconds() {
        assert_eq!(asked("120", None), Some(Micros::from_secs(120)));
        assert_eq!(asked("0", None), Some(Micros::ZERO));
    }

    #[test]
    fn what_is_too_long_for_a_hint_is_cut() {
        assert_eq!(asked("99999999999999999999999", None), Some(Micros::MAX_POLICY));
        assert_eq!(asked("9007199255", None), Some(Micros::MAX_POLICY));
        assert_eq!(asked("9007199254", None), Some(Micros::from_secs(9_007_199_254)));
        assert_eq!(asked("Fri, 31 Dec 9999 23:59:59 GMT", None), Some(Micros::MAX_POLICY));
    }

    #[test]
    fn a_date_counts_from_the_answers_own() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:40 GMT", date), Some(Micros::from_secs(3)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:30 GMT", date), Some(Micros::ZERO));
    }

    #[test]
    fn without_a_date_of_its_own_a_date_counts_from_today() {
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT", None), Some(Micros::ZERO));
        let later = httpdate::fmt_http_date(today() + std::time::Duration::from_secs(1000));
        let wait = asked(&later, None).unwrap();
        assert!((Micros::from_secs(900)..=Micros::from_secs(1000)).contains(&wait), "{wait}");
    }

    #[test]
    fn nonsense_asks_for_nothing() {
        assert_eq!(asked("soon", None), None);
        assert_eq!(asked("-5", None), None);
        assert_eq!(asked("1.5", None), None);
        assert_eq!(asked("", None), None);
    }
}
