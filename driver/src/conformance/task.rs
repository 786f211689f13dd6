//! A scenario as its client sees it.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use event_listener::Event as Bell;
use futures_core::Stream;
use futures_util::SinkExt;
use redial::{Input, Micros, Notice, Policy};

use crate::clock::Clock;
use crate::connect::Connect;
use crate::event::Event;
use crate::reconnecting::Reconnecting;
use crate::recorder::Record;
use crate::trace_recorder::TraceRecorder;

/// One scenario for one client: where it is to connect and how, and the line on which it reports.
///
/// A client that returns drops its task, and with it the line: so the scenario knows that it has ended.
#[derive(Debug)]
pub struct Task {
    pub(super) settings: Settings,
    pub(super) tape: Tape,
    pub(super) reports: Sender<Report>,
    pub(super) orders: Receiver<Vec<Order>>,
    pub(super) over: Arc<Over>,
}

/// What a client is to be made of.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) urls: Vec<String>,
    pub(super) policy: Policy,
    pub(super) close_timeout: Micros,
    pub(super) root_pem: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) subprotocols: Vec<String>,
}

/// What a client reports.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Report {
    Notice(Notice),
    Text(String),
    /// What no client should ever do.
    Trouble(String),
}

/// What the scenario wants of its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Send this text: at once if a connection is open, else once one is, in order.
    Send(String),
    /// The user's will: `Stop`, `Reconnect`, `Hold` or `Release`. After `Stop` nothing more is sent, but what was ordered
    /// before goes out first; the client goes on until the close handshake is over.
    Tell(Input),
    /// The scenario has failed, and the client is to return at once.
    Leave,
}

impl Task {
    /// The endpoints, `ws://` or `wss://`, in the order of their numbers.
    #[must_use]
    pub fn urls(&self) -> &[String] {
        &self.settings.urls
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.settings.policy.clone()
    }

    /// The seed of the policy's draws.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        7
    }

    /// How long a close handshake may take.
    #[must_use]
    pub const fn close_timeout(&self) -> Micros {
        self.settings.close_timeout
    }

    /// The only certificate to be trusted, as PEM; given where a URL is `wss://`.
    #[must_use]
    pub fn root_pem(&self) -> Option<&str> {
        self.settings.root_pem.as_deref()
    }

    /// Headers, by name and value, for every upgrade.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.settings.headers
    }

    /// Subprotocols to be offered, in order.
    #[must_use]
    pub fn subprotocols(&self) -> &[String] {
        &self.settings.subprotocols
    }

    /// What must hear every step of the client's machine.
    #[must_use]
    pub fn recorder(&self) -> TraceRecorder<Tape> {
        TraceRecorder::new(self.tape())
    }

    /// Where the recording goes, for a client that writes its trace by itself.
    #[must_use]
    pub fn tape(&self) -> Tape {
        self.tape.clone()
    }

    /// Reports a notice, and waits for what the scenario wants. The waiting may block the thread.
    #[must_use]
    pub fn notice(&self, notice: Notice) -> Vec<Order> {
        self.report(Report::Notice(notice))
    }

    /// Reports a text that came from the server, and waits for what the scenario wants.
    #[must_use]
    pub fn text(&self, text: impl Into<String>) -> Vec<Order> {
        self.report(Report::Text(text.into()))
    }

    /// The scenario has failed, and the client is to return: for one that waits long without anything to report.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.is_set()
    }

    /// Drives a connection until the scenario is over.
    ///
    /// It must have been built with this task's [`policy`](Self::policy), [`seed`](Self::seed),
    /// [`close_timeout`](Self::close_timeout) and [`recorder`](Self::recorder). A message must show itself as its text
    /// ([`Display`](std::fmt::Display)), as tungstenite's does.
    pub async fn drive<K, C, R>(self, mut connection: Reconnecting<K, C, R>)
    where
        K: Clock,
        C: Connect,
        C::Message: From<String> + ToString,
        R: Record,
    {
        while let Some(event) = next(&mut connection, &self.over).await {
            let orders = match event {
                Event::Notice(notice) => self.notice(notice),
                Event::Message(message) => self.text(message.to_string()),
                Event::Dropped { message, reason } => {
                    self.report(Report::Trouble(format!("dropped {:?}: {reason:?}", message.to_string())))
                }
            };
            for order in orders {
                match order {
                    Order::Send(text) => {
                        if let Err(error) = SinkExt::feed(&mut connection, text.into()).await {
                            drop(self.report(Report::Trouble(format!("a message was not taken: {error}"))));
                        }
                    }
                    Order::Tell(input) => connection.shared.command(input),
                    Order::Leave => return,
                }
            }
        }
    }

    fn report(&self, report: Report) -> Vec<Order> {
        let answer = self.reports.send(report).ok().and_then(|()| self.orders.recv().ok());
        answer.unwrap_or_else(|| vec![Order::Leave])
    }
}

/// The next event; `None` once all is over.
async fn next<K, C, R>(connection: &mut Reconnecting<K, C, R>, over: &Over) -> Option<Event<C::Message>>
where
    K: Clock,
    C: Connect,
    R: Record,
{
    let mut leave = pin!(over.bell.listen());
    poll_fn(|cx| {
        if over.is_set() || leave.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut *connection).poll_next(cx)
    })
    .await
}

/// Tells a client that waits that its scenario has failed.
#[derive(Debug, Default)]
pub(super) struct Over {
    is_set: AtomicBool,
    bell: Bell,
}

impl Over {
    fn is_set(&self) -> bool {
        self.is_set.load(Ordering::SeqCst)
    }

    pub(super) fn set(&self) {
        self.is_set.store(true, Ordering::SeqCst);
        self.bell.notify(usize::MAX);
    }
}

/// Where a client's recording goes: a trace, each line in one call.
#[derive(Clone, Debug, Default)]
pub struct Tape(Arc<Mutex<Vec<u8>>>);

impl Tape {
    /// All that was written so far: whole lines.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
