//! What is done to the network, and how long: until the client has noticed, and until it has got over it.

use std::future::pending;
use std::time::Duration;

use redial::{Notice, Quality};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::timeout;

use super::outage::{Outage, SLOW_JITTER_MS, SLOW_MS};
use super::server::Restart;
use crate::chaos::{Command, Control, Direction};
use crate::failure::Failure;

/// Breaks the network and the server, and mends them again. It looks only at the client's notices: no step of it is a
/// blind sleep.
#[derive(Debug)]
pub(super) struct Director {
    pub(super) network: Control,
    pub(super) restart: Restart,
    pub(super) notices: UnboundedReceiver<Notice>,
    pub(super) cues: UnboundedSender<Cue>,
}

/// What the director is about to do, or has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cue {
    /// Something is about to break; outages are numbered from 1.
    Breaks { number: u32, outage: Outage },
    /// It has been mended.
    Mended { outage: Outage },
}

/// Many times what any outage takes, on a slow computer too.
const PATIENCE: Duration = Duration::from_secs(30);

impl Director {
    /// Goes through so many outages.
    pub(super) async fn play(mut self, outages: u32) -> Result<(), Failure> {
        within("the first connection", self.opened_and_calm()).await?;
        for (number, outage) in (1..=outages).zip(Outage::ALL.into_iter().cycle()) {
            self.cue(Cue::Breaks { number, outage });
            within(&format!("outage {number} ({})", outage.as_str()), self.stage(outage)).await?;
        }
        Ok(())
    }

    async fn stage(&mut self, outage: Outage) -> Result<(), Failure> {
        // What the client has told already is no answer to what comes.
        while self.notices.try_recv().is_ok() {}
        match outage {
            Outage::Refused => {
                self.tell(Command::Refuse(true)).await?;
                self.tell(Command::Drop).await?;
                self.failures(2).await;
                self.mend(outage).await?;
            }
            Outage::Reset => self.tell(Command::Reset).await?,
            Outage::BlackHole => {
                self.tell(Command::Blackhole { on: true, direction: Direction::Both }).await?;
                self.lost().await;
                // The proxy still holds what the dead connection had sent and would deliver it late. On a real network the
                // client's kernel would have stopped sending it again when the client let go of that connection.
                self.tell(Command::Reset).await?;
                self.failures(1).await;
                self.mend(outage).await?;
            }
            Outage::AcceptThenDrop => {
                self.tell(Command::AcceptThenDrop(true)).await?;
                self.tell(Command::Drop).await?;
                // Enough for the dial budget to be felt, which is there for such servers.
                self.failures(4).await;
                self.mend(outage).await?;
            }
            Outage::SlowLink => {
                self.tell(Command::Delay { delay_ms: SLOW_MS, jitter_ms: SLOW_JITTER_MS }).await?;
                self.graded(is_bad).await;
                self.mend(outage).await?;
                self.graded(|quality| !is_bad(quality)).await;
                // No connection need have been lost.
                return Ok(());
            }
            Outage::Restart => self.restart.ring(),
        }
        self.opened_and_calm().await
    }

    async fn tell(&self, command: Command) -> Result<(), Failure> {
        let reply = self.network.apply(command).await;
        reply.map(|_| ()).map_err(|error| Failure::check(format_args!("the faulty network: {error}")))
    }

    async fn mend(&mut self, outage: Outage) -> Result<(), Failure> {
        self.tell(Command::Heal).await?;
        self.cue(Cue::Mended { outage });
        Ok(())
    }

    /// Waits for so many failed dials.
    async fn failures(&mut self, dials: usize) {
        for _ in 0..dials {
            self.until(|notice| matches!(notice, Notice::AttemptFailed { .. })).await;
        }
    }

    async fn lost(&mut self) {
        self.until(|notice| matches!(notice, Notice::Lost { .. })).await;
    }

    /// Waits for a pong after which the grade is such.
    async fn graded(&mut self, such: impl Fn(Quality) -> bool) {
        self.until(|notice| matches!(notice, Notice::HealthCheck { quality, .. } if such(*quality))).await;
    }

    /// Waits until a new connection is stable, and for one more pong: a breath between two outages.
    async fn opened_and_calm(&mut self) -> Result<(), Failure> {
        self.until(|notice| matches!(notice, Notice::Opened { .. })).await;
        self.until(|notice| matches!(notice, Notice::Stable { .. })).await;
        self.graded(|_| true).await;
        Ok(())
    }

    async fn until(&mut self, seen: impl Fn(&Notice) -> bool) {
        loop {
            match self.notices.recv().await {
                Some(notice) if seen(&notice) => return,
                Some(_) => {}
                // The client has ended, and whoever waits for this will see that.
                None => pending().await,
            }
        }
    }

    fn cue(&self, cue: Cue) {
        // If nobody listens, nobody waits for this either.
        let _ = self.cues.send(cue);
    }
}

const fn is_bad(quality: Quality) -> bool {
    match quality {
        Quality::Poor | Quality::Disconnected => true,
        Quality::Excellent | Quality::Good => false,
    }
}

async fn within(what: &str, work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| Err(Failure::check(format_args!("{what} was not over after {} s", PATIENCE.as_secs()))))
}
