//! TLS: where trust comes from, and a stream that may or may not be encrypted.

use crate::classify;
use crate::error::ConfigError;
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use futures_rustls::rustls::pki_types::pem::PemObject;
use futures_rustls::rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::{ClientConfig, RootCertStore};
use futures_util::io::{AsyncRead, AsyncWrite};
use redial::{Cause, NetworkDetail};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

/// Where trust comes from. The system's roots are read when they are first needed.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    config: OnceLock<Arc<ClientConfig>>,
}

impl Trust {
    pub(crate) fn given(config: Arc<ClientConfig>) -> Self {
        Self { config: OnceLock::from(config) }
    }

    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, ConfigError> {
        match self.config.get() {
            Some(config) => Ok(Arc::clone(config)),
            None => with_roots(system_roots()?).map(|config| Arc::clone(self.config.get_or_init(|| config))),
        }
    }
}

/// A configuration that trusts these roots and no client certificate.
pub(crate) fn with_roots(roots: RootCertStore) -> Result<Arc<ClientConfig>, ConfigError> {
    let provider = Arc::new(futures_rustls::rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::Tls { problem: error.to_string() })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A server that also speaks HTTP/2 would else be free to choose it (RFC 7301).
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The certificates of a PEM text.
pub(crate) fn pem_roots(pem: &[u8]) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| wrong_root(&error))?;
        roots.add(certificate).map_err(|error| wrong_root(&error))?;
    }
    if roots.is_empty() {
        return Err(ConfigError::Tls {
            problem: "no certificate in the PEM; allowed: BEGIN CERTIFICATE blocks".into(),
        });
    }
    Ok(roots)
}

fn wrong_root(error: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::Tls { problem: format!("{error}; allowed: X.509 certificates as PEM") }
}

fn system_roots() -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    // A system's store may hold a few certificates that rustls can't read: the others are still good.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(ConfigError::Tls {
            problem: "this system has no root certificates; allowed: give some with root_pem, roots or tls".into(),
        });
    }
    Ok(roots)
}

/// A TCP stream, encrypted or not.
#[derive(Debug)]
pub(crate) enum Transport<T> {
    Plain(T),
    Tls(Box<TlsStream<T>>),
}

impl<T: AsyncRead + AsyncWrite + Unpin> Transport<T> {
    /// The TLS handshake; the certificate must be for `host`.
    pub(crate) async fn secure(stream: T, host: &str, trust: &Trust) -> Result<Self, Cause> {
        let config = trust.config().map_err(|_| TLS_FAILED)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TLS_FAILED)?;
        match TlsConnector::from(config).connect(name, stream).await {
            Ok(stream) => Ok(Self::Tls(Box::new(stream))),
            Err(error) => Err(classify::dial_failure(&error)),
        }
    }
}

const TLS_FAILED: Cause = Cause::network(NetworkDetail::Tls);

/// The plain way is short enough to be one with tungstenite's own code; the way through TLS stays apart, or it would keep
/// both from it.
impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Transport<T> {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => tls_read(stream, cx, buf),
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Transport<T> {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => tls_write(stream, cx, buf),
        }
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => tls_flush(stream, cx),
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_close(cx),
            Self::Tls(stream) => Pin::new(stream).poll_close(cx),
        }
    }
}

#[inline(never)]
fn tls_read<T: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut TlsStream<T>,
    cx: &mut Context<'_>,
    buf: &mut [u8],
) -> Poll<io::Result<usize>> {
    Pin::new(stream).poll_read(cx, buf)
}

#[inline(never)]
fn tls_write<T: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut TlsStream<T>,
    cx: &mut Context<'_>,
    buf: &[u8],
) -> Poll<io::Result<usize>> {
    Pin::new(stream).poll_write(cx, buf)
}

#[inline(never)]
fn tls_flush<T: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut TlsStream<T>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    Pin::new(stream).poll_flush(cx)
}
