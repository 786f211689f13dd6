//! The opening handshake (RFC 6455, section 4.1).
//!
//! Not tungstenite's own: that refuses a server which chooses none of the subprotocols offered (the RFC lets the client go
//! on without) and one that answers `Connection: keep-alive, Upgrade`.

use crate::classify;
use crate::socket::Socket;
use crate::target::Target;
use crate::tls::Transport;
use futures_util::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use redial::{Cause, NetworkDetail};
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;
use tungstenite::http::header::{
    CONNECTION, HOST, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use tungstenite::http::{HeaderMap, HeaderValue, StatusCode};
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};

/// Asks for the upgrade and checks the answer.
pub(crate) async fn upgrade<T: AsyncRead + AsyncWrite + Unpin>(
    mut transport: Transport<T>,
    target: &Target,
    config: WebSocketConfig,
) -> Result<Socket<T>, Cause> {
    let key = generate_key();
    let request = request(target, &key);
    let sent = async {
        transport.write_all(&request).await?;
        transport.flush().await
    };
    sent.await.map_err(|error| classify::dial_failure(&error))?;

    let (mut received, mut chunk) = (Vec::new(), [0; 1024]);
    let answer = loop {
        let n = transport.read(&mut chunk).await.map_err(|error| classify::dial_failure(&error))?;
        if n == 0 {
            return Err(Cause::network(NetworkDetail::Reset));
        }
        received.extend_from_slice(&chunk[..n]);
        if let Some(answer) = Answer::read(&mut received)? {
            break answer;
        }
        if received.len() > MAX_HEAD {
            return Err(Cause::Protocol);
        }
    };
    let subprotocol = answer.check(target, &key)?;
    let context = WebSocketContext::from_partially_read(received, Role::Client, Some(config));
    Ok(Socket::new(context, transport, subprotocol.map(String::into_boxed_str)))
}

/// Servers and proxies allow heads of 8 to 64 KiB; a longer answer is no answer.
const MAX_HEAD: usize = 64 * 1024;
/// As many headers as tungstenite and hyper take, roughly.
const MAX_HEADERS: usize = 124;

fn request(target: &Target, key: &str) -> Vec<u8> {
    let mut request = Vec::with_capacity(512);
    let mut line = |name: &str, value: &[u8]| {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            request.extend_from_slice(part);
        }
    };
    if target.headers.iter().all(|(name, _)| *name != HOST) {
        line("Host", target.authority.as_str().as_bytes());
    }
    line("Upgrade", b"websocket");
    line("Connection", b"Upgrade");
    line("Sec-WebSocket-Key", key.as_bytes());
    line("Sec-WebSocket-Version", b"13");
    if !target.subprotocols.is_empty() {
        let offered: Vec<_> = target.subprotocols.iter().map(HeaderValue::as_bytes).collect();
        line("Sec-WebSocket-Protocol", &offered.join(&b", "[..]));
    }
    for (name, value) in &target.headers {
        line(name.as_str(), value.as_bytes());
    }
    [format!("GET {} HTTP/1.1\r\n", target.path).as_bytes(), &request, b"\r\n"].concat()
}

/// The server's answer.
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
}

impl Answer {
    /// Takes the final answer's head off the front of what was received; `None` while it is incomplete.
    pub(crate) fn read(received: &mut Vec<u8>) -> Result<Option<Self>, Cause> {
        loop {
            let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut head = httparse::Response::new(&mut slots);
            let len = match head.parse(received) {
                Ok(httparse::Status::Complete(len)) => len,
                Ok(httparse::Status::Partial) => return Ok(None),
                Err(_) => return Err(Cause::Protocol),
            };
            let status = head.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(Cause::Protocol)?;
            let mut headers = HeaderMap::new();
            for header in head.headers {
                let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| Cause::Protocol)?;
                headers.append(name, HeaderValue::from_bytes(header.value).map_err(|_| Cause::Protocol)?);
            }
            received.drain(..len);
            // Any number of other 1xx may come first (RFC 9110, section 15.2).
            if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
                return Ok(Some(Self { status, headers }));
            }
        }
    }

    /// The six checks of RFC 6455, section 4.1; returns the subprotocol that the server chose.
    pub(crate) fn check(&self, target: &Target, key: &str) -> Result<Option<String>, Cause> {
        if self.status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(classify::refusal(self.status, &self.headers));
        }
        let accepted = self.headers.get(SEC_WEBSOCKET_ACCEPT).is_some_and(|v| *v == derive_accept_key(key.as_bytes()));
        let well_formed = self.has_token(&UPGRADE, "websocket")
            && self.has_token(&CONNECTION, "upgrade")
            && accepted
            && !self.headers.contains_key(SEC_WEBSOCKET_EXTENSIONS);
        if !well_formed {
            return Err(Cause::Protocol);
        }
        let mut chosen = self.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
        match (chosen.next(), chosen.next()) {
            (None, _) => Ok(None),
            (Some(name), None) if target.subprotocols.contains(name) => Ok(name.to_str().ok().map(str::to_owned)),
            (Some(_), _) => Err(Cause::Protocol),
        }
    }

    fn has_token(&self, name: &HeaderName, token: &str) -> bool {
        let values = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn judge(text: &str) -> Result<Option<String>, Cause> {
        let target = Target::parse("ws://a.example").unwrap().subprotocol("chat.v1").unwrap();
        let mut received = text.replace('\n', "\r\n").into_bytes();
        Answer::read(&mut received).and_then(|answer| answer.unwrap().check(&target, KEY))
    }

    // The example of RFC 6455, section 1.3.
    const GOOD: &str = "HTTP/1.1 101 Switching Protocols
Upgrade: websocket
Connection: keep-alive, Upgrade
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
";

    #[test]
    fn a_server_may_choose_no_subprotocol() {
        assert_eq!(judge(&format!("{GOOD}\n")), Ok(None));
        assert_eq!(judge(&format!("{GOOD}Sec-WebSocket-Protocol: chat.v1\n\n")), Ok(Some("chat.v1".to_owned())));
    }

    #[test]
    fn nonsense_is_a_broken_protocol() {
        let broken = [
            format!("{GOOD}Sec-WebSocket-Protocol: other\n\n"),
            format!("{GOOD}Sec-WebSocket-Protocol: chat.v1\nSec-WebSocket-Protocol: chat.v1\n\n"),
            format!("{GOOD}Sec-WebSocket-Extensions: permessage-deflate\n\n"),
            GOOD.replace("s3pP", "S3pP") + "\n",
            GOOD.replace("Upgrade: websocket\n", "") + "\n",
            GOOD.replace(", Upgrade", "") + "\n",
            "SSH-2.0-OpenSSH_9.2\n\n".to_owned(),
        ];
        for answer in broken {
            assert_eq!(judge(&answer), Err(Cause::Protocol), "{answer}");
        }
    }

    #[test]
    fn other_1xx_come_before_the_answer() {
        assert_eq!(judge(&format!("HTTP/1.1 103 Early Hints\nLink: x\n\n{GOOD}\n")), Ok(None));
        assert_eq!(
            judge("HTTP/1.1 100 Continue\n\nHTTP/1.1 503 Busy\nRetry-After: 2\n\n"),
            Err(Cause::Http { status: 503, retry_after: Some(redial::Micros::from_secs(2)) })
        );
    }
}
