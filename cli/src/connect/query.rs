//! A session's name in a URL.

use std::fmt::Write;

/// The URL with `session=ID` in its query, in place of any other.
pub(crate) fn with_session(url: &str, id: &str) -> String {
    let (rest, fragment) = match url.find('#') {
        Some(start) => url.split_at(start),
        None => (url, ""),
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_other = |pair: &&str| !pair.is_empty() && pair.split('=').next() != Some("session");
    let mut pairs: Vec<_> = query.split('&').filter(is_other).map(str::to_owned).collect();
    pairs.push(format!("session={}", encoded(id)));
    format!("{place}?{}{fragment}", pairs.join("&"))
}

/// Percent-encoded but for what RFC 3986 calls unreserved.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_added_or_replaced() {
        assert_eq!(with_session("ws://a/ws/chat/", "s-1"), "ws://a/ws/chat/?session=s-1");
        assert_eq!(with_session("ws://a", "s"), "ws://a?session=s");
        assert_eq!(with_session("ws://a/?session=old&x=1&session", "new"), "ws://a/?x=1&session=new");
        assert_eq!(with_session("ws://a/?sessions=2#part", "s"), "ws://a/?sessions=2&session=s#part");
        assert_eq!(with_session("ws://a/", "ä b&c=d"), "ws://a/?session=%C3%A4%20b%26c%3Dd");
    }
}
