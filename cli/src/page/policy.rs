//! What the page may do.

/// The value of `Content-Security-Policy` for a page that was asked for by this `Host`.
///
/// Its scripts are its own, and may compile wasm; its styles are made while it runs. It connects to where it came from, and
/// to the faulty network there.
pub(super) fn content_security(host: Option<&str>, chaos_port: Option<u16>) -> String {
    let mut connect = String::from("'self'");
    // Not every browser takes a WebSocket to the same host for 'self'.
    if let Some(host) = host.filter(|host| is_host(host)) {
        connect.push_str(&format!(" ws://{host} wss://{host}"));
        if let Some(port) = chaos_port {
            connect.push_str(&format!(" ws://{}:{port}", name(host)));
        }
    }
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         font-src 'self'; connect-src {connect}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Whether nothing in it means anything in a policy.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

/// A host without its port.
fn name(host: &str) -> &str {
    let port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    port.map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(host: Option<&str>, port: Option<u16>) -> String {
        let policy = content_security(host, port);
        policy.split("; ").find_map(|rule| rule.strip_prefix("connect-src ")).unwrap().to_owned()
    }

    #[test]
    fn it_connects_to_where_it_came_from_and_nowhere_else() {
        assert_eq!(connect(Some("chat.example"), None), "'self' ws://chat.example wss://chat.example");
        assert_eq!(connect(Some("[::1]:80"), Some(9)), "'self' ws://[::1]:80 wss://[::1]:80 ws://[::1]:9");
        assert_eq!(connect(Some("[::1]"), Some(9)), "'self' ws://[::1] wss://[::1] ws://[::1]:9");
        assert_eq!(connect(Some("a:80"), Some(9)), "'self' ws://a:80 wss://a:80 ws://a:9");
        assert_eq!(connect(None, Some(9)), "'self'");
        for bad in ["", "a; script-src *", "a b", "a,b", "'none'", "*"] {
            assert_eq!(connect(Some(bad), Some(9)), "'self'", "{bad}");
        }
    }

    #[test]
    fn no_script_but_its_own() {
        let policy = content_security(Some("a"), None);
        assert!(policy.contains("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
}
