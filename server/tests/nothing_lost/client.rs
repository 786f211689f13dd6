//! A client under load, which writes down what it hears.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use redial_server::Payload;
use redial_session::{ClientEvent, SessionLost};
use redial_tokio::redial::{Notice, Policy};
use redial_tokio::redial_driver::OutboxLimits;
use redial_tokio::{Session, SessionConfig, SessionEvent, StreamExt, WebSocket};
use tokio::sync::watch;

use crate::words::{self, Said};

/// What the clients of a run know of each other, and the test of them.
#[derive(Clone, Debug)]
pub(crate) struct Board(Arc<watch::Sender<Standing>>);

#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// Who is called what: clients by their alias.
    pub(crate) clients: HashMap<u64, u64>,
    /// How many messages each client was told to be delivered.
    pub(crate) acknowledged: BTreeMap<u64, u64>,
    /// How many of its messages came back to a client: in all.
    pub(crate) echoes: u64,
    /// No client sends anything new.
    pub(crate) stopped: bool,
    /// A client has met what ought not to happen: it is all over.
    pub(crate) failed: bool,
    /// How many messages each client has sent, once it has stopped.
    pub(crate) totals: BTreeMap<u64, u64>,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Standing::default())))
    }

    pub(crate) fn note(&self, change: impl FnOnce(&mut Standing)) {
        self.0.send_modify(change);
    }

    pub(crate) fn now(&self) -> Standing {
        self.0.borrow().clone()
    }

    /// Waits until it is so.
    pub(crate) async fn until(&self, is_so: impl FnMut(&Standing) -> bool) {
        self.0.subscribe().wait_for(is_so).await.unwrap();
    }

    /// Waits until so many more messages came back.
    pub(crate) async fn echoes(&self, more: u64) {
        let target = self.0.borrow().echoes + more;
        self.until(|standing| standing.echoes >= target).await;
    }
}

/// Somebody in the room, as a client heard it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum InRoom {
    Client { alias: u64, number: u64 },
    Tick { process: u64, number: u64 },
    Ended { alias: u64 },
}

/// What a client has written down.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    pub(crate) client: u64,
    pub(crate) alias: u64,
    pub(crate) sent: u64,
    pub(crate) acknowledged: u64,
    pub(crate) echoes: Vec<u64>,
    pub(crate) room: Vec<InRoom>,
    pub(crate) started: u64,
    pub(crate) resumed: u64,
    pub(crate) opened: u64,
    pub(crate) drops: u64,
    /// Dials and greetings that came to nothing.
    pub(crate) failed: u64,
    pub(crate) losses: Vec<SessionLost>,
    /// What ought not to happen.
    pub(crate) oddities: Vec<String>,
}

/// Quick to come back, and never giving up.
pub(crate) fn policy() -> Policy {
    Policy::builder()
        .base_delay(Duration::from_millis(10))
        .max_delay(Duration::from_millis(200))
        .min_delay(Duration::from_millis(2).into())
        .max_attempts(None)
        .dial_budget(None)
        .connect_timeout(Duration::from_secs(3))
        .stable_after(Duration::from_millis(100))
        .health_check_interval(Some(Duration::from_millis(1_000).into()))
        .ping_timeout(Duration::from_millis(2_000))
        .build()
        .unwrap()
}

pub(crate) fn session(port: u16, seed: u64, policy: Policy) -> Session {
    let mut config = SessionConfig::default();
    if policy.ready_timeout().is_some() {
        // Who does not wait for long for an answer asks more often.
        config.resume_tries = 1_000;
    }
    WebSocket::builder(format!("ws://127.0.0.1:{port}/ws/chat/"))
        .policy(policy)
        .seed(seed)
        .outbox(OutboxLimits { messages: 1024, bytes: 8 << 20, ..OutboxLimits::default() })
        .session(config)
        .unwrap()
}

/// A client that sends as fast as its window allows until the board says stop, and then waits for all that is to come.
pub(crate) async fn run(client: u64, port: u16, seed: u64, window: u64, peers: usize, board: Board) -> Diary {
    run_with(policy(), client, port, seed, window, peers, board).await
}

pub(crate) async fn run_with(
    policy: Policy,
    client: u64,
    port: u16,
    seed: u64,
    window: u64,
    peers: usize,
    board: Board,
) -> Diary {
    let mut session = session(port, seed ^ client, policy);
    let mut talker = Talker { diary: Diary { client, ..Diary::default() }, room: RoomSoFar::default(), board, peers };
    let mut changes = talker.board.0.subscribe();
    loop {
        let (all_here, stopped) = {
            let standing = changes.borrow_and_update();
            if standing.failed {
                break;
            }
            (standing.clients.len() == peers, standing.stopped)
        };
        let diary = &mut talker.diary;
        while all_here && !stopped && diary.sent - diary.acknowledged < window {
            if session.post(words::message(client, diary.sent + 1), None).is_err() {
                break;
            }
            diary.sent += 1;
        }
        if stopped {
            let sent = diary.sent;
            if !changes.borrow().totals.contains_key(&client) {
                talker.board.note(|standing| {
                    standing.totals.insert(client, sent);
                });
            }
            if talker.has_all() {
                break;
            }
        }
        // The others' news matter only where they may be what is waited for.
        let waits = !all_here || stopped || talker.diary.sent - talker.diary.acknowledged >= window;
        tokio::select! {
            event = session.next() => match event {
                Some(event) => talker.hear(event),
                None => talker.odd("the connection was given up".to_owned()),
            },
            _ = changes.changed(), if waits => {}
        }
    }
    session.close().await;
    talker.diary
}

struct Talker {
    diary: Diary,
    room: RoomSoFar,
    board: Board,
    peers: usize,
}

/// How far each has got in the room.
#[derive(Debug, Default)]
struct RoomSoFar {
    last: HashMap<u64, u64>,
    counts: HashMap<u64, u64>,
}

impl Talker {
    /// Everything that it sent was acknowledged and came back, and what the others sent came too.
    fn has_all(&self) -> bool {
        let diary = &self.diary;
        if diary.acknowledged < diary.sent || (diary.echoes.len() as u64) < diary.sent {
            return false;
        }
        let standing = self.board.0.borrow();
        standing.totals.len() == self.peers
            && standing
                .clients
                .iter()
                .all(|(alias, client)| standing.totals[client] <= self.room.counts.get(alias).copied().unwrap_or(0))
    }

    fn hear(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Message(payload) => self.on_message(payload),
            SessionEvent::Notice(notice) => self.on_notice(&notice),
            SessionEvent::Session(event) => self.on_session(event),
            other => self.odd(format!("{other:?}")),
        }
    }

    fn on_message(&mut self, payload: Payload) {
        match Said::of(&payload) {
            Some(Said::You(alias)) => {
                let client = self.diary.client;
                self.diary.alias = alias;
                self.board.note(|standing| {
                    standing.clients.insert(alias, client);
                });
            }
            Some(Said::Echo(bytes)) => {
                let before = self.diary.echoes.last().copied().unwrap_or(0);
                match words::number(self.diary.client, before, &bytes) {
                    Some(number) => self.diary.echoes.push(number),
                    None => self.odd(format!("after echo {before}: {} bytes that nobody sent", bytes.len())),
                }
                self.board.note(|standing| standing.echoes += 1);
            }
            Some(Said::Room(alias, bytes)) => self.on_room(alias, &bytes),
            Some(Said::Tick(process, number)) => self.diary.room.push(InRoom::Tick { process, number }),
            Some(Said::Ended(alias)) => self.diary.room.push(InRoom::Ended { alias }),
            None => self.odd(format!("no words: {payload:?}")),
        }
    }

    fn on_room(&mut self, alias: u64, bytes: &[u8]) {
        let Some(client) = self.board.0.borrow().clients.get(&alias).copied() else {
            return self.odd(format!("in the room: {alias:016x}, whom nobody knows"));
        };
        let before = self.room.last.get(&alias).copied().unwrap_or(0);
        let Some(number) = words::number(client, before, bytes) else {
            return self.odd(format!("in the room, after {before} of client {client}: what nobody sent"));
        };
        self.room.last.insert(alias, number);
        *self.room.counts.entry(alias).or_default() += 1;
        self.diary.room.push(InRoom::Client { alias, number });
    }

    fn on_notice(&mut self, notice: &Notice) {
        match notice {
            Notice::Opened { .. } => self.diary.opened += 1,
            Notice::Lost { .. } => self.diary.drops += 1,
            Notice::AttemptFailed { .. } => self.diary.failed += 1,
            Notice::GaveUp { .. } => self.odd(format!("{notice:?}")),
            _ => {}
        }
    }

    fn on_session(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Started { .. } => self.diary.started += 1,
            ClientEvent::Resumed { .. } => self.diary.resumed += 1,
            ClientEvent::Delivered { up_to } => {
                // The n-th that it was given has the id n.
                let client = self.diary.client;
                self.diary.acknowledged = up_to.0;
                self.board.note(|standing| {
                    standing.acknowledged.insert(client, up_to.0);
                });
            }
            ClientEvent::Lost(lost) => {
                self.odd(format!("a session lost: {}, {} in doubt", lost.reason, lost.in_doubt.len()));
                self.diary.losses.push(lost);
            }
            other => self.odd(format!("{other:?}")),
        }
    }

    fn odd(&mut self, what: String) {
        self.board.note(|standing| standing.failed = true);
        self.diary.oddities.push(format!("client {}: {what}", self.diary.client));
    }
}
