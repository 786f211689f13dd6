//! The laws, each a function of its name.

mod limits;
mod messages;
mod rooms;
mod sessions;

pub(crate) use limits::*;
pub(crate) use messages::*;
pub(crate) use rooms::*;
pub(crate) use sessions::*;

use std::time::Duration;

use redial_server::store::{
    Claim, Committed, Effect, Lease, NewSession, Outgoing, Past, Resumed, SecretHash, StoreSettings,
};
use redial_session::{Payload, SessionId};

use crate::rig::{Rig, Store};

pub(crate) const TTL: Duration = Duration::from_secs(300);
pub(crate) const MILLI: Duration = Duration::from_millis(1);

pub(crate) fn id(n: u16) -> SessionId {
    // No bytes of a text, and zeros among them: what a store must be able to keep.
    let mut bytes = [0xFF; 16];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    SessionId::from_bytes(bytes)
}

pub(crate) fn secret(n: u16) -> SecretHash {
    let mut bytes = [0x80; 32];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    SecretHash(bytes)
}

/// Aliases are big: as big as numbers get.
pub(crate) fn alias(n: u16) -> u64 {
    u64::MAX - u64::from(n)
}

pub(crate) fn new(n: u16) -> NewSession {
    NewSession { id: id(n), secret: secret(n), user: None, alias: alias(n) }
}

pub(crate) fn of_user(n: u16, user: &str) -> NewSession {
    NewSession { user: Some(user.to_owned()), ..new(n) }
}

pub(crate) fn message(number: u64, effects: Vec<Effect>) -> Committed {
    Committed { number, effects }
}

pub(crate) fn reply(text: &str) -> Effect {
    Effect::Reply(text.into())
}

pub(crate) fn join(room: &str) -> Effect {
    Effect::Join(room.to_owned())
}

pub(crate) fn leave(room: &str) -> Effect {
    Effect::Leave(room.to_owned())
}

/// To all of the room, and kept.
pub(crate) fn say(room: &str, text: &str) -> Effect {
    Effect::Broadcast { room: room.to_owned(), payload: text.into(), to_self: true, keep: true }
}

/// To the others in the room.
pub(crate) fn tell(room: &str, text: &str) -> Effect {
    Effect::Broadcast { room: room.to_owned(), payload: text.into(), to_self: false, keep: false }
}

pub(crate) fn text(payload: &Payload) -> String {
    payload.as_text().unwrap().to_owned()
}

/// `NUMBER TEXT`, each.
pub(crate) fn lines(messages: &[Outgoing]) -> Vec<String> {
    messages.iter().map(|message| format!("{} {}", message.number, text(&message.payload))).collect()
}

pub(crate) fn past(messages: &[Past]) -> Vec<String> {
    messages.iter().map(|message| format!("{} {}", message.number, text(&message.payload))).collect()
}

/// All that waits.
pub(crate) async fn outbox(store: &Store, lease: Lease) -> Vec<String> {
    lines(&store.read(lease, 0, usize::MAX, usize::MAX).await.unwrap())
}

pub(crate) async fn open(rig: &mut Rig) -> Store {
    rig.store(StoreSettings { ttl: TTL, ..StoreSettings::default() }).await
}

/// These sessions, as members of the room.
pub(crate) async fn room(store: &Store, name: &str, members: impl IntoIterator<Item = u16>) -> Vec<Lease> {
    let mut leases = Vec::new();
    for n in members {
        let lease = store.create(new(n)).await.unwrap();
        store.commit(lease, vec![message(1, vec![join(name)])]).await.unwrap();
        leases.push(lease);
    }
    leases
}

pub(crate) fn resumed(claim: Claim) -> Resumed {
    match claim {
        Claim::Resumed(resumed) => resumed,
        Claim::Unknown => panic!("the session is unknown"),
    }
}
