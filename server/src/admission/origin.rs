//! Which pages may connect. Browsers let any page open a WebSocket to any server, with that server's cookies: it is the
//! server that has to look.

use axum::http::{HeaderMap, header};

use crate::refusal::Refusal;

/// Which pages may connect. Clients that are no browsers send no `Origin`, and nothing keeps them from sending any: this
/// protects a browser's user, not the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origins {
    /// Those that come from the server itself: the `Origin`'s host and port are those of `Host`, or of `X-Forwarded-Host`
    /// behind a proxy. The default.
    #[default]
    SameHost,
    /// These, such as `https://chat.example`; and no others.
    These(Vec<String>),
    /// All.
    Any,
}

pub(crate) fn check(origins: &Origins, needed: bool, headers: &HeaderMap, behind_proxy: bool) -> Result<(), Refusal> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return if needed { Err(Refusal::ForeignOrigin) } else { Ok(()) };
    };
    let origin = origin.to_str().map_err(|_| Refusal::ForeignOrigin)?;
    let allowed = match origins {
        Origins::Any => true,
        Origins::These(these) => these.iter().any(|this| this.trim_end_matches('/').eq_ignore_ascii_case(origin)),
        Origins::SameHost => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some_and(|host| own_host(headers, behind_proxy).is_some_and(|own| own.eq_ignore_ascii_case(host)))
        }
    };
    if allowed { Ok(()) } else { Err(Refusal::ForeignOrigin) }
}

fn own_host(headers: &HeaderMap, behind_proxy: bool) -> Option<&str> {
    let forwarded = if behind_proxy { headers.get("x-forwarded-host") } else { None };
    forwarded.or_else(|| headers.get(header::HOST))?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_of(origins: &Origins, host: &str, origin: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        check(origins, false, &headers, false).is_ok()
    }

    #[test]
    fn a_page_of_the_same_host_and_port_may_connect() {
        assert!(check_of(&Origins::SameHost, "chat.example", "https://Chat.example"));
        assert!(check_of(&Origins::SameHost, "[::1]:8080", "http://[::1]:8080"));
        assert!(!check_of(&Origins::SameHost, "chat.example", "https://chat.example:8443"));
        assert!(!check_of(&Origins::SameHost, "chat.example", "https://chat.example.evil.example"));
        assert!(!check_of(&Origins::SameHost, "chat.example", "null"));
    }

    #[test]
    fn a_list_is_exact() {
        let these = Origins::These(vec!["https://a.example/".into()]);
        assert!(check_of(&these, "b.example", "https://a.example"));
        assert!(!check_of(&these, "b.example", "http://a.example"));
        assert!(!check_of(&these, "b.example", "https://b.example"));
    }

    #[test]
    fn without_an_origin_it_is_no_browser() {
        assert_eq!(check(&Origins::SameHost, false, &HeaderMap::new(), false), Ok(()));
        assert_eq!(check(&Origins::Any, true, &HeaderMap::new(), false), Err(Refusal::ForeignOrigin));
    }
}
