//! Which [`Cause`] a failure is.

use crate::retry_after::retry_after;
use futures_rustls::rustls;
use redial::{Cause, NetworkDetail};
use std::io;
use tungstenite::error::{Error, ProtocolError};
use tungstenite::http::{HeaderMap, StatusCode};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

/// The cause of an open connection's error.
pub(crate) fn failure(error: &Error) -> Cause {
    match error {
        Error::Io(error) => io_failure(error, Cause::close(ABNORMAL)),
        // The connection ended without a close frame (RFC 6455, section 7.1.5).
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Cause::close(ABNORMAL),
        Error::Tls(_) => Cause::network(NetworkDetail::Tls),
        Error::Http(response) => refusal(response.status(), response.headers()),
        Error::Capacity(_)
        | Error::Protocol(_)
        | Error::WriteBufferFull(_)
        | Error::Utf8(_)
        | Error::AttackAttempt
        | Error::Url(_)
        | Error::HttpFormat(_) => Cause::Protocol,
    }
}

/// The cause of an error while dialling. An end before the answer cuts the connection as a reset does.
pub(crate) fn dial_failure(error: &io::Error) -> Cause {
    io_failure(error, Cause::network(NetworkDetail::Reset))
}

/// The cause of an HTTP answer other than 101.
pub(crate) fn refusal(status: StatusCode, headers: &HeaderMap) -> Cause {
    Cause::Http { status: status.as_u16(), retry_after: retry_after(headers) }
}

/// The cause of a close frame.
pub(crate) fn closed(frame: Option<&CloseFrame>) -> Cause {
    match frame {
        None => Cause::close(NO_CODE),
        // tungstenite puts this in the place of a code that it does not know, among them 1014, "bad gateway": that is no
        // reason to stay away for ever, as the peer's own 1002 would be.
        Some(CloseFrame { code: CloseCode::Protocol, reason }) if reason.as_str() == "Protocol violation" => {
            Cause::Protocol
        }
        Some(frame) => Cause::close(frame.code.into()),
    }
}

/// The code that tells the peer why its last frame ends the connection (RFC 6455, section 7.4.1).
pub(crate) fn complaint(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Capacity(_) => Some(CloseCode::Size),
        Error::Utf8(_) => Some(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(CloseCode::Protocol),
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_)
        | Error::Tls(_)
        | Error::WriteBufferFull(_)
        | Error::AttackAttempt
        | Error::Url(_)
        | Error::Http(_)
        | Error::HttpFormat(_) => None,
    }
}

/// A close frame without a code (RFC 6455, section 7.1.5).
const NO_CODE: u16 = 1005;
/// No close frame at all (RFC 6455, section 7.1.5).
const ABNORMAL: u16 = 1006;

#[allow(clippy::wildcard_enum_match_arm)] // `io::ErrorKind` is not ours and grows
fn io_failure(error: &io::Error, end: Cause) -> Cause {
    if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
        return Cause::network(NetworkDetail::Tls);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Cause::network(NetworkDetail::Refused),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            Cause::network(NetworkDetail::Unreachable)
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Cause::network(NetworkDetail::Reset)
        }
        io::ErrorKind::UnexpectedEof => end,
        _ => Cause::NETWORK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_close_code_is_a_broken_protocol_and_the_peers_own_1002_is_not() {
        let frame = |reason: &'static str| CloseFrame { code: CloseCode::Protocol, reason: reason.into() };
        assert_eq!(closed(Some(&frame("Protocol violation"))), Cause::Protocol);
        assert_eq!(closed(Some(&frame("bad opcode"))), Cause::close(1002));
        assert_eq!(closed(None), Cause::close(1005));
    }

    #[test]
    fn io_errors() {
        let cause = |kind: io::ErrorKind| failure(&Error::Io(kind.into()));
        assert_eq!(cause(io::ErrorKind::ConnectionReset), Cause::network(NetworkDetail::Reset));
        assert_eq!(cause(io::ErrorKind::BrokenPipe), Cause::network(NetworkDetail::Reset));
        assert_eq!(cause(io::ErrorKind::UnexpectedEof), Cause::close(1006));
        assert_eq!(cause(io::ErrorKind::NetworkUnreachable), Cause::network(NetworkDetail::Unreachable));
        assert_eq!(cause(io::ErrorKind::OutOfMemory), Cause::NETWORK);
        let tls = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError);
        assert_eq!(failure(&Error::Io(tls)), Cause::network(NetworkDetail::Tls));
        assert_eq!(dial_failure(&io::ErrorKind::UnexpectedEof.into()), Cause::network(NetworkDetail::Reset));
    }
}
