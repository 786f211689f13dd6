//! Where a dial goes.

use crate::error::ConfigError;
use std::fmt;
use std::net::SocketAddr;
use tungstenite::http::uri::{Authority, PathAndQuery};
use tungstenite::http::{HeaderName, HeaderValue, Uri};

/// Where a dial goes: a URL, headers, and the subprotocols to offer.
///
/// ```
/// use redial_websocket::Target;
/// let target = Target::parse("wss://chat.example/ws?room=7")?.header("authorization", "Bearer 5up3r")?;
/// assert_eq!(format!("{target:?}"), r#"Target { url: "wss://chat.example/ws", headers: ["authorization"] }"#);
/// # Ok::<(), redial_websocket::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Target {
    pub(crate) secure: bool,
    pub(crate) authority: Authority,
    pub(crate) path: PathAndQuery,
    /// Each name once.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) subprotocols: Vec<HeaderValue>,
    /// In place of those that the host resolves to.
    pub(crate) addresses: Option<Box<[SocketAddr]>>,
}

impl Target {
    /// The target of a `ws://` or `wss://` URL (RFC 6455, section 3).
    ///
    /// # Errors
    /// If it is no such URL: another scheme, no host, a user name, a fragment.
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        let wrong = |problem: &str| ConfigError::Endpoint { url: without_secrets(url), problem: problem.to_owned() };
        if url.contains('#') {
            return Err(wrong("a fragment is not allowed; allowed: no #, or %23 for it"));
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong(
                "blanks, control characters and what is not ASCII are not allowed; allowed: %-encoded paths, xn-- names",
            ));
        }
        let Some((scheme, _)) = split_scheme(url) else {
            return Err(wrong("no scheme; allowed: ws://HOST[:PORT][/PATH][?QUERY], or wss:// for TLS"));
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "ws" => false,
            "wss" => true,
            _ => return Err(wrong(&format!("scheme {scheme} is not allowed; allowed: ws, wss"))),
        };
        let uri: Uri =
            url.parse().map_err(|error| wrong(&format!("{error}; allowed: scheme://HOST[:PORT][/PATH][?QUERY]")))?;
        let parts = uri.into_parts();
        let Some(authority) = parts.authority.filter(|authority| !authority.host().is_empty()) else {
            return Err(wrong("no host; allowed: a name or an IP address, an IPv6 address in brackets"));
        };
        if authority.as_str().contains('@') {
            return Err(wrong("a user name is not allowed; allowed: the header authorization"));
        }
        let port = authority.as_str().get(authority.host().len()..).and_then(|rest| rest.strip_prefix(':'));
        if port.is_some_and(|port| !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0)) {
            return Err(wrong("the port is not allowed; allowed: 1 to 65535"));
        }
        let path = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        Ok(Self { secure, authority, path, headers: Vec::new(), subprotocols: Vec::new(), addresses: None })
    }

    /// The same headers and subprotocols for another URL.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn url(self, url: &str) -> Result<Self, ConfigError> {
        Ok(Self { headers: self.headers, subprotocols: self.subprotocols, ..Self::parse(url)? })
    }

    /// The same target with this header, in place of any other of that name.
    ///
    /// # Errors
    /// If the name or the value can't be sent, or the handshake sets this header itself or rules it out.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, ConfigError> {
        let (name, value) = header(name, value)?;
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
        Ok(self)
    }

    /// The same target that also offers this subprotocol (RFC 6455, section 1.9), after those offered already. A server
    /// that chooses none is taken all the same.
    ///
    /// # Errors
    /// If it is no token (RFC 9110, section 5.6.2).
    pub fn subprotocol(mut self, name: &str) -> Result<Self, ConfigError> {
        let name = subprotocol(name)?;
        if !self.subprotocols.contains(&name) {
            self.subprotocols.push(name);
        }
        Ok(self)
    }

    /// The same target that is dialled at one of these addresses (and ports), without a look at what the host resolves to;
    /// with none of them, its dials fail as those of a name that does not resolve:
    /// for service discovery, and for resolvers other than the system's. Its `Host` header and the name that its certificate
    /// must have stay.
    #[must_use]
    pub fn addresses(mut self, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.addresses = Some(addresses.into_iter().collect());
        self
    }

    /// The host to resolve: an IPv6 address is without its brackets.
    pub(crate) fn host(&self) -> &str {
        let host = self.authority.host();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port, by default 80 or 443 (RFC 6455, section 3).
    pub(crate) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.secure { 443 } else { 80 })
    }
}

/// Neither the query nor a header's value: both may hold secrets.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        f.debug_struct("Target")
            .field("url", &format_args!("\"{scheme}://{}{}\"", self.authority, self.path.path()))
            .field("headers", &self.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>())
            .finish()
    }
}

/// A header that may be sent with the upgrade.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ConfigError> {
    /// What the handshake sets (RFC 6455, section 4.1), or rules out: the upgrade has no body (RFC 9112, section 6), and
    /// what a server takes for one is missing from the messages. Subprotocols have a method of their own.
    const OURS: [&str; 8] = [
        "connection",
        "content-length",
        "transfer-encoding",
        "upgrade",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
    ];
    let wrong = |problem| ConfigError::Header { name: name.to_owned(), problem };
    let name: HeaderName =
        name.parse().map_err(|_| wrong("the name is not allowed; allowed: letters, digits and !#$%&'*+-.^_`|~"))?;
    if OURS.contains(&name.as_str()) {
        return Err(wrong("the handshake decides it; allowed: other headers, and subprotocol(..) for subprotocols"));
    }
    // `from_str` would refuse what is not ASCII; servers do take UTF-8.
    let value = HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| wrong("the value is not allowed; allowed: text without control characters"))?;
    Ok((name, value))
}

/// A subprotocol that may be offered.
fn subprotocol(name: &str) -> Result<HeaderValue, ConfigError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let wrong = || ConfigError::Subprotocol {
        name: name.to_owned(),
        problem: "not allowed; allowed: a token of letters, digits and !#$%&'*+-.^_`|~",
    };
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(wrong());
    }
    name.parse().map_err(|_| wrong())
}

/// The scheme (RFC 3986, section 3.1) and what follows it; a :// further on begins no URL.
fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    url.split_once("://").filter(|(scheme, _)| !scheme.is_empty() && scheme.bytes().all(is_scheme))
}

/// The URL without user information, query and fragment, also where it is malformed: what is before the last @ of the
/// authority is user information, whatever it contains.
fn without_secrets(url: &str) -> String {
    let (scheme, separator, rest) = match split_scheme(url) {
        Some((scheme, rest)) => (scheme, "://", rest),
        None => ("", "", url),
    };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let (user, place) = match rest[..authority_end].rfind('@') {
        Some(at) => ("…@", &rest[at + 1..]),
        None => ("", rest),
    };
    let (place, more) = match place.find(['?', '#']) {
        Some(at) if place[at..].starts_with('?') => (&place[..at], "?…"),
        Some(at) => (&place[..at], "#…"),
        None => (place, ""),
    };
    format!("{scheme}{separator}{user}{place}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str) -> String {
        Target::parse(url).unwrap_err().to_string()
    }

    #[test]
    fn a_url_is_taken_apart() {
        let target = Target::parse("wss://[::1]?room=7").unwrap();
        assert_eq!(
            (target.secure, target.host(), target.port(), target.path.to_string()),
            (true, "::1", 443, "/?room=7".to_owned())
        );
        let target = Target::parse("ws://chat.example:9001/ws/a").unwrap();
        assert_eq!((target.secure, target.host(), target.port()), (false, "chat.example", 9001));
        assert_eq!(Target::parse("WS://chat.example").unwrap().port(), 80);
    }

    #[test]
    fn a_bad_url_is_named_with_what_is_allowed() {
        assert_eq!(problem("htp://x"), "endpoint \"htp://x\": scheme htp is not allowed; allowed: ws, wss");
        assert!(problem("chat.example").contains("no scheme"));
        for url in ["ws://h/ü", "ws://bücher.example/", "ws://h/a b", " ws://h/", "ws://h/?q=\u{7f}"] {
            assert!(problem(url).contains("not ASCII"), "{url}: {}", problem(url));
        }
        assert!(problem("chat.example/?token=5up3r://").contains("no scheme"));
        assert!(!problem("chat.example/?token=5up3r://").contains("5up3r"));
        assert!(problem("ws://chat.example/#top").contains("fragment"));
        assert!(problem("ws://me:secret@chat.example/").contains("user name"));
        assert!(!problem("ws://me:secret@chat.example/?token=secret").contains("secret"));
        assert!(problem("ws://chat.example:99999/").contains("1 to 65535"));
        assert!(problem("ws://chat.example:0/").contains("1 to 65535"));
        assert!(problem("ws:///path").contains("endpoint"));
        assert!(!problem("http://chat.example/?token=5up3r").contains("5up3r"));
    }

    #[test]
    fn a_bad_urls_secrets_are_not_shown() {
        for (url, shown) in [
            ("ws://h/a", "ws://h/a"),
            ("ws://u:p@h/a", "ws://…@h/a"),
            ("ws://u:p@ss@h/", "ws://…@h/"),
            ("ws://user:p?w@h/", "ws://…@h/"),
            ("ws://user:p#w@h/?tok", "ws://…@h/?…"),
            ("ws://h/#tok", "ws://h/#…"),
            ("ws://h/?tok#tok", "ws://h/?…"),
            ("ws://h/#tok?tok", "ws://h/#…"),
            ("ws://h?tok", "ws://h?…"),
            ("ws://h/a@b?tok@c", "ws://h/a@b?…"),
            ("u:p@h/?tok", "…@h/?…"),
            ("h?to=ws://tok", "h?…"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(url), shown, "{url}");
        }
    }

    #[test]
    fn a_bad_header_is_named_and_its_value_is_not() {
        let target = || Target::parse("ws://chat.example").unwrap();
        let error = target().header("x-token", "5up3r\n").unwrap_err().to_string();
        assert!(error.starts_with("header \"x-token\": ") && !error.contains("5up3r"), "{error}");
        assert!(target().header("x token", "").is_err());
        assert!(target().header("Upgrade", "h2c").is_err());
        assert!(target().header("Content-Length", "5").is_err());
        assert!(target().header("Transfer-Encoding", "chunked").is_err());
        assert!(target().header("x-city", "Montréal").is_ok());
    }

    #[test]
    fn a_subprotocol_is_a_token() {
        assert!(subprotocol("chat.v1").is_ok());
        assert!(["", "chat v1", "a,b", "chät"].iter().all(|name| subprotocol(name).is_err()));
    }
}
