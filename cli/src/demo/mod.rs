//! `redial demo`: a server, a faulty network and a client in one process, and an account of what became of the messages.

mod account;
mod client;
mod outage;
mod pace;
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
use crate::chaos::{Command, Control, Proxy};
use crate::failure::Failure;
use crate::signals::Signals;
use account::{Account, Sides};
use client::{Client, News};
use pace::Pace;
use script::{Cue, Director};
use server::Server;
use show::Show;

/// Runs the demo to its end, or until Ctrl-C, and checks the account.
pub(crate) async fn run(args: &DemoArgs, seed: u64) -> Result<(), Failure> {
    let server = Server::start(args.messages).await.map_err(|error| on_loopback(&error))?;
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let proxy = Proxy::bind(any_port, server.address()).map_err(|error| on_loopback(&error))?;
    let url = format!("ws://{}/ws/chat/", proxy.local_addr());
    let clock = TokioClock::new();
    let client = Client::new(&url, clock, seed)?;

    let (notices, heard) = unbounded_channel();
    let (cues, cued) = unbounded_channel();
    let director = Director { network: proxy.control(), restart: server.restart(), notices: heard, cues };
    let control = proxy.control();
    let mut network = JoinSet::new();
    network.spawn(proxy.run());

    let show = Show::new(args.json, url);
    let (messages, outages) = (args.messages, args.outages);
    let mut stage = Stage { client, show, clock, notices, control, messages, outages, begun: 0 };
    stage.show.begins(clock.now(), seed, messages)?;
    let outcome = stage.run(director.play(outages), cued).await;
    let (ended, given_back) = stage.end().await;

    network.shutdown().await;
    let arrivals = server.finish().await?;
    let (client, stats) = (&stage.client, stage.client.stats());
    let sides = Sides { sent: client.sent(), given_back, arrivals: &arrivals, answers: client.answers() };
    let account = Account::new(&sides, stage.begun, &stats);
    stage.show.account(&account, &sides, &stats)?;
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
    control: Control,
    messages: u32,
    outages: u32,
    /// Outages that have begun.
    begun: u32,
}

/// How often the client looks whether messages are due.
const TICK: Duration = Duration::from_millis(5);

/// For how long, once the network is good, nothing may be answered while something is to be.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same for whoever wants to go.
const HASTE: Duration = Duration::from_secs(2);

impl Stage {
    /// Until the play is over and every message was answered.
    async fn run(
        &mut self,
        play: impl Future<Output = Result<(), Failure>>,
        mut cues: UnboundedReceiver<Cue>,
    ) -> Result<(), Failure> {
        let mut play = pin!(play);
        let mut signals = Signals::new()?;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // Before the first connection there is a share too: it waits in the outbox.
        let mut pace = self.share(Duration::from_millis(500));
        let (mut playing, mut progress, mut interrupted) = (true, Instant::now(), false);
        while playing || !self.client.is_settled() || (!interrupted && self.client.sent() < self.messages) {
            let due = pace.due(self.clock.now());
            let patience = if interrupted { HASTE } else { PATIENCE };
            tokio::select! {
                // A cue comes before what follows from it.
                biased;
                result = &mut play, if playing => {
                    result?;
                    (playing, progress) = (false, Instant::now());
                    pace = Pace::all(self.messages);
                    let left = self.messages.saturating_sub(self.client.sent());
                    self.show.all_over(self.clock.now(), left)?;
                }
                Some(cue) = cues.recv(), if playing => {
                    if let Some(next) = self.on_cue(cue)? {
                        pace = next;
                    }
                }
                result = signals.next() => {
                    result?;
                    if interrupted {
                        return Ok(());
                    }
                    (playing, progress, interrupted) = (false, Instant::now(), true);
                    pace = self.on_interrupt().await?;
                }
                _ = ticks.tick() => {}
                () = sleep_until(progress + patience), if !playing => {
                    if interrupted {
                        return Ok(());
                    }
                    let problem = format!("no message was answered for {} s", PATIENCE.as_secs());
                    return Err(Failure::check(problem));
                }
                news = self.client.next(due) => match news {
                    Some(news) => for news in news {
                        if matches!(news, News::Answered) {
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

    /// Ends session and connection. Gives how many messages nobody has acknowledged by then: they are taken back.
    async fn end(&mut self) -> (Result<(), Failure>, u32) {
        // More than the driver gives the close handshake.
        const PATIENCE: Duration = Duration::from_secs(5);
        let given_back = self.client.take_back();
        let rest = async {
            self.client.end().await;
            while let Some(news) = self.client.next(0).await {
                for news in news {
                    self.on_news(news)?;
                }
            }
            Ok(())
        };
        let ended = timeout(PATIENCE, rest).await;
        (ended.unwrap_or_else(|_| Err(Failure::check("the connection does not close"))), given_back)
    }

    /// Nothing more is broken or sent, and what was sent gets a chance to arrive.
    async fn on_interrupt(&mut self) -> Result<Pace, Failure> {
        self.show.interrupted(self.clock.now())?;
        // The network may be gone; then there is little to wait for.
        let _ = self.control.apply(Command::Heal).await;
        self.client.hurry();
        Ok(Pace::all(self.client.sent()))
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
        Pace::new(self.client.sent(), self.messages, parts, self.clock.now(), over)
    }

    fn on_news(&mut self, news: News) -> Result<(), Failure> {
        match news {
            News::Notice(at, notice) => {
                self.show.notice(at, &notice)?;
                // The director may have finished.
                let _ = self.notices.send(notice);
            }
            News::Session(at, event) => self.show.session(at, &event)?,
            News::Waited(messages) => self.show.waited(self.clock.now(), messages)?,
            News::Answered => {}
        }
        Ok(())
    }
}
