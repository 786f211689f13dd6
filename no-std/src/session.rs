//! Both halves of a session with an allocator and without std.

use core::hint::black_box;

use redial::{Micros, Timestamp};
use redial_session::{
    AckPolicy, Client, ClientConfig, FromClient, Outcome, Payload, Secret, Server, SessionId, Transmit, Welcome,
};

/// A connection with a message each way.
pub(crate) fn there_and_back() -> Option<()> {
    let now = Timestamp::ZERO;
    let mut client = Client::new(black_box(ClientConfig::default()));
    client.send(now, Payload::text("hello"), None).ok()?;
    client.connected();
    black_box(client.transmit(now));
    let (id, secret) = (SessionId::from_bytes([7; 16]), Secret::from_bytes([9; 16]));
    let welcome =
        Welcome { outcome: Outcome::New, id, secret, received: 0, ttl: Micros::from_secs(1), most_payload: 0 };
    let mut server = Server::new(AckPolicy::default(), welcome, 0);
    client.receive(now, server.transmit(now)?).ok()?;
    let Some(Transmit::Frame(frame)) = client.transmit(now) else { return None };
    if let FromClient::Message { number, payload } = server.receive(frame).ok()? {
        server.committed(now, number);
        server.push(payload);
    }
    black_box(client.receive(now, server.transmit(now)?).ok()?);
    black_box((client.event(), client.deadline(), server.deadline()));
    Some(())
}
