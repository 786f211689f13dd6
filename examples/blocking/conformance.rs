//! The driver's conformance suite, for a client without the driver.

#![allow(unreachable_pub)] // a program of few files needs no finer word
#![allow(clippy::wildcard_enum_match_arm)] // errors are many and may become more

mod client;
mod socket;

use client::{Client, News};
use redial::{Cause, Micros, Notice, Policy};
use redial_driver::conformance::{self, Order, Task};
use socket::Settings;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

fn main() {
    conformance::run("blocking, std", play);
    a_server_that_drips_is_out_of_time();
    println!("ok      blocking, std: a server that drips is out of time");
}

/// One that answers a byte at a time, each of them well before the dial's time is over.
#[allow(clippy::expect_used)] // loopback
fn a_server_that_drips_is_out_of_time() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let url = format!("ws://{}/", listener.local_addr().expect("it is bound"));
    let server = std::thread::spawn(move || {
        let (mut tcp, _) = listener.accept()?;
        tcp.set_read_timeout(Some(Duration::from_millis(100)))?;
        let mut request = [0; 4096];
        for byte in b"HTTP/1.1 101 Switching Protocols\r\n" {
            tcp.write_all(&[*byte])?;
            // Until the client hangs up, or it is time for the next byte.
            if tcp.read(&mut request).is_ok_and(|length| length == 0) {
                break;
            }
        }
        Ok::<_, std::io::Error>(())
    });
    let policy = Policy::builder().connect_timeout(Micros::from_millis(300)).max_attempts(0).build();
    let settings = Settings { urls: vec![url], headers: Vec::new(), tls: None, close_timeout: Micros::from_secs(1) };
    let mut client = Client::start(settings, policy.expect("it is valid"), 7, Box::new(std::io::sink()));
    let mut failures = Vec::new();
    while let Some(news) = client.next() {
        if let News::Notice(Notice::AttemptFailed { cause, .. }) = news {
            failures.push(cause);
        }
    }
    assert_eq!(failures, [Cause::Timeout]);
    // By then it may have met a reset.
    drop(server.join());
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
