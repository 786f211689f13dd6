//! What the server says of itself: `GET /health`.

use std::fmt::Write;
use std::io;
use std::sync::Arc;

use redial_tokio::rustls;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Headers;
use super::place::Place;

/// The longest answer that is read.
const LONGEST: u64 = 64 * 1024;
/// More headers than any answer has.
const MAX_HEADERS: usize = 124;

/// How the server says it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Health {
    pub(super) ok: bool,
    pub(super) status: Option<u16>,
    /// The answer, where it is JSON.
    pub(super) report: Option<Value>,
    /// Why there is no health to speak of.
    pub(super) none: Option<String>,
}

impl Health {
    pub(super) const fn none(why: String) -> Self {
        Self { ok: false, status: None, report: None, none: Some(why) }
    }
}

pub(super) async fn ask(place: &Place, headers: &Headers) -> Health {
    match answer(place, headers).await {
        Ok(bytes) => read(&bytes),
        Err(error) => Health::none(error.to_string()),
    }
}

async fn answer(place: &Place, headers: &Headers) -> io::Result<Vec<u8>> {
    let stream = TcpStream::connect((place.host.as_str(), place.port)).await?;
    // HTTP/1.0: the answer ends with the connection, and needs no decoding.
    let mut request = format!("GET /health HTTP/1.0\r\nHost: {}\r\nAccept: application/json\r\n", place.authority);
    for (name, value) in headers {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    request.push_str("\r\n");
    if !place.secure {
        return exchange(stream, &request).await;
    }
    let name = ServerName::try_from(place.host.clone()).map_err(io::Error::other)?;
    exchange(TlsConnector::from(trust()?).connect(name, stream).await?, &request).await
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> io::Result<Vec<u8>> {
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    match stream.take(LONGEST).read_to_end(&mut answer).await {
        // Some don't say goodbye; what came counts.
        Err(error) if answer.is_empty() => Err(error),
        Ok(_) | Err(_) => Ok(answer),
    }
}

/// The system's roots, as for the WebSocket.
fn trust() -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}

fn read(answer: &[u8]) -> Health {
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut slots);
    let (Ok(httparse::Status::Complete(length)), Some(status)) = (head.parse(answer), head.code) else {
        return Health::none("it answers no HTTP".to_owned());
    };
    let report: Option<Value> = serde_json::from_slice(answer.get(length..).unwrap_or_default()).ok();
    let says_something = status == 200 || status == 503;
    Health {
        ok: status == 200,
        status: Some(status),
        report: report.filter(|_| says_something),
        none: (!says_something).then(|| format!("status {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_all_kinds() {
        let ok = read(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"status\":\"ok\"}");
        assert_eq!((ok.ok, ok.report, ok.none), (true, Some(serde_json::json!({ "status": "ok" })), None));
        let down = read(b"HTTP/1.1 503 x\r\n\r\n{\"status\":\"store down\"}");
        assert_eq!((down.ok, down.status, down.none), (false, Some(503), None));
        let text = read(b"HTTP/1.0 200 OK\r\n\r\nfine");
        assert_eq!((text.ok, text.report), (true, None));
        let missing = read(b"HTTP/1.1 404 Not Found\r\n\r\n{}");
        assert_eq!((missing.ok, missing.none.as_deref()), (false, Some("status 404")));
        for bad in [&b""[..], b"hello", b"HTTP/1.1 200 OK\r\nhalf"] {
            assert!(read(bad).none.is_some());
        }
    }
}
