//! Who it is that connects.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::Extensions;
use axum::http::HeaderMap;

use crate::refusal::Refusal;

/// An address as it is counted: one of IPv4, or a /64 of IPv6, which is what one subscriber has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Source(IpAddr);

impl Source {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(IpAddr::V4(address)),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
            }
        }
    }
}

/// The client's address: the socket's, or what the proxy before us says. Only the last entry is the proxy's own; the
/// ones before it are whatever the client wrote. One that can't be read is not counted as the proxy's.
pub(crate) fn client(
    headers: &HeaderMap,
    extensions: &Extensions,
    behind_proxy: bool,
) -> Result<Option<Source>, Refusal> {
    let forwarded = if behind_proxy { headers.get_all("x-forwarded-for").iter().next_back() } else { None };
    let address = match forwarded {
        Some(forwarded) => Some(last_hop(forwarded.as_bytes()).ok_or(Refusal::BadAddress)?),
        None => extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()),
    };
    Ok(address.map(Source::of))
}

fn last_hop(hops: &[u8]) -> Option<IpAddr> {
    let last = hops.rsplit(|byte| *byte == b',').next()?;
    let last = std::str::from_utf8(last).ok()?.trim();
    // Some proxies add the port.
    last.parse().ok().or_else(|| last.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn of(text: &str) -> Source {
        Source::of(text.parse().unwrap())
    }

    #[test]
    fn ipv6_addresses_count_by_64_bits() {
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::"), of("2001:db8:1:3::"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
    }

    #[test]
    fn only_the_last_hop_is_believed_and_only_of_a_trusted_proxy() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "203.0.113.1".parse().unwrap());
        headers.append("x-forwarded-for", "198.51.100.1, 192.0.2.9:4711".parse().unwrap());
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 80))));
        assert_eq!(client(&headers, &extensions, true), Ok(Some(of("192.0.2.9"))));
        assert_eq!(client(&headers, &extensions, false), Ok(Some(of("127.0.0.1"))));
        assert_eq!(client(&HeaderMap::new(), &extensions, true), Ok(Some(of("127.0.0.1"))));
        assert_eq!(client(&headers, &Extensions::new(), false), Ok(None));
    }

    #[test]
    fn what_a_client_wrote_hides_nothing_and_what_no_one_can_read_is_refused() {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 80))));
        let of_hops = |hops: &[u8]| {
            let value = HeaderValue::from_bytes(hops).unwrap();
            client(&HeaderMap::from_iter([(HeaderName::from_static("x-forwarded-for"), value)]), &extensions, true)
        };
        assert_eq!(of_hops(b"\xff, 192.0.2.9"), Ok(Some(of("192.0.2.9"))));
        for hops in [&b"192.0.2.9, \xff"[..], b"192.0.2.9, unknown", b"192.0.2.9,", b""] {
            assert_eq!(of_hops(hops), Err(Refusal::BadAddress));
        }
    }
}
