//! What a client sees: a connection, its latency, a session, and whether it can be resumed.

use futures_util::StreamExt;
use redial::{Micros, Notice, Policy, Quality};
use redial_tokio::{ClientEvent, SavedSession, Session, SessionConfig, SessionEvent, WebSocket};
use tokio::time::Instant;

use super::Headers;
use crate::failure::Failure;

/// So many answers make a latency.
const PINGS: usize = 5;
/// Between two of them.
const PING_INTERVAL: Micros = Micros::from_millis(20);

/// What was seen. As it goes: what comes late is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    pub(super) opened_after: Option<Micros>,
    pub(super) pings: usize,
    pub(super) latency: Option<Micros>,
    pub(super) quality: Option<Quality>,
    /// Why there is no connection, or no longer, or no latency.
    pub(super) problem: Option<String>,
    pub(super) speaks: Option<Speaks>,
    pub(super) resumed_after: Option<Micros>,
    pub(super) resume_problem: Option<String>,
    resuming: bool,
}

/// What the server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaks {
    Session { ttl: Micros },
    Plain,
}

impl Seen {
    /// The time was over before all was seen.
    pub(super) fn ran_out(&mut self, late: &str) {
        self.fail(late.to_owned());
    }

    fn fail(&mut self, problem: String) {
        if self.resuming {
            self.resume_problem = Some(problem);
        } else {
            self.problem = Some(problem);
        }
    }

    /// Notes what is the same in both connections. True when there is no more to come.
    fn on_notice(&mut self, notice: &Notice) -> bool {
        let (Notice::AttemptFailed { cause, .. } | Notice::Lost { cause, .. } | Notice::GaveUp { cause, .. }) = notice
        else {
            return false;
        };
        self.fail(cause.to_string());
        true
    }
}

/// How to look.
pub(super) struct Look {
    url: String,
    headers: Headers,
    policy: Policy,
    first: Session,
}

impl Look {
    /// # Errors
    /// What is wrong with URL or headers.
    pub(super) fn new(url: &str, headers: &Headers, timeout: u32) -> Result<Self, Failure> {
        let timeout = Micros::from_secs(timeout.into());
        // One dial, and pings as soon as it is open.
        let policy = Policy::builder()
            .max_attempts(Some(0))
            .connect_timeout(timeout)
            .ready_timeout(timeout)
            .health_check_interval(Some(PING_INTERVAL))
            .ping_timeout(timeout)
            .build()
            .map_err(Failure::check)?;
        let first = dial(url, headers, &policy, None)?;
        Ok(Self { url: url.to_owned(), headers: headers.clone(), policy, first })
    }

    pub(super) async fn see(mut self, seen: &mut Seen) {
        connect(&mut self.first, seen).await;
        if seen.problem.is_some() {
            return;
        }
        let Some(saved) = self.first.save() else {
            self.first.close().await;
            return;
        };
        seen.resuming = true;
        // Without a word: it is to look as a broken network does.
        drop(self.first);
        match dial(&self.url, &self.headers, &self.policy, Some(saved)) {
            Ok(mut second) => {
                resume(&mut second, seen).await;
                second.end().await;
            }
            Err(_) => seen.fail("it can't be dialled again".to_owned()),
        }
    }
}

fn dial(url: &str, headers: &Headers, policy: &Policy, saved: Option<SavedSession>) -> Result<Session, Failure> {
    let builder = WebSocket::builder(url).policy(policy.clone());
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
    builder.session(SessionConfig { saved, ..SessionConfig::default() }).map_err(Failure::usage)
}

/// Until there is a latency.
#[allow(clippy::wildcard_enum_match_arm)] // little matters
async fn connect(session: &mut Session, seen: &mut Seen) {
    let began = Instant::now();
    while let Some(event) = session.next().await {
        match event {
            SessionEvent::Session(ClientEvent::Started { ttl }) => seen.speaks = Some(Speaks::Session { ttl }),
            SessionEvent::Session(ClientEvent::Plain) => seen.speaks = Some(Speaks::Plain),
            SessionEvent::Notice(Notice::Opened { .. }) => seen.opened_after = Some(began.elapsed().into()),
            SessionEvent::Notice(Notice::HealthCheck { smoothed, quality, .. }) => {
                seen.pings += 1;
                seen.latency = Some(smoothed);
                seen.quality = Some(quality);
                if seen.pings >= PINGS {
                    return;
                }
            }
            SessionEvent::Notice(notice) if seen.on_notice(&notice) => return,
            _ => {}
        }
    }
}

/// Until it is clear whether the session goes on.
#[allow(clippy::wildcard_enum_match_arm)] // little matters
async fn resume(session: &mut Session, seen: &mut Seen) {
    let began = Instant::now();
    while let Some(event) = session.next().await {
        match event {
            SessionEvent::Session(ClientEvent::Resumed { .. }) => {
                seen.resumed_after = Some(began.elapsed().into());
                seen.resuming = false;
            }
            // Only now the server can be told that it may forget the session.
            SessionEvent::Notice(Notice::Opened { .. }) => return,
            SessionEvent::Session(ClientEvent::Lost(lost)) => return seen.fail(lost.reason.to_string()),
            SessionEvent::Notice(notice) if seen.on_notice(&notice) => return,
            _ => {}
        }
    }
}
