//! The connector: from a dial to an open connection.

use crate::addresses::{connect_any, connect_host};
use crate::classify;
use crate::runtime::Runtime;
use crate::socket::Socket;
use crate::target::Target;
use crate::tls::{Transport, Trust};
use crate::upgrade::upgrade;
use futures_util::future::BoxFuture;
use redial::{Cause, Dial, NetworkDetail, PingId};
use redial_driver::{Connect, Kind};
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tungstenite::http::HeaderName;
use tungstenite::http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Bytes, Error, Message};

/// Dials WebSockets. Made by [`WebSocketBuilder::connector`](crate::WebSocketBuilder::connector); of a running connection,
/// it is `connector_mut()`.
///
/// A dial asks the [resolver](crate::WebSocketBuilder::resolver) for the list of endpoints and completes its
/// [target](crate::WebSocketBuilder::per_dial), if told to, resolves the name, tries its addresses, shakes hands over TLS for
/// `wss`, and asks for the upgrade. The policy's `connectTimeout` bounds all of it together. Redirects are not followed.
///
/// A name's addresses are tried as RFC 8305 says: IPv6 and IPv4 in turn, a next one as soon as one fails or has not answered
/// for 250 ms. The first that answers is taken. So an address, or a whole family, that swallows every packet costs a quarter
/// of a second. It is the connection that counts: one that opens and then says nothing is not tried against the others. The
/// names themselves are looked up in one question to the system, which waits for both families' answers.
pub struct WebSocketConnector<N> {
    plan: Arc<Plan>,
    runtime: PhantomData<fn() -> N>,
}

/// Changes the list of endpoints before a dial.
pub(crate) type Resolve =
    Box<Mutex<dyn FnMut(Dial, Vec<Target>) -> BoxFuture<'static, Result<Vec<Target>, Cause>> + Send>>;
/// Completes a target before a dial.
pub(crate) type Ask = Box<Mutex<dyn FnMut(Dial, Target) -> BoxFuture<'static, Result<Target, Cause>> + Send>>;

/// What all dials share.
pub(crate) struct Plan {
    /// One for each endpoint, never empty.
    pub(crate) targets: Mutex<Vec<Target>>,
    pub(crate) resolve: Option<Resolve>,
    pub(crate) ask: Option<Ask>,
    pub(crate) socket: WebSocketConfig,
    pub(crate) nodelay: bool,
    pub(crate) trust: Trust,
    /// The subprotocol of the connection that opened last.
    pub(crate) chosen: Mutex<Option<Box<str>>>,
    /// Where a server has sent us: for one dial.
    pub(crate) redirect: Mutex<Option<String>>,
}

impl<N> WebSocketConnector<N> {
    pub(crate) fn new(plan: Plan) -> Self {
        Self { plan: Arc::new(plan), runtime: PhantomData }
    }

    /// The subprotocol that the server chose for the connection that opened last; `None` if it chose none.
    #[must_use]
    pub fn subprotocol(&self) -> Option<String> {
        lock(&self.plan.chosen).as_deref().map(str::to_owned)
    }

    /// For the next dial, and for no other, this URL takes the place of its endpoint's, headers and subprotocols stay.
    pub(crate) fn set_redirect(&self, url: &str) {
        *lock(&self.plan.redirect) = Some(url.to_owned());
    }

    /// The list of endpoints as it is now.
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        lock(&self.plan.targets).clone()
    }
}

impl<N: Runtime> Connect for WebSocketConnector<N> {
    type Message = Message;
    type Error = Error;
    type Connection = Socket<N::Tcp>;
    type Connecting = BoxFuture<'static, Result<Socket<N::Tcp>, Cause>>;

    fn connect(&mut self, dial: Dial) -> Self::Connecting {
        let plan = Arc::clone(&self.plan);
        Box::pin(async move { plan.dial::<N>(dial).await })
    }

    fn endpoints(&self) -> NonZeroU32 {
        u32::try_from(lock(&self.plan.targets).len()).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
    }

    #[inline]
    fn inspect(&self, message: &Message) -> Kind {
        match message {
            Message::Text(_) | Message::Binary(_) => Kind::Data,
            Message::Pong(payload) => answered(payload).map_or(Kind::Control, Kind::Pong),
            Message::Ping(_) | Message::Frame(_) => Kind::Control,
            Message::Close(frame) => Kind::Close(classify::closed(frame.as_ref())),
        }
    }

    fn ping(&self, ping: PingId) -> Option<Message> {
        let payload = [PING_MARK, &ping.0.to_be_bytes()[..]].concat();
        Some(Message::Ping(Bytes::from(payload)))
    }

    fn size(&self, message: &Message) -> usize {
        message.len()
    }

    fn failure(&self, error: &Error) -> Cause {
        classify::failure(error)
    }
}

/// Before the ping's id in its payload, so that nobody else's pong is taken for an answer to ours. A server may send pongs
/// that were never asked for (RFC 6455, section 5.5.3).
const PING_MARK: &[u8] = b"redial";

fn answered(payload: &[u8]) -> Option<PingId> {
    let id = payload.strip_prefix(PING_MARK)?;
    Some(PingId(u64::from_be_bytes(id.try_into().ok()?)))
}

impl Plan {
    async fn dial<N: Runtime>(&self, dial: Dial) -> Result<Socket<N::Tcp>, Cause> {
        let target = self.target(dial).await?;
        let tcp = match &target.addresses {
            None => connect_host::<N>(target.host(), target.port(), self.nodelay).await?,
            Some(addresses) => connect_any::<N>(addresses.to_vec(), self.nodelay).await?,
        };
        let transport = match target.secure {
            true => Transport::secure(tcp, target.host(), &self.trust).await?,
            false => Transport::Plain(tcp),
        };
        let socket = upgrade(transport, &target, self.socket).await?;
        *lock(&self.chosen) = socket.subprotocol().map(Box::from);
        Ok(socket)
    }

    /// Where this dial goes.
    async fn target(&self, dial: Dial) -> Result<Target, Cause> {
        if let Some(resolve) = &self.resolve {
            let known = lock(&self.targets).clone();
            let answer = lock(resolve)(dial, known);
            let targets = answer.await?;
            if targets.is_empty() {
                return Err(Cause::network(NetworkDetail::Dns));
            }
            *lock(&self.targets) = targets;
        }
        let target = {
            let targets = lock(&self.targets);
            // The list may have become shorter since this endpoint was chosen.
            let index = (dial.endpoint as usize).checked_rem(targets.len()).unwrap_or(0);
            targets.get(index).cloned().ok_or(Cause::Protocol)?
        };
        let target = match lock(&self.redirect).take() {
            None => target,
            Some(url) => redirected(target, &url),
        };
        let Some(ask) = &self.ask else { return Ok(target) };
        let answer = lock(ask)(dial, target);
        answer.await
    }
}

/// The target at another URL. One that makes no sense is ignored, and so is one that would give up TLS. What the server says must
/// not lead its client's credentials into the open, nor to another host: there `per_dial` gives what is meant for it.
fn redirected(target: Target, url: &str) -> Target {
    const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];
    match target.clone().url(url) {
        Ok(mut other) if other.secure || !target.secure => {
            if other.authority != target.authority {
                other.headers.retain(|(name, _)| !CREDENTIALS.contains(name));
            }
            other
        }
        Ok(_) | Err(_) => target,
    }
}

/// Nothing that runs under these locks leaves anything half changed.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<N> fmt::Debug for WebSocketConnector<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketConnector").field("targets", &self.targets()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_gives_up_neither_tls_nor_credentials() {
        let secure = Target::parse("wss://chat.example/ws").unwrap();
        let secure = secure.header("authorization", "Bearer 1").unwrap().header("x-client", "1").unwrap();
        let other = redirected(secure.clone(), "wss://other.example/ws");
        assert_eq!(format!("{other:?}"), r#"Target { url: "wss://other.example/ws", headers: ["x-client"] }"#);
        let same = redirected(secure.clone(), "wss://chat.example/other");
        let expected = r#"Target { url: "wss://chat.example/other", headers: ["authorization", "x-client"] }"#;
        assert_eq!(format!("{same:?}"), expected);
        for refused in ["ws://other.example/ws", "http://other.example/", "wss://", ""] {
            assert_eq!(format!("{:?}", redirected(secure.clone(), refused)), format!("{secure:?}"), "{refused}");
        }
        let open = Target::parse("ws://chat.example/ws").unwrap();
        assert_eq!(redirected(open, "ws://other.example/ws").host(), "other.example");
    }

    #[test]
    fn a_foreign_pong_is_no_answer() {
        let ours = [PING_MARK, &7_u64.to_be_bytes()[..]].concat();
        assert_eq!(answered(&ours), Some(PingId(7)));
        assert_eq!(answered(&7_u64.to_be_bytes()), None);
        assert_eq!(answered(&ours[..10]), None);
        assert_eq!(answered(b""), None);
    }
}
