//! Text from elsewhere, made fit for one line.

use std::fmt::Write;

/// How much of a message that was not sent is shown.
const SHOWN: usize = 200;

/// One line: a line feed is `\n`, a carriage return `\r`. On a terminal, which would obey them, other control characters
/// are shown as `\u{1b}`; a tab is harmless.
pub(crate) fn one_line(text: &str, terminal: bool) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' {
            line.push_str("\\n");
        } else if c == '\r' {
            line.push_str("\\r");
        } else if terminal && c != '\t' && c.is_control() {
            let _ = write!(line, "{}", c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    line
}

/// The beginning of a long message.
pub(crate) fn beginning(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A URL without what may be secret: passwords and queries, where tokens are.
pub(crate) fn url(url: &str) -> String {
    let (place, query) = match url.find(['?', '#']) {
        Some(end) => (url.get(..end).unwrap_or_default(), "?…"),
        None => (url, ""),
    };
    let Some((scheme, rest)) = place.split_once("://") else { return format!("{place}{query}") };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}{path}{query}"),
        None => format!("{scheme}://{authority}{path}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_one_line() {
        assert_eq!(one_line("a\r\nb\tc\\\x1b[2J\u{9b}", false), "a\\r\\nb\tc\\\x1b[2J\u{9b}");
        assert_eq!(one_line("a\r\nb\tc\\\x1b[2J\u{9b}", true), "a\\r\\nb\tc\\\\u{1b}[2J\\u{9b}");
    }

    #[test]
    fn a_long_message_is_cut() {
        let just = "ö".repeat(SHOWN);
        assert_eq!(beginning(&just), just);
        assert_eq!(beginning(&format!("{just}x")), format!("{just}…"));
    }

    #[test]
    fn a_url_keeps_its_secrets() {
        assert_eq!(url("ws://a:1/b"), "ws://a:1/b");
        assert_eq!(url("wss://a/b?token=x/y#z"), "wss://a/b?…");
        assert_eq!(url("ws://a?token=x@y"), "ws://a?…");
        assert_eq!(url("ws://me:secret@a/b@c"), "ws://…@a/b@c");
    }
}
