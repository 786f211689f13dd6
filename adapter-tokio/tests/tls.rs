//! wss, with certificates made for the test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod common;

use common::{Client, client, in_time, quick};
use futures_util::{SinkExt, StreamExt};
use rcgen::{CertificateParams, CertifiedKey, KeyPair};
use redial_tokio::rustls::{self, RootCertStore, ServerConfig};
use redial_tokio::{Cause, NetworkDetail};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::accept_async;

struct TlsServer {
    addr: SocketAddr,
    certificate: rcgen::Certificate,
}

/// An echo server whose self-signed certificate is for this name.
async fn tls_server(name: &str) -> TlsServer {
    let CertifiedKey { cert, key_pair } = self_signed(name);
    let key = rustls::pki_types::PrivateKeyDer::try_from(key_pair.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let Ok(mut ws) = accept_async(stream).await else { return };
                while let Some(Ok(message)) = ws.next().await {
                    if message.is_text() && ws.send(message).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    TlsServer { addr, certificate: cert }
}

fn self_signed(name: &str) -> CertifiedKey {
    let key_pair = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key_pair).unwrap();
    CertifiedKey { cert, key_pair }
}

#[tokio::test]
async fn wss_with_a_given_root_works() {
    let server = tls_server("127.0.0.1").await;
    let url = format!("wss://{}/", server.addr);
    let mut roots = RootCertStore::empty();
    roots.add(server.certificate.der().clone()).unwrap();
    let by_pem = client(&url, quick()).root_pem(server.certificate.pem());
    let by_store = client(&url, quick()).roots(roots);
    for builder in [by_pem, by_store] {
        let mut client = Client::new(builder.build().unwrap());
        client.opened().await;
        client.send("hello").await;
        assert_eq!(client.text().await, "hello");
        in_time("closing", client.socket.close()).await;
    }
}

#[tokio::test]
async fn without_a_given_root_the_systems_are_trusted_and_no_others() {
    let server = tls_server("127.0.0.1").await;
    match client(&format!("wss://{}/", server.addr), quick()).build() {
        Ok(socket) => assert_eq!(Client::new(socket).attempt_failed().await, Cause::network(NetworkDetail::Tls)),
        Err(error) => assert!(error.to_string().contains("this system has no root certificates"), "{error}"),
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_a_tls_failure() {
    let server = common::Server::start(|_, stream| async {
        drop(stream.try_write(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        let mut stream = stream;
        drop(tokio::io::copy(&mut stream, &mut tokio::io::sink()).await);
    })
    .await;
    let other = self_signed("127.0.0.1").cert;
    let builder = client(&format!("wss://{}/", server.addr), quick()).root_pem(other.pem());
    let mut client = Client::new(builder.build().unwrap());
    assert_eq!(client.attempt_failed().await, Cause::network(NetworkDetail::Tls));
}
