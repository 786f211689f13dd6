//! A client as its story sees it.

use std::mem::take;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use redial::trace::Trace;
use redial::{Cause, HoldReason, Input, Notice, Phase};

use super::task::{Order, Over, Report, Settings, Tape, Task};
use super::{PATIENCE, now};

/// A client that goes from report to report: after each it stands still until the story wants to see the next.
///
/// Orders wait until then.
#[derive(Debug)]
pub(super) struct Client {
    reports: Receiver<Report>,
    orders: Sender<Vec<Order>>,
    over: Arc<Over>,
    tape: Tape,
    /// It stands still.
    waits: bool,
    to_do: Vec<Order>,
    seen: Vec<Report>,
}

impl Client {
    pub(super) fn new(settings: Settings, tape: Tape) -> (Self, Task) {
        let (report, reports) = mpsc::channel();
        let (order, orders) = mpsc::channel();
        let over = Arc::new(Over::default());
        let task = Task { settings, tape: tape.clone(), reports: report, orders, over: Arc::clone(&over) };
        let client = Self { reports, orders: order, over, tape, waits: false, to_do: Vec::new(), seen: Vec::new() };
        (client, task)
    }

    pub(super) fn send(&mut self, text: impl Into<String>) {
        self.to_do.push(Order::Send(text.into()));
    }

    pub(super) fn stop(&mut self) {
        self.to_do.push(Order::Tell(Input::Stop));
    }

    pub(super) fn reconnect(&mut self) {
        self.to_do.push(Order::Tell(Input::Reconnect));
    }

    pub(super) fn hold(&mut self, reason: HoldReason) {
        self.to_do.push(Order::Tell(Input::Hold { reason }));
    }

    pub(super) fn release(&mut self, reason: HoldReason) {
        self.to_do.push(Order::Tell(Input::Release { reason }));
    }

    /// Until a connection is open.
    pub(super) fn opened(&mut self) {
        self.notice("opened", |notice| matches!(notice, Notice::Opened { .. }).then_some(()));
    }

    pub(super) fn stable(&mut self) {
        self.notice("stable", |notice| matches!(notice, Notice::Stable { .. }).then_some(()));
    }

    /// Until the open connection is lost.
    pub(super) fn lost(&mut self) -> Cause {
        self.notice("lost", |notice| if let Notice::Lost { cause, .. } = notice { Some(cause) } else { None })
    }

    /// Until a dial has failed.
    pub(super) fn failed(&mut self) -> Cause {
        self.notice(
            "attemptFailed",
            |notice| {
                if let Notice::AttemptFailed { cause, .. } = notice { Some(cause) } else { None }
            },
        )
    }

    /// Until a ping was answered.
    #[cfg(unix)]
    pub(super) fn health_check(&mut self) {
        self.notice("healthCheck", |notice| matches!(notice, Notice::HealthCheck { .. }).then_some(()));
    }

    pub(super) fn phase(&mut self, phase: Phase) {
        self.notice(phase.as_str(), |notice| matches!(notice, Notice::Phase { to, .. } if to == phase).then_some(()));
    }

    /// The next text from the server.
    pub(super) fn text(&mut self) -> String {
        self.until("text", |report| if let Report::Text(text) = report { Some(text.clone()) } else { None })
    }

    /// Lets it come to its end, and back.
    pub(super) fn end(&mut self) {
        let until = now() + PATIENCE;
        while let Some(report) = self.next(until) {
            assert!(!matches!(report, Report::Text(_)), "nothing was to be said any more; {}", self.last_reports());
        }
    }

    /// What was recorded so far.
    pub(super) fn trace(&self) -> Trace {
        Trace::parse(&self.tape.text()).expect("a recording is a trace")
    }

    fn notice<T>(&mut self, what: &str, mut pick: impl FnMut(Notice) -> Option<T>) -> T {
        self.until(what, |report| if let Report::Notice(notice) = report { pick(*notice) } else { None })
    }

    fn until<T>(&mut self, what: &str, mut pick: impl FnMut(&Report) -> Option<T>) -> T {
        let until = now() + PATIENCE;
        while let Some(report) = self.next(until) {
            if let Some(picked) = pick(&report) {
                return picked;
            }
        }
        panic!("the client ended before: {what}; {}", self.last_reports())
    }

    /// Lets it go on to its next report; `None` if it has come to its end.
    fn next(&mut self, until: Instant) -> Option<Report> {
        if take(&mut self.waits) {
            // One that has returned does not hear it.
            let _ = self.orders.send(take(&mut self.to_do));
        }
        match self.reports.recv_timeout(until.saturating_duration_since(now())) {
            Ok(report) => {
                self.waits = true;
                self.seen.push(report.clone());
                assert!(!matches!(report, Report::Trouble(_)), "trouble; {}", self.last_reports());
                Some(report)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("not within {PATIENCE:?}; {}", self.last_reports()),
        }
    }

    fn last_reports(&self) -> String {
        const ENOUGH: usize = 10;
        let first = self.seen.len().saturating_sub(ENOUGH);
        let lines: Vec<_> = self.seen[first..].iter().map(|report| format!("\n    {report:?}")).collect();
        format!("the last of {} reports:{}", self.seen.len(), lines.concat())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.over.set();
    }
}
