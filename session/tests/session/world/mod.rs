//! A client, servers that may die, their store, and a link between them that does what it likes. Every step is watched.

mod link;
mod moves;
mod server_side;
mod watch;

use std::collections::VecDeque;

use bytes::Bytes;
use redial::{Micros, Timestamp};
use redial_session::{Client, ClientConfig, Frame, FromServer, Payload, Transmit};

pub(crate) use moves::{Focus, Move, Setup, moves, setup};
pub(crate) use watch::Counts;

use link::Link;
use server_side::ServerSide;
use watch::Watch;

/// More frames at a time than any scenario has.
const ENDLESS: usize = 10_000;

pub(crate) struct World {
    now: Timestamp,
    setup: Setup,
    client: Client,
    link: Link,
    servers: ServerSide,
    watch: Watch,
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        Self {
            now: Timestamp::ZERO,
            client: Client::new(setup.client),
            link: Link::default(),
            servers: ServerSide::new(setup),
            watch: Watch::new(setup),
            setup,
        }
    }

    pub(crate) fn play(mut self, moves: Vec<Move>) -> Counts {
        for one in moves {
            self.play_one(one);
            self.after_a_move();
        }
        self.come_to_rest();
        self.watch.counts
    }

    fn play_one(&mut self, one: Move) {
        match one {
            Move::Send { length, binary, deadline } => self.send(length, binary, deadline),
            Move::Push { length } => self.servers.push(length),
            Move::Wait(millis) => self.now = self.now.saturating_add(Micros::from_millis(millis)),
            Move::Connect => self.connect(),
            Move::Meet => {
                self.connect();
                self.client_writes(1);
                self.server_reads(1);
                self.server_writes(1);
                self.client_reads(1);
            }
            Move::Exchange(times) => {
                for _ in 0..times {
                    self.client_writes(usize::MAX);
                    self.server_reads(usize::MAX);
                    self.servers.commit(self.now, 2);
                    self.server_writes(usize::MAX);
                    self.client_reads(usize::MAX);
                }
            }
            Move::ConnectPlain => self.connect_plain(),
            Move::Cut => self.cut(),
            Move::Hang => self.hang(),
            Move::ClientWrites(most) => self.client_writes(most),
            Move::ServerWrites(most) => self.server_writes(most),
            Move::ToServer(most) => self.server_reads(most),
            Move::ToClient(most) => self.client_reads(most),
            Move::Lose { to_server, index } => {
                self.write_some(to_server);
                self.link.lose(to_server, index);
            }
            Move::Repeat { to_server, index } => {
                self.write_some(to_server);
                self.link.repeat(to_server, index);
            }
            Move::Commit(most) => self.servers.commit(self.now, most),
            Move::Crash => {
                self.servers.crash();
                self.client_is_cut();
            }
            Move::Forget => self.servers.forget(),
            Move::HalfForget => {
                self.servers.half_forget();
                self.client_is_cut();
            }
            Move::ClientPings(id) => self.client.ping(id),
            Move::ServerPings(id) => self.servers.ping(id),
            Move::ClientEnds => self.client.end(),
            Move::ServerEnds(reason) => self.servers.end(reason),
            Move::GoesAway => self.servers.go_away(),
            Move::SaveAndRestore => self.save_and_restore(),
        }
    }

    fn send(&mut self, length: usize, binary: bool, deadline: Option<u64>) {
        let serial = self.watch.next_serial();
        let payload = numbered(serial, length, binary);
        let deadline = deadline.map(|millis| self.now.saturating_add(Micros::from_millis(millis)));
        let room = self.client.has_room();
        if deadline.is_none() {
            self.sends_now_or_later(&payload);
        }
        match self.client.send(self.now, payload.clone(), deadline) {
            Ok(id) => self.watch.on_sent(id, serial, payload, deadline),
            Err(error) => {
                assert_eq!(error.payload, payload, "what is rejected comes back");
                assert!(!room || payload.len() > 1, "has-room: rejected all the same");
            }
        }
    }

    /// What is sent now is what would be sent and transmitted; what is not, has something in its way.
    fn sends_now_or_later(&self, payload: &Payload) {
        let (mut at_once, mut in_turn) = (self.client.clone(), self.client.clone());
        let sent = in_turn.send(self.now, payload.clone(), None);
        let next = in_turn.transmit(self.now);
        match at_once.send_now(payload.clone()) {
            Ok((id, frame)) => {
                assert_eq!((sent, next), (Ok(id), Some(Transmit::Frame(frame))), "send-now: as in turn");
                assert_eq!(format!("{at_once:?}"), format!("{in_turn:?}"), "send-now: the same client");
            }
            Err(back) => {
                assert_eq!(back, *payload, "what does not pass comes back");
                assert_eq!(format!("{at_once:?}"), format!("{:?}", self.client), "send-now: nothing happened");
                let wrote_all = |client: &Client| client.in_flight() == client.pending();
                let wrote_it =
                    matches!(next, Some(Transmit::Frame(frame)) if is_message(&frame)) && wrote_all(&in_turn);
                assert!(sent.is_err() || !(wrote_all(&self.client) && wrote_it), "send-now: nothing was in its way");
            }
        }
    }

    fn connect(&mut self) {
        self.link.clear();
        self.link.up = true;
        self.servers.accept();
        self.client.connected();
        self.events();
        self.watch.on_connected();
    }

    fn connect_plain(&mut self) {
        self.link.clear();
        self.servers.hang_up();
        self.client.plain();
        self.watch.on_connected();
    }

    /// Both sides know.
    fn cut(&mut self) {
        self.servers.hang_up();
        self.client_is_cut();
    }

    /// The server does not know.
    fn hang(&mut self) {
        self.client_is_cut();
    }

    fn client_is_cut(&mut self) {
        self.link.clear();
        self.client.disconnected();
    }

    fn client_writes(&mut self, most: usize) {
        self.events();
        for count in 0..most {
            assert!(count < ENDLESS, "no-busy-loop: the client writes for ever");
            let wants = self.client.wants_to_transmit(self.now);
            let next = self.client.transmit(self.now);
            assert!(wants || next.is_none(), "says-what-it-wants: nothing, and transmits {next:?}");
            match next {
                Some(Transmit::Frame(frame)) => {
                    self.events();
                    self.watch.on_client_wrote(&frame);
                    self.link.to_server.push_back(frame);
                }
                Some(Transmit::Plain(payload)) => self.watch.on_plain(&payload),
                None => {
                    // The driver would arm its timer now.
                    self.client.timeout(self.now);
                    let at = self.client.deadline();
                    assert!(at.is_none_or(|at| at > self.now), "no-busy-loop: the client's {at:?} at {:?}", self.now);
                    break;
                }
            }
        }
    }

    fn write_some(&mut self, to_server: bool) {
        if to_server { self.client_writes(3) } else { self.server_writes(3) }
    }

    fn server_writes(&mut self, most: usize) {
        for count in 0..most {
            assert!(count < ENDLESS, "no-busy-loop: the server writes for ever");
            match self.servers.write(self.now) {
                Some(frame) if self.link.up => self.link.to_client.push_back(frame),
                Some(_) => {} // to nobody
                None => break,
            }
        }
    }

    fn server_reads(&mut self, most: usize) {
        for _ in 0..most {
            let Some(frame) = self.link.to_server.pop_front() else { return };
            if let Err(error) = self.servers.read(frame) {
                assert!(self.link.hostile || self.servers.amnesia, "a-good-link-has-no-errors: the server: {error}");
                self.watch.counts.errors += 1;
                return self.cut();
            }
        }
    }

    fn client_reads(&mut self, most: usize) {
        for _ in 0..most {
            let Some(frame) = self.link.to_client.pop_front() else { return };
            match self.client.receive(self.now, frame) {
                Ok(FromServer::Message(payload)) => {
                    self.watch.on_got(&payload, &mut self.servers);
                    self.client.taken(self.now);
                }
                Ok(FromServer::Welcome) => self.watch.on_welcome(),
                Ok(FromServer::End(_) | FromServer::Stray) => {
                    self.events();
                    return self.cut();
                }
                Ok(FromServer::Pong(_) | FromServer::GoingAway(_) | FromServer::Nothing) => {}
                Err(error) => {
                    assert!(
                        self.link.hostile || self.servers.amnesia,
                        "a-good-link-has-no-errors: the client: {error}"
                    );
                    self.watch.counts.errors += 1;
                    return self.cut();
                }
            }
        }
    }

    /// Into another process: what was not sent yet goes along by hand.
    fn save_and_restore(&mut self) {
        self.events();
        let Some(saved) = self.client.save() else { return };
        let unsent: Vec<_> = self.client.take_pending().into_iter().skip(saved.in_flight.len()).collect();
        self.watch.counts.restored += 1;
        self.cut();
        self.client = Client::restore(self.setup.client, saved);
        self.watch.on_restored(&unsent);
        for message in unsent {
            let serial = serial(&message.payload);
            let id = self.client.send(self.now, message.payload.clone(), None).expect("it had room before");
            self.watch.on_sent(id, serial, message.payload, None);
        }
    }

    fn after_a_move(&mut self) {
        self.events();
        let ClientConfig { messages, bytes, .. } = self.setup.client;
        let (pending, size) = (self.client.pending(), self.client.pending_bytes());
        assert!(pending <= messages && size <= bytes, "outbox-bounds: {pending} messages, {size} bytes");
        assert!(self.client.in_flight() <= pending, "outbox-bounds: {} in flight", self.client.in_flight());
        self.servers.assert_queue_is_bounded();
        self.client.timeout(self.now);
        if !self.client.is_open() {
            let at = self.client.deadline();
            assert!(at.is_none_or(|at| at > self.now), "no-busy-loop: the client's {at:?}, without a connection");
        }
        self.events();
    }

    fn events(&mut self) {
        while let Some(event) = self.client.event() {
            self.watch.on_event(self.now, event, &self.servers);
        }
    }

    /// The link is good again and the server stays: everything comes through.
    fn come_to_rest(&mut self) {
        self.link.hostile = false;
        self.cut();
        for _ in 0..4 {
            self.connect();
            let (mut last, mut idle) = (self.watch.progress(&self.client), 0);
            while idle < 3 {
                self.client_writes(usize::MAX);
                self.server_reads(usize::MAX);
                self.servers.commit(self.now, usize::MAX);
                self.server_writes(usize::MAX);
                self.client_reads(usize::MAX);
                self.after_a_move();
                // Longer than acknowledgements are put off.
                self.now = self.now.saturating_add(Micros::from_secs(5));
                let progress = self.watch.progress(&self.client);
                idle = if progress == last { idle + 1 } else { 0 };
                last = progress;
            }
            if self.client.is_open() {
                break;
            }
            self.cut();
        }
        assert_eq!(self.client.pending(), 0, "everything-comes-out: the client keeps {:?}", self.client);
        self.servers.assert_all_was_got();
        self.watch.assert_each_has_its_fate();
        self.watch.counts.committed += self.servers.committed_count();
    }
}

fn is_message(frame: &Bytes) -> bool {
    matches!(Frame::decode(frame.clone()), Ok(Frame::Message { .. }))
}

/// A payload of so many bytes at least, that says which it is.
fn numbered(serial: u64, length: usize, binary: bool) -> Payload {
    let mut text = format!("{serial}.");
    text.extend(std::iter::repeat_n('x', length.saturating_sub(text.len())));
    if binary { Payload::binary(text) } else { Payload::text(text) }
}

fn serial(payload: &Payload) -> u64 {
    let text = std::str::from_utf8(payload.bytes()).expect("we made it");
    text.split_once('.').and_then(|(serial, _)| serial.parse().ok()).expect("we made it")
}

type Queue = VecDeque<Bytes>;
