//! The transport that the driver dials.

use std::mem::size_of_val;
use std::num::NonZeroU32;

use futures_core::Stream;
use futures_sink::Sink;
use redial::{Cause, Dial, PingId};

/// Opens connections of one transport, and knows what its messages mean.
///
/// A closure `FnMut(Dial) -> impl Future<Output = Result<Connection, Cause>>` is a connector with the defaults below: a
/// fresh URL, header or token for each dial is just code in it. It has no pings, so no health checks either.
///
/// ```
/// use redial::{Cause, Dial, NetworkDetail, Policy};
/// use redial_driver::Reconnecting;
/// use redial_driver::testing::{TestClock, TestConnection};
///
/// let connector = |dial: Dial| async move {
///     println!("dial {} of the outage, endpoint {}", dial.attempt, dial.endpoint);
///     Err::<TestConnection, Cause>(Cause::network(NetworkDetail::Refused))
/// };
/// let _connection = Reconnecting::builder(TestClock::new(), connector, Policy::chat(), 7).build();
/// ```
pub trait Connect {
    /// What is sent and received.
    type Message;
    /// The transport's own error.
    type Error;
    /// An open connection: both halves in one.
    type Connection: Stream<Item = Result<Self::Message, Self::Error>>
        + Sink<Self::Message, Error = Self::Error>
        + Unpin;
    /// A dial under way. Dropping it must give the dial up: that is how a dial is stopped, and how it times out.
    type Connecting: Future<Output = Result<Self::Connection, Cause>>;

    /// Dials. Called anew for each dial, so credentials can be new each time; `dial.fresh_credentials` says that the last
    /// ones were refused.
    fn connect(&mut self, dial: Dial) -> Self::Connecting;

    /// How many endpoints there are; asked when a driver is built, when a dial has ended and when a deadline has come. The list
    /// may change meanwhile, also during a dial: `dial.endpoint` is below what it said when the dial was chosen.
    fn endpoints(&self) -> NonZeroU32 {
        NonZeroU32::MIN
    }

    /// What a message that came is. Asked once for each, on the hot path.
    fn inspect(&self, message: &Self::Message) -> Kind {
        let _ = message;
        Kind::Data
    }

    /// The message that asks the peer for a pong; `None` if this transport has no pings.
    ///
    /// Asked once with a probe ([`PingId`] 0, never sent) when a driver is built: a transport without pings gets a policy
    /// without health checks, because a machine whose pings are never answered would take every connection for dead.
    fn ping(&self, ping: PingId) -> Option<Self::Message> {
        let _ = ping;
        None
    }

    /// The bytes that a message takes in the outbox.
    fn size(&self, message: &Self::Message) -> usize {
        size_of_val(message)
    }

    /// The cause that the transport's error stands for.
    fn failure(&self, error: &Self::Error) -> Cause {
        let _ = error;
        Cause::NETWORK
    }

    /// Ends a connection whose peer went silent, without a close handshake.
    fn abort(&self, connection: Self::Connection) {
        drop(connection);
    }
}

/// What a message is to the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// For the user.
    Data,
    /// The answer to the ping of this id. Not shown to the user.
    Pong(PingId),
    /// A sign of life and nothing more, such as the peer's ping. Not shown to the user.
    Control,
    /// The peer's close frame: the connection has ended for this cause. Not shown to the user.
    Close(Cause),
}

impl<F, Connecting, Connection, Message, Error> Connect for F
where
    F: FnMut(Dial) -> Connecting,
    Connecting: Future<Output = Result<Connection, Cause>>,
    Connection: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin,
{
    type Message = Message;
    type Error = Error;
    type Connection = Connection;
    type Connecting = Connecting;

    fn connect(&mut self, dial: Dial) -> Connecting {
        self(dial)
    }
}
