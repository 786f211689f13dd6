//! Certificates made for a scenario.

use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::PATIENCE;
use super::peer::Wire;

/// A server's certificate, signed by itself, and the key to it.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    config: Arc<ServerConfig>,
    /// For clients that are to trust it.
    pub(super) pem: String,
}

impl Identity {
    /// For this name or address.
    pub(super) fn of(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name can be certified");
        let certificate = params.self_signed(&key).expect("a certificate can be signed");
        let secret = PrivateKeyDer::try_from(key.serialize_der()).expect("the key is one that rustls reads");
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring knows TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)
            .expect("the key is the certificate's");
        Self { config: Arc::new(config), pem: certificate.pem() }
    }

    /// The handshake; `None` if the client breaks it off.
    pub(super) fn accept(&self, tcp: TcpStream) -> Option<Wire> {
        tcp.set_read_timeout(Some(PATIENCE)).ok()?;
        let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(&self.config)).ok()?, tcp);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock).ok()?;
        }
        Some(Wire::Tls(Box::new(tls)))
    }
}
