//! The connector: from a dial to an open connection.

use crate::clock::WasmClock;
use crate::error::SocketError;
use crate::heartbeat::Heartbeat;
use crate::hints::Hints;
use crate::message::Message;
use crate::socket::{Socket, Wire};
use crate::target::Target;
use futures_util::future::LocalBoxFuture;
use redial::{Cause, Dial, NetworkDetail, PingId};
use redial_driver::{Connect, Kind};
use redial_session::{Frame, SUBPROTOCOL};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::num::NonZeroU32;
use std::rc::{Rc, Weak};

/// Dials WebSockets. Made by [`WebSocketBuilder::connector`](crate::WebSocketBuilder::connector); of a running connection,
/// it is `connector_mut()`.
///
/// A dial asks the [resolver](crate::WebSocketBuilder::resolver) for the list of endpoints and completes its
/// [target](crate::WebSocketBuilder::per_dial), if told to; the rest is the browser's. The policy's `connectTimeout` bounds
/// all of it together.
pub struct WebSocketConnector {
    plan: Rc<Plan>,
}

/// Changes the list of endpoints before a dial.
pub(crate) type Resolve = Box<dyn FnMut(Dial, Vec<Target>) -> LocalBoxFuture<'static, Result<Vec<Target>, Cause>>>;
/// Completes a target before a dial.
pub(crate) type Ask = Box<dyn FnMut(Dial, Target) -> LocalBoxFuture<'static, Result<Target, Cause>>>;

/// What all dials share.
pub(crate) struct Plan {
    /// One for each endpoint, never empty.
    targets: RefCell<Vec<Target>>,
    resolve: Option<RefCell<Resolve>>,
    ask: Option<RefCell<Ask>>,
    heartbeat: Option<Heartbeat>,
    /// `redial.v1` is offered, which has pings of its own.
    offers_session: bool,
    /// The policy has health checks.
    checked: bool,
    /// The connection that opened last speaks it.
    has_session: Cell<bool>,
    /// The subprotocol of the connection that opened last.
    chosen: RefCell<Option<String>>,
    /// Where a server has sent us: for one dial.
    redirect: RefCell<Option<String>>,
    clock: WasmClock,
    /// The connection that was dialled last, unless it is gone.
    latest: RefCell<Weak<Wire>>,
    /// They live as long as the connection does.
    hints: RefCell<Option<Hints>>,
}

impl Plan {
    pub(crate) fn new(
        targets: Vec<Target>,
        resolve: Option<Resolve>,
        ask: Option<Ask>,
        heartbeat: Option<Heartbeat>,
        checked: bool,
        clock: WasmClock,
    ) -> Self {
        let offers_session = targets.iter().any(|target| target.subprotocols().iter().any(|name| name == SUBPROTOCOL));
        Self {
            targets: RefCell::new(targets),
            resolve: resolve.map(RefCell::new),
            ask: ask.map(RefCell::new),
            heartbeat,
            offers_session,
            checked,
            has_session: Cell::new(false),
            chosen: RefCell::default(),
            redirect: RefCell::default(),
            clock,
            latest: RefCell::default(),
            hints: RefCell::default(),
        }
    }

    pub(crate) fn listen(&self, hints: Hints) {
        *self.hints.borrow_mut() = Some(hints);
    }

    /// The connection that is being dialled, or is open.
    pub(crate) fn latest(&self) -> Option<Rc<Wire>> {
        self.latest.borrow().upgrade()
    }

    async fn dial(&self, dial: Dial) -> Result<Socket, Cause> {
        let target = self.target(dial).await?;
        let socket = Socket::dial(&target, self.clock.clone())?;
        *self.latest.borrow_mut() = Rc::downgrade(socket.wire());
        poll_fn(|cx| socket.poll_open(cx)).await?;
        let chosen = socket.subprotocol();
        let has_session = chosen.as_deref() == Some(SUBPROTOCOL);
        if self.offers_session && !has_session && self.checked && self.heartbeat.is_none() {
            // It could not be asked whether it is alive, and would pass for dead.
            return Err(Cause::Protocol);
        }
        self.has_session.set(has_session);
        *self.chosen.borrow_mut() = chosen;
        Ok(socket)
    }

    /// Where this dial goes.
    async fn target(&self, dial: Dial) -> Result<Target, Cause> {
        if let Some(resolve) = &self.resolve {
            let known = self.targets.borrow().clone();
            let answer = (*resolve.borrow_mut())(dial, known);
            let targets = answer.await?;
            if targets.is_empty() {
                return Err(Cause::network(NetworkDetail::Dns));
            }
            *self.targets.borrow_mut() = targets;
        }
        let target = {
            let targets = self.targets.borrow();
            // The list may have become shorter since this endpoint was chosen.
            let index = (dial.endpoint as usize).checked_rem(targets.len()).unwrap_or(0);
            targets.get(index).cloned().ok_or(Cause::Protocol)?
        };
        let target = match self.redirect.take() {
            None => target,
            Some(url) => redirected(target, &url),
        };
        let Some(ask) = &self.ask else { return Ok(target) };
        let answer = (*ask.borrow_mut())(dial, target);
        answer.await
    }
}

impl WebSocketConnector {
    pub(crate) const fn new(plan: Rc<Plan>) -> Self {
        Self { plan }
    }

    /// The subprotocol that the server chose for the connection that opened last; `None` if it chose none.
    #[must_use]
    pub fn subprotocol(&self) -> Option<String> {
        self.plan.chosen.borrow().clone()
    }

    /// The list of endpoints as it is now.
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        self.plan.targets.borrow().clone()
    }

    /// For the next dial, and for no other, this URL takes the place of its endpoint's, subprotocols stay.
    pub(crate) fn set_redirect(&self, url: &str) {
        *self.plan.redirect.borrow_mut() = Some(url.to_owned());
    }
}

impl Connect for WebSocketConnector {
    type Message = Message;
    type Error = SocketError;
    type Connection = Socket;
    type Connecting = LocalBoxFuture<'static, Result<Socket, Cause>>;

    fn connect(&mut self, dial: Dial) -> Self::Connecting {
        let plan = Rc::clone(&self.plan);
        Box::pin(async move { plan.dial(dial).await })
    }

    fn endpoints(&self) -> NonZeroU32 {
        u32::try_from(self.plan.targets.borrow().len()).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
    }

    fn inspect(&self, message: &Message) -> Kind {
        let answered = match &self.plan.heartbeat {
            _ if self.plan.has_session.get() => pong(message),
            Some(heartbeat) => heartbeat.answered(message),
            None => None,
        };
        answered.map_or(Kind::Data, Kind::Pong)
    }

    /// A session has pings of its own; other servers are asked by the heartbeat, if there is one.
    fn ping(&self, ping: PingId) -> Option<Message> {
        if self.plan.has_session.get() || (self.plan.heartbeat.is_none() && self.plan.offers_session) {
            return Some(Message::Binary(Frame::Ping { id: ping.0 }.encode()));
        }
        self.plan.heartbeat.as_ref().map(|heartbeat| heartbeat.ask(ping))
    }

    fn size(&self, message: &Message) -> usize {
        message.len()
    }

    fn failure(&self, error: &SocketError) -> Cause {
        error.cause
    }
}

/// The ping that this frame answers, if it is such a frame.
fn pong(message: &Message) -> Option<PingId> {
    let Message::Binary(bytes) = message else { return None };
    if bytes.first() != Some(&Frame::Pong { id: 0 }.kind()) {
        return None;
    }
    match Frame::decode(bytes.clone()) {
        Ok(Frame::Pong { id }) => Some(PingId(id)),
        // The session says what is wrong with it.
        _ => None,
    }
}

/// The target at another URL. One that makes no sense is ignored, and so is one that would give up TLS: what a server says must
/// not lead its client into the open.
fn redirected(target: Target, url: &str) -> Target {
    match target.clone().url(url) {
        Ok(other) if other.is_secure() || !target.is_secure() => other,
        Ok(_) | Err(_) => target,
    }
}

impl fmt::Debug for WebSocketConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketConnector").field("targets", &self.plan.targets.borrow()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn only_a_pong_frame_answers_a_ping() {
        let of = |frame: Frame| Message::Binary(frame.encode());
        assert_eq!(pong(&of(Frame::Pong { id: 7 })), Some(PingId(7)));
        assert_eq!(pong(&of(Frame::Pong { id: 1 << 40 })), Some(PingId(1 << 40)));
        assert_eq!(pong(&of(Frame::Ping { id: 7 })), None);
        assert_eq!(pong(&Message::Binary(Bytes::new())), None);
        assert_eq!(pong(&Message::text("pong")), None);
        let cut = Frame::Pong { id: 1 << 40 }.encode();
        assert_eq!(pong(&Message::Binary(cut.slice(..2))), None);
    }
}
