//! `redial demo`: a server, a faulty network and a client in one process, and an account of what became of the messages.

mod account;
mod client;
mod ledger;
mod outage;
mod script;
mod server;
mod show;

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use redial::Notice;
use redial_tokio::{Clock, TokioClock};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::args::DemoArgs;
use crate::chaos::Proxy;
use crate::failure::Failure;
use account::Account;
use client::{Client, News};
use ledger::Pace;
use script::{Cue, Director};
use server::Server;
use show::Show;

/// Runs the demo to its end, or until Ctrl-C, and checks the account.
pub(crate) async fn run(args: &DemoArgs, seed: u64) -> Result<(), Failure> {
    let server = Server::start().await.map_err(|error| on_loopback(&error))?;
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let proxy = Proxy::bind(any_port, server.address()).map_err(|error| on_loopback(&error))?;
    let url = format!("ws://{}/", proxy.local_addr());
    let clock = TokioClock::new();
    let client = Client::new(&url, clock, seed)?;

    let (notices, heard) = unbounded_channel();
    let (cues, cued) = unbounded_channel();
    let director = Director { network: proxy.control(), restart: server.restart(), notices: heard, cues };
    let mut network = JoinSet::new();
    network.spawn(proxy.run());

    let show = Show::new(args.json, url);
    let mut stage = Stage { client, show, clock, notices, messages: args.messages, outages: args.outages, begun: 0 };
    stage.show.begins(clock.now(), seed, args.messages)?;
    let outcome = stage.run(director.play(args.outages), cued).await;
    let ended = stage.end().await;

    // Whatever became of the connections, the server reads what it has got of them, and then knows all.
    network.shutdown().await;
    let arrivals = server.finish().await;
    let (stats, begun) = (stage.client.stats(), stage.begun);
    let (unsent, ledger) = stage.client.close_ledger();
    let account = Account::new(ledger, &arrivals, begun, &stats);
    stage.show.account(&account, unsent, &stats)?;
    outcome.and(ended)?;
    account.check()
}

fn on_loopback(error: &std::io::Error) -> Failure {
    Failure::check(format_args!("no port of 127.0.0.1 to listen on: {error}"))
}

/// The client, and all that happens to it.
struct Stage {
    client: Client,
    show: Show,
    clock: TokioClock,
    notices: UnboundedSender<Notice>,
    messages: u32,
    outages: u32,
    /// Outages that have begun.
    begun: u32,
}

/// How often the client looks whether messages are due.
const TICK: Duration = Duration::from_millis(5);

/// For how long, once the network is good, nothing may be acknowledged while something is to be.
const PATIENCE: Duration = Duration::from_secs(10);

impl Stage {
    /// Until the play is over and every message was acknowledged or reported.
    async fn run(
        &mut self,
        play: impl Future<Output = Result<(), Failure>>,
        mut cues: UnboundedReceiver<Cue>,
    ) -> Result<(), Failure> {
        let mut play = pin!(play);
        let mut interrupt = pin!(tokio::signal::ctrl_c());
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // Before the first connection there is a share too: it waits in the outbox.
        let mut pace = self.share(Duration::from_millis(500));
        let (mut playing, mut progress) = (true, Instant::now());
        while playing || self.client.ledger().sent() < self.messages || !self.client.ledger().is_settled() {
            let due = pace.due(self.clock.now());
            tokio::select! {
                // A cue comes before what follows from it.
                biased;
                result = &mut play, if playing => {
                    result?;
                    (playing, progress) = (false, Instant::now());
                    pace = Pace::all(self.messages);
                    let left = self.messages.saturating_sub(self.client.ledger().sent());
                    self.show.all_over(self.clock.now(), left)?;
                }
                Some(cue) = cues.recv() => {
                    if let Some(next) = self.on_cue(cue)? {
                        pace = next;
                    }
                }
                result = &mut interrupt => {
                    result?;
                    self.show.interrupted(self.clock.now())?;
                    return Ok(());
                }
                _ = ticks.tick() => {}
                () = sleep_until(progress + PATIENCE), if !playing => {
                    let problem = format!("no message was acknowledged for {} s", PATIENCE.as_secs());
                    return Err(Failure::check(problem));
                }
                news = self.client.next(due) => match news {
                    Some(news) => for news in news {
                        if matches!(news, News::Acknowledged) {
                            progress = Instant::now();
                        }
                        self.on_news(news)?;
                    },
                    None => return Err(Failure::check("the client has ended before its time")),
                }
            }
        }
        Ok(())
    }

    /// Closes the connection.
    async fn end(&mut self) -> Result<(), Failure> {
        // More than the driver gives the close handshake.
        const PATIENCE: Duration = Duration::from_secs(5);
        self.client.stop();
        let rest = async {
            while let Some(news) = self.client.next(0).await {
                for news in news {
                    self.on_news(news)?;
                }
            }
            Ok(())
        };
        timeout(PATIENCE, rest).await.unwrap_or_else(|_| Err(Failure::check("the connection does not close")))
    }

    fn on_cue(&mut self, cue: Cue) -> Result<Option<Pace>, Failure> {
        let now = self.clock.now();
        match cue {
            Cue::Breaks { number, outage } => {
                self.show.breaks(now, number, self.outages, outage)?;
                let pace = self.share(outage.usual());
                self.begun = number;
                Ok(Some(pace))
            }
            Cue::Mended { outage } => {
                self.show.mended(now, outage)?;
                Ok(None)
            }
        }
    }

    /// The messages that are left are shared among the outages to come.
    fn share(&self, over: Duration) -> Pace {
        let parts = self.outages.saturating_sub(self.begun).saturating_add(1);
        Pace::new(self.client.ledger().sent(), self.messages, parts, self.clock.now(), over)
    }

    fn on_news(&mut self, news: News) -> Result<(), Failure> {
        match news {
            News::Notice(at, notice) => {
                self.show.notice(at, &notice)?;
                // The director may have finished.
                let _ = self.notices.send(notice);
            }
            News::InDoubt(numbers) => self.show.in_doubt(self.clock.now(), &numbers)?,
            News::Waited(messages) => self.show.waited(self.clock.now(), messages)?,
            News::Acknowledged => {}
        }
        Ok(())
    }
}
