//! A connection that has its session: from the welcome to the end.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use redial::{Micros, Timestamp};
use redial_session::{FromClient, Server};

use super::alarm::Alarm;
use super::commit::commit;
use super::finish::Finish;
use super::inbox::Inbox;
use super::outlet::Outlet;
use super::pace::{Pace, Silence};
use super::socket::{Came, Socket};
use crate::admission::bucket::{Bucket, Rate};
use crate::application::SessionInfo;
use crate::hub::{Hub, Stage};
use crate::refusal::Refusal;
use crate::registry::Registered;
use crate::store::Lease;

/// So many turns in a row, and then others have theirs.
const TURNS: usize = 32;
/// So many frames in a turn.
const FRAMES: usize = 64;
/// How long the messages of a client that is gone may take to be committed.
const REST_TIMEOUT: Micros = Micros::from_secs(5);

/// A connection and its session. Nothing in it waits for anything else in it: the client is heard while the store is
/// waited for, and the outbox is read while the client takes its time.
pub(super) struct Connection {
    hub: Arc<Hub>,
    socket: Socket,
    server: Server,
    session: Arc<SessionInfo>,
    lease: Lease,
    registered: Registered,
    inbox: Inbox,
    outlet: Outlet,
    pace: Pace,
    alarm: Alarm,
    rate: Option<Rate>,
    bucket: Bucket,
    /// How it ends once the inbox is empty, and when it ends at the latest. Nothing is read any more.
    ending: Option<(Finish, Timestamp)>,
}

/// What is left of a connection that has ended.
pub(super) struct Rest {
    pub(super) socket: Socket,
    pub(super) lease: Lease,
    pub(super) acknowledged: u64,
}

impl Connection {
    pub(super) fn new(hub: Arc<Hub>, socket: Socket, server: Server, session: SessionInfo, lease: Lease) -> Self {
        const SECOND: u64 = 1_000_000;
        let now = hub.clock.now();
        let burst = hub.limits.message_burst;
        Self {
            socket,
            session: Arc::new(session),
            lease,
            registered: hub.registry.add(lease),
            inbox: Inbox::default(),
            outlet: Outlet::new(lease, server.acknowledged(), hub.access.store.settings()),
            pace: Pace::new(&hub.limits, now),
            alarm: Alarm::new(hub.clock),
            rate: hub.limits.messages_per_second.map(|count| Rate::new(count, SECOND, burst)),
            bucket: Bucket::FULL,
            ending: None,
            server,
            hub,
        }
    }

    /// Runs it to its end.
    pub(super) async fn run(&mut self) -> Finish {
        self.look_at_stage();
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Finish> {
        self.registered.listen(cx.waker());
        for _ in 0..TURNS {
            match self.turn(cx) {
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
                Err(finish) => return Poll::Ready(finish),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Does what can be done now; `false` if there was nothing but waiting.
    fn turn(&mut self, cx: &mut Context<'_>) -> Result<bool, Finish> {
        let now = self.hub.clock.now();
        if self.registered.take_news() {
            self.outlet.news = true;
            self.look_at_stage();
        }
        let mut progress = self.read_frames(cx, now)?;
        progress |= self.commit(cx, now)?;
        progress |= self.deliver(cx, now)?;
        progress |= self.write(cx, now);
        if let Some((finish, latest)) = self.ending {
            if self.inbox.is_empty() || now >= latest {
                return Err(finish);
            }
        }
        match self.pace.check(now) {
            Silence::Short => {}
            Silence::Ping(id) => {
                self.server.ping(id);
                progress = true;
            }
            Silence::Long => return Err(Finish::Cut(Refusal::Silent)),
        }
        if self.too_long_blocked(now) {
            return Err(Finish::Cut(Refusal::NotReading));
        }
        progress |= self.alarm.poll(cx, self.hub.clock, self.deadline()).is_ready();
        Ok(progress)
    }

    fn read_frames(&mut self, cx: &mut Context<'_>, now: Timestamp) -> Result<bool, Finish> {
        for count in 0..FRAMES {
            if !self.listens() {
                // Who isn't listened to can't be blamed for silence.
                self.pace.heard(now);
                return Ok(count > 0);
            }
            let frame = match self.socket.poll_read(cx) {
                Poll::Pending => return Ok(count > 0),
                Poll::Ready(Ok(Came::Life)) => {
                    self.pace.heard(now);
                    continue;
                }
                Poll::Ready(Ok(Came::Frame(frame))) => frame,
                // What has come whole is committed all the same.
                Poll::Ready(Err(finish @ Finish::Left)) => {
                    self.end_with(finish, now.saturating_add(REST_TIMEOUT));
                    return Ok(true);
                }
                Poll::Ready(Err(finish)) => return Err(finish),
            };
            self.pace.heard(now);
            self.on_frame(frame, now)?;
        }
        Ok(true)
    }

    fn on_frame(&mut self, frame: Bytes, now: Timestamp) -> Result<(), Finish> {
        match self.server.receive(frame)? {
            FromClient::Message { number, payload } => {
                if payload.len() > self.hub.limits.message_bytes {
                    return Err(Finish::Refused(Refusal::MessageTooLong));
                }
                if self.rate.is_some_and(|rate| self.bucket.take(rate, now).is_err()) {
                    return Err(Finish::Refused(Refusal::MessagesTooFast));
                }
                self.inbox.push(number, payload);
            }
            FromClient::End => self.end_with(Finish::Done, now.saturating_add(REST_TIMEOUT)),
            FromClient::Pong(_) | FromClient::Nothing => {}
        }
        Ok(())
    }

    fn commit(&mut self, cx: &mut Context<'_>, now: Timestamp) -> Result<bool, Finish> {
        let mut progress = false;
        if let Poll::Ready(outcome) = self.inbox.poll(cx) {
            let done = outcome?;
            self.server.committed(now, done.last);
            if done.answers > 0 {
                self.outlet.on_answers(done.answers, done.answer_bytes);
            }
            progress = true;
        }
        // Where nothing is read, no acknowledgement could come.
        if self.inbox.is_waiting() && (!self.listens() || self.outlet.valve.is_open(now)) {
            let room = self.outlet.valve.batch();
            if let Some(batch) = self.inbox.take(room.0) {
                let (hub, session) = (Arc::clone(&self.hub), Arc::clone(&self.session));
                self.inbox.begin(commit(hub, session, self.lease, batch, room));
                progress = true;
            }
        }
        Ok(progress)
    }

    /// Whether it reads what the client sends: not if too much of it waits already.
    fn listens(&self) -> bool {
        self.ending.is_none() && self.inbox.bytes() < self.hub.limits.pending_bytes
    }

    fn deliver(&mut self, cx: &mut Context<'_>, now: Timestamp) -> Result<bool, Finish> {
        let mut progress = false;
        let access = &self.hub.access;
        let window = self.hub.limits.send_ahead_bytes;
        if let Poll::Ready(count) = self.outlet.poll_read(cx, access, &mut self.server, window) {
            self.hub.metrics.messages_out.inc_by(count? as u64);
            progress = true;
        }
        if let Poll::Ready(outcome) = self.outlet.poll_forget(cx, now, access, self.server.acknowledged()) {
            outcome?;
            progress = true;
        }
        Ok(progress)
    }

    /// Writes what the client takes. What was written has made room for more.
    fn write(&mut self, cx: &mut Context<'_>, now: Timestamp) -> bool {
        if self.is_left() {
            return false;
        }
        let server = &mut self.server;
        let mut written = false;
        let next = || {
            let frame = server.transmit(now);
            written |= frame.is_some();
            frame
        };
        if let Poll::Ready(Err(finish)) = self.socket.poll_write(cx, now, next) {
            self.end_with(finish, now.saturating_add(REST_TIMEOUT));
        }
        written
    }

    fn look_at_stage(&mut self) {
        let stage = self.hub.stage.borrow().clone();
        match stage {
            Stage::Serving => {}
            // Each piece of news leads here: it is told once.
            Stage::Draining(_) if self.ending.is_some() => {}
            Stage::Draining(advice) => {
                self.server.going_away(advice);
                let latest = self.hub.clock.now().saturating_add(self.hub.limits.drain_timeout.into());
                self.end_with(Finish::Drained, latest);
            }
            Stage::Cut => self.ending = Some((Finish::Cut(Refusal::Draining), Timestamp::ZERO)),
        }
    }

    fn end_with(&mut self, finish: Finish, latest: Timestamp) {
        match self.ending {
            // There is nobody any more who could be told anything else.
            Some(_) if finish == Finish::Left => self.ending = Some((finish, latest)),
            Some(_) => {}
            None => self.ending = Some((finish, latest)),
        }
    }

    /// Whether nobody is there any more to write to.
    fn is_left(&self) -> bool {
        self.ending.is_some_and(|(finish, _)| finish == Finish::Left)
    }

    fn too_long_blocked(&self, now: Timestamp) -> bool {
        self.blocked_until().is_some_and(|until| until <= now)
    }

    fn blocked_until(&self) -> Option<Timestamp> {
        let timeout = Micros::from(self.hub.limits.send_timeout);
        self.socket.blocked_since().map(|since| since.saturating_add(timeout))
    }

    fn deadline(&self) -> Timestamp {
        // What is to be written waits for the client, while it takes nothing.
        let write = self.blocked_until().or_else(|| if self.is_left() { None } else { self.server.deadline() });
        let valve = if self.inbox.is_waiting() { self.outlet.valve.deadline() } else { None };
        let ending = self.ending.map(|(_, latest)| latest);
        [write, self.outlet.deadline(), valve, ending].into_iter().flatten().fold(self.pace.deadline(), Timestamp::min)
    }

    /// The frames that are still to be written when it ends so.
    pub(super) fn last_frames(&mut self, finish: Finish) -> Vec<Bytes> {
        let now = self.hub.clock.now();
        if let Some(reason) = finish.end() {
            self.server.end(reason);
        }
        self.server.acknowledge_now();
        std::iter::from_fn(|| self.server.transmit(now)).collect()
    }

    /// What is left: everything under way is given up.
    pub(super) fn into_rest(self) -> Rest {
        Rest { socket: self.socket, lease: self.lease, acknowledged: self.server.acknowledged() }
    }
}
