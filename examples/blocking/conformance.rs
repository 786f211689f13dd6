//! The driver's conformance suite, for a client without the driver.

#![allow(unreachable_pub)] // a program of few files needs no finer word
#![allow(clippy::wildcard_enum_match_arm)] // errors are many and may become more

mod client;
mod socket;

use client::{Client, News};
use redial_driver::conformance::{self, Order, Task};
use socket::Settings;
use std::sync::Arc;

fn main() {
    conformance::run("blocking, std", play);
}

fn play(task: Task) {
    let mut client = Client::start(settings(&task), task.policy(), task.seed(), Box::new(task.tape()));
    while let Some(news) = client.next() {
        let orders = match news {
            News::Notice(notice) => task.notice(notice),
            News::Text(text) => task.text(text),
        };
        for order in orders {
            match order {
                Order::Send(text) => client.send(text),
                Order::Tell(input) => client.tell(input),
                Order::Leave => return,
            }
        }
    }
    client.join();
}

fn settings(task: &Task) -> Settings {
    let mut headers = task.headers().to_vec();
    if !task.subprotocols().is_empty() {
        headers.push(("sec-websocket-protocol".to_owned(), task.subprotocols().join(", ")));
    }
    let tls = task.root_pem().map(trust);
    Settings { urls: task.urls().to_vec(), headers, tls, close_timeout: task.close_timeout() }
}

/// Trusts these certificates and no others.
#[allow(clippy::expect_used)] // the suite's certificates are good ones
fn trust(pem: &str) -> Arc<rustls::ClientConfig> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem.as_bytes()).flatten());
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("ring knows TLS 1.2 and 1.3");
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}
