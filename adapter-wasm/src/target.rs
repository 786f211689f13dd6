//! Where a dial goes.

use crate::error::ConfigError;
use crate::global::global;
use std::fmt;
use web_sys::Url;

/// Where a dial goes: a URL, and the subprotocols to offer. Browsers send no headers of ours: tokens go into the URL, into a
/// subprotocol, or into a cookie.
#[derive(Clone)]
pub struct Target {
    url: String,
    subprotocols: Vec<String>,
}

impl Target {
    /// The target of a `ws://` or `wss://` URL. As the standard's `WebSocket` does, this takes `http://` for `ws://`, `https://`
    /// for `wss://`, and a relative URL as the page's: `/ws/chat/` is the page's own server.
    ///
    /// # Errors
    /// If it is no such URL.
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        let wrong = |problem| ConfigError::Endpoint { url: without_secrets(url), problem };
        let base = base().unwrap_or_default();
        let parsed = if base.is_empty() { Url::new(url) } else { Url::new_with_base(url, &base) };
        let parsed =
            parsed.map_err(|_| wrong("is no URL; allowed: ws://HOST[:PORT][/PATH][?QUERY], wss://, relative ones"))?;
        match parsed.protocol().as_str() {
            "ws:" | "wss:" => {}
            "http:" => parsed.set_protocol("ws:"),
            "https:" => parsed.set_protocol("wss:"),
            _ => return Err(wrong("the scheme is not allowed; allowed: ws, wss, http, https")),
        }
        if !parsed.hash().is_empty() {
            return Err(wrong("a fragment is not allowed; allowed: no #, or %23 for it"));
        }
        Ok(Self { url: parsed.href(), subprotocols: Vec::new() })
    }

    /// The same subprotocols for another URL.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn url(self, url: &str) -> Result<Self, ConfigError> {
        Ok(Self { subprotocols: self.subprotocols, ..Self::parse(url)? })
    }

    /// The same target that also offers this subprotocol (RFC 6455, section 1.9), after those offered already. A browser
    /// refuses a server that chooses none of those offered, or another: that is a dial that failed.
    ///
    /// # Errors
    /// If it is no token (RFC 9110, section 5.6.2).
    pub fn subprotocol(mut self, name: &str) -> Result<Self, ConfigError> {
        if !is_token(name) {
            let problem = "is no token; allowed: letters, digits and !#$%&'*+-.^_`|~";
            return Err(ConfigError::Subprotocol { name: name.to_owned(), problem });
        }
        if !self.subprotocols.iter().any(|known| known == name) {
            self.subprotocols.push(name.to_owned());
        }
        Ok(self)
    }

    /// The URL that is dialled.
    #[must_use]
    pub fn href(&self) -> &str {
        &self.url
    }

    /// The subprotocols that are offered.
    #[must_use]
    pub fn subprotocols(&self) -> &[String] {
        &self.subprotocols
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.url.starts_with("wss:")
    }
}

/// What relative URLs begin at.
fn base() -> Option<String> {
    match global().document() {
        Some(document) => document.base_uri().ok()?,
        None => global().location().href().ok(),
    }
}

/// What may be shown of a URL as it was given: neither its query nor a user name.
fn without_secrets(url: &str) -> String {
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    match (shown.find("://"), shown.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            let (before, after) = (shown.get(..scheme), shown.get(at..).map(|rest| rest.trim_start_matches('@')));
            format!("{}://{}", before.unwrap_or_default(), after.unwrap_or_default())
        }
        _ => shown.to_owned(),
    }
}

fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Not the query: it may hold secrets.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("url", &without_secrets(&self.url))
            .field("subprotocols", &self.subprotocols)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        for (url, shown) in [
            ("wss://chat.example/ws?token=1#x", "wss://chat.example/ws"),
            ("wss://me:secret@chat.example/ws", "wss://chat.example/ws"),
            ("/ws/chat/?session=1", "/ws/chat/"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }

    #[test]
    fn a_subprotocol_is_a_token() {
        for name in ["redial.v1", "a", "x-y_z~"] {
            assert!(is_token(name), "{name}");
        }
        for name in ["", "a b", "a,b", "ü", "a/b", "\"a\""] {
            assert!(!is_token(name), "{name}");
        }
    }
}
