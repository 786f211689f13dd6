//! What a user of the crate brings: what messages mean.

use std::future::Future;
use std::pin::Pin;

use redial_session::Payload;
use redial_session::SessionId;

use crate::store::{Effect, Ended};

/// What messages mean: the part that a user of this crate writes.
///
/// It answers with [effects](Effect), which the store commits together with the message's number: all of them or none, and
/// once, however often the client has to send the message again. So `on_message` itself **may be called more than once**
/// for one message, here or in another process: what it does besides its answer happens at least once.
///
/// Messages of one session come one after the other, in order; those of several sessions at the same time. The next
/// messages of the session wait while `on_message` does.
///
/// A closure is an application, too:
///
/// ```
/// use redial_server::{Application, Effect, Payload, SessionInfo};
///
/// fn serves(_: impl Application) {}
/// serves(|_: &SessionInfo, payload: Payload| vec![Effect::Reply(payload)]);
/// ```
pub trait Application: Send + Sync + 'static {
    /// A session's client has sent this.
    fn on_message(&self, session: &SessionInfo, payload: Payload) -> impl Future<Output = Vec<Effect>> + Send;

    /// A session has begun. What this brings about is in the outbox before the client hears of the session.
    fn on_start(&self, session: &SessionInfo) -> impl Future<Output = Vec<Effect>> + Send {
        let _ = session;
        async { Vec::new() }
    }

    /// A session has ended: its client said so, or did not come back in time. It is in no room any more, so only
    /// [`Effect::Broadcast`] does something. One process is told, once; not at all
    /// if that process dies just then, or the store's answer is lost. What this brings about is tried once: it is lost if the
    /// store fails just then.
    fn on_end(&self, ended: &Ended) -> impl Future<Output = Vec<Effect>> + Send {
        let _ = ended;
        async { Vec::new() }
    }
}

/// Whose message it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The session. To be shown to nobody; for [`Sessions::apply`](crate::Sessions::apply).
    pub id: SessionId,
    /// By what others may know it.
    pub alias: u64,
    /// Who the bearer check says it is.
    pub user: Option<String>,
}

impl<F> Application for F
where
    F: Fn(&SessionInfo, Payload) -> Vec<Effect> + Send + Sync + 'static,
{
    async fn on_message(&self, session: &SessionInfo, payload: Payload) -> Vec<Effect> {
        self(session, payload)
    }
}

pub(crate) type Effects<'a> = Pin<Box<dyn Future<Output = Vec<Effect>> + Send + 'a>>;

/// An application whose type nobody has to name, so that [`Sessions`](crate::Sessions) has no parameter.
pub(crate) trait AnyApplication: Send + Sync + 'static {
    fn message<'a>(&'a self, session: &'a SessionInfo, payload: Payload) -> Effects<'a>;
    fn start<'a>(&'a self, session: &'a SessionInfo) -> Effects<'a>;
    fn end<'a>(&'a self, ended: &'a Ended) -> Effects<'a>;
}

impl<A: Application> AnyApplication for A {
    fn message<'a>(&'a self, session: &'a SessionInfo, payload: Payload) -> Effects<'a> {
        Box::pin(self.on_message(session, payload))
    }

    fn start<'a>(&'a self, session: &'a SessionInfo) -> Effects<'a> {
        Box::pin(self.on_start(session))
    }

    fn end<'a>(&'a self, ended: &'a Ended) -> Effects<'a> {
        Box::pin(self.on_end(ended))
    }
}
