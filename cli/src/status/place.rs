//! Where to look.

use redial_tokio::tungstenite::http::Uri;

use crate::failure::Failure;
use crate::text;

/// Where a server of the chat has its WebSocket.
const CHAT: &str = "/ws/chat/";

/// A server, and its WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Of the WebSocket.
    pub(super) url: String,
    pub(super) secure: bool,
    /// As a header has it.
    pub(super) authority: String,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Place {
    /// Of a WebSocket's URL, which is taken as it is; or of a page's: without a path it stands for the chat.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |what: &str| {
            let allowed = "allowed: ws://HOST[:PORT][/PATH], and wss, http or https";
            Failure::usage(format_args!("{}: {what}; {allowed}", text::url(text)))
        };
        let uri: Uri = text.parse().map_err(|_| wrong("no URL"))?;
        let (secure, is_page) = match uri.scheme_str() {
            Some("ws") => (false, false),
            Some("wss") => (true, false),
            Some("http") => (false, true),
            Some("https") => (true, true),
            Some(_) | None => return Err(wrong("no URL of a WebSocket")),
        };
        let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
            return Err(wrong("no host"));
        };
        let host = authority.host();
        let (_, after) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
        let port = match after.strip_prefix(host).and_then(|rest| rest.strip_prefix(':')) {
            Some("") | None => {
                if secure {
                    443
                } else {
                    80
                }
            }
            Some(port) => port.parse().map_err(|_| wrong("no such port"))?,
        };
        let is_root = matches!(uri.path(), "" | "/" | "/health");
        let path = match uri.path_and_query() {
            Some(path) if !is_root => path.as_str(),
            Some(_) | None => CHAT,
        };
        let url =
            if is_page { format!("{}://{after}{path}", if secure { "wss" } else { "ws" }) } else { text.to_owned() };
        let authority = after.to_owned();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { url, secure, authority, host, port })
    }

    /// Where it says how it is.
    pub(super) fn health_url(&self) -> String {
        format!("{}://{}/health", if self.secure { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_websocket_s_url_is_taken_as_it_is_and_a_page_s_stands_for_the_chat() {
        let of = |text: &str| {
            let place = Place::parse(text).unwrap();
            (place.url.clone(), place.health_url(), place.port)
        };
        let all = |url: &str, health: &str, port| (url.to_owned(), health.to_owned(), port);
        assert_eq!(of("ws://a:1/b?c=d"), all("ws://a:1/b?c=d", "http://a:1/health", 1));
        assert_eq!(of("ws://a"), all("ws://a", "http://a/health", 80));
        assert_eq!(of("wss://a/"), all("wss://a/", "https://a/health", 443));
        assert_eq!(of("http://a:8080"), all("ws://a:8080/ws/chat/", "http://a:8080/health", 8080));
        assert_eq!(of("https://me:secret@a/"), all("wss://a/ws/chat/", "https://a/health", 443));
        assert_eq!(of("http://a/live"), all("ws://a/live", "http://a/health", 80));
        assert_eq!(Place::parse("ws://[::1]:7/").unwrap().host, "::1");
    }

    #[test]
    fn what_is_no_url_is_told() {
        for bad in ["", "a", "a:1", "ftp://a", "ws://", "http:///x", "ws://a:99999/"] {
            assert!(matches!(Place::parse(bad), Err(Failure::Usage(problem)) if problem.contains("allowed")), "{bad}");
        }
    }
}
