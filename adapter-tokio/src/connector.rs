//! The connector: from a dial to an open connection.

use crate::classify;
use crate::socket::Socket;
use crate::target::Target;
use crate::tls::{Transport, Trust};
use crate::upgrade::upgrade;
use futures_util::future::BoxFuture;
use redial::{Cause, Dial, NetworkDetail, PingId};
use redial_driver::{Connect, Kind};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::{TcpStream, lookup_host};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Bytes, Error, Message};

/// Dials WebSockets. Made by [`WebSocketBuilder::connector`](crate::WebSocketBuilder::connector); of a running connection,
/// it is `connector_mut()`.
///
/// A dial resolves the name, tries its addresses one after the other, shakes hands over TLS for `wss`, and asks for the
/// upgrade. The policy's `connectTimeout` bounds all of it together. Redirects are not followed.
///
/// An endpoint's first dial begins with the name's first address, in the system's order, and each later dial with the next
/// one: an address that never answers takes the whole `connectTimeout`, but only of every so many dials.
pub struct WebSocketConnector {
    /// One for each endpoint, never empty.
    pub(crate) targets: Vec<Target>,
    /// How often each endpoint was dialled. All dials together would not do: two endpoints in turn, of two addresses each,
    /// would see the same one every time.
    pub(crate) dials: Vec<usize>,
    pub(crate) ask: Option<Ask>,
    pub(crate) settings: Arc<Settings>,
}

/// Completes a target before each dial.
pub(crate) type Ask = Box<dyn FnMut(Dial, Target) -> BoxFuture<'static, Result<Target, Cause>> + Send>;

/// What all dials share.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) socket: WebSocketConfig,
    pub(crate) nodelay: bool,
    pub(crate) trust: Trust,
    /// The subprotocol of the connection that opened last.
    pub(crate) chosen: Mutex<Option<String>>,
}

impl WebSocketConnector {
    /// The subprotocol that the server chose for the connection that opened last; `None` if it chose none.
    #[must_use]
    pub fn subprotocol(&self) -> Option<String> {
        self.settings.chosen().clone()
    }

    /// How often this endpoint was dialled before.
    fn next_turn(&mut self, endpoint: u32) -> usize {
        self.dials.get_mut(endpoint as usize).map_or(0, |dials| {
            let turn = *dials;
            *dials = dials.wrapping_add(1);
            turn
        })
    }
}

impl Connect for WebSocketConnector {
    type Message = Message;
    type Error = Error;
    type Connection = Socket;
    type Connecting = BoxFuture<'static, Result<Socket, Cause>>;

    fn connect(&mut self, dial: Dial) -> Self::Connecting {
        let settings = Arc::clone(&self.settings);
        let Some(target) = self.targets.get(dial.endpoint as usize).cloned() else {
            return Box::pin(std::future::ready(Err(Cause::Protocol))); // no driver dials an endpoint that is not there
        };
        let turn = self.next_turn(dial.endpoint);
        match &mut self.ask {
            Some(ask) => {
                let target = ask(dial, target);
                Box::pin(async move { settings.dial(&target.await?, turn).await })
            }
            None => Box::pin(async move { settings.dial(&target, turn).await }),
        }
    }

    fn endpoints(&self) -> NonZeroU32 {
        u32::try_from(self.targets.len()).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
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

impl Settings {
    async fn dial(&self, target: &Target, turn: usize) -> Result<Socket, Cause> {
        let tcp = connect_tcp(target.host(), target.port(), turn).await?;
        if self.nodelay {
            tcp.set_nodelay(true).map_err(|error| classify::dial_failure(&error))?;
        }
        let transport = match target.secure {
            true => Transport::secure(tcp, target.host(), &self.trust).await?,
            false => Transport::Plain(tcp),
        };
        let socket = upgrade(transport, target, self.socket).await?;
        *self.chosen() = socket.subprotocol().map(str::to_owned);
        Ok(socket)
    }

    fn chosen(&self) -> MutexGuard<'_, Option<String>> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resolving is a step of its own, so that "dns" is certain. The last address's failure is the dial's.
async fn connect_tcp(host: &str, port: u16, turn: usize) -> Result<TcpStream, Cause> {
    const UNRESOLVED: Cause = Cause::network(NetworkDetail::Dns);
    let addresses = lookup_host((host, port)).await.map_err(|_| UNRESOLVED)?;
    let mut failure = UNRESOLVED;
    for address in in_turn(addresses.collect(), turn) {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = classify::dial_failure(&error),
        }
    }
    Err(failure)
}

/// All of them, in order and round, from this turn's one on.
fn in_turn<T>(mut all: Vec<T>, turn: usize) -> Vec<T> {
    let first = turn.checked_rem(all.len()).unwrap_or(0);
    all.rotate_left(first);
    all
}

impl fmt::Debug for WebSocketConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketConnector").field("targets", &self.targets).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WebSocket;

    #[tokio::test]
    async fn a_socket_has_nodelay_and_a_small_read_buffer_unless_told_otherwise() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let dial = Dial { connection: redial::ConnectionId(1), endpoint: 0, attempt: 0, fresh_credentials: false };
        let plain = WebSocket::builder(&url);
        let told = WebSocket::builder(&url).nodelay(false).socket(|socket| socket.read_buffer_size(4096));
        for (builder, expected) in [(plain, (true, 14 * 1024)), (told, (false, 4096))] {
            let mut connector = builder.connector().unwrap();
            let (socket, server) = tokio::join!(connector.connect(dial), async {
                tokio_tungstenite::accept_async(listener.accept().await.unwrap().0).await
            });
            assert!(server.is_ok());
            assert_eq!(socket.unwrap().tcp_nodelay_and_read_buffer(), expected);
        }
    }

    #[test]
    fn each_dial_begins_with_the_next_address() {
        let orders = [0, 1, 2, 3, usize::MAX].map(|turn| in_turn(vec!["a", "b", "c"], turn).concat());
        assert_eq!(orders, ["abc", "bca", "cab", "abc", "abc"]);
        assert_eq!(in_turn(vec!["a"], 7), ["a"]);
        assert_eq!(in_turn(Vec::<u8>::new(), 7), [0; 0]);
    }

    #[test]
    fn each_endpoint_has_turns_of_its_own() {
        let builder = WebSocket::builder("ws://a.example").endpoint("ws://b.example");
        let mut connector = builder.connector().unwrap();
        assert_eq!([0, 1, 0, 1, 1].map(|endpoint| connector.next_turn(endpoint)), [0, 0, 1, 1, 2]);
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
