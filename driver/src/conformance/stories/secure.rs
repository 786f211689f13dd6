//! wss.

use redial::{Cause, NetworkDetail};

use super::super::play::{Scenario, Stage};
use super::super::server::Server;
use super::super::tls::Identity;
use super::{quick, settings, talk_and_part};

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "TLS with a trusted certificate",
        story: trusted,
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            opened 1
            phase open
            hang up 1: asked by the user
            lost 1: asked by the user
            phase closed
        ",
        or: "",
    },
    Scenario {
        name: "a certificate that nobody has signed",
        story: |stage| refused(stage, Identity::of("127.0.0.1"), Identity::of("127.0.0.1").pem),
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            failed 1: network failure (tls)
            retry 1: raw 20 ms, jittered 10.935 ms
            phase waiting
            phase closed
        ",
        or: "",
    },
    Scenario {
        name: "a certificate for another name",
        story: |stage| {
            let identity = Identity::of("chat.example");
            let pem = identity.pem.clone();
            refused(stage, identity, pem);
        },
        decisions: "
            dial 1: endpoint 0, attempt 0
            phase connecting
            failed 1: network failure (tls)
            retry 1: raw 20 ms, jittered 10.935 ms
            phase waiting
            phase closed
        ",
        or: "",
    },
];

fn trusted(stage: &mut Stage) {
    let identity = Identity::of("127.0.0.1");
    let trust = identity.pem.clone();
    let server = Server::start_secure(identity);
    let mut settings = settings([server.secure_url()], quick());
    settings.root_pem = Some(trust);
    let mut client = stage.client(settings);
    talk_and_part(&mut client, &server);
}

fn refused(stage: &mut Stage, identity: Identity, trust: String) {
    let server = Server::start_secure(identity);
    let mut settings = settings([server.secure_url()], quick());
    settings.root_pem = Some(trust);
    let mut client = stage.client(settings);
    assert_eq!(client.failed(), Cause::network(NetworkDetail::Tls));
    client.stop();
    client.end();
}
