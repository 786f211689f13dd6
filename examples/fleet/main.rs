//! A fleet in one process: 10,000 WebSocket clients share one dial budget, and their server, in a process of its own, is
//! killed and comes back. Nobody is left behind, and the server is not stormed.
//!
//! `cargo run --release -p redial-examples --bin fleet` runs to its end by itself; `-- 500` makes it 500 clients.

#![allow(clippy::wildcard_enum_match_arm)] // events are many and may become more: a reader takes what it needs

mod dials;
mod server;
mod ticker;

use dials::{Dials, burst_needed, busiest};
use redial_tokio::{DialBudget, Event, Message, Micros, Notice, Policy, Reconnecting, SharedBudget};
use redial_tokio::{SinkExt, StreamExt, WebSocket};
use server::Server;
use std::error::Error;
use std::time::Duration;
use ticker::Ticker;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// What this server can be asked for: 50 dials at once, 2000 a second.
const BUDGET: DialBudget = DialBudget { burst: 50, refill: Micros::from_micros(500) };

/// How long the clients wait for each other at most: many times what they need.
const PATIENCE: Duration = Duration::from_secs(60);

/// All in one thread, so the ticker sees how late a client's own timers may be.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Some(address) = server::is_this_process() {
        return server::run(&address).await;
    }
    let wanted = std::env::args().nth(1).map_or(Ok(10_000), |n| n.parse())?;
    let size = allowed(wanted)?;
    println!("{size} clients, one budget: {} dials at once, then one each {}", BUDGET.burst, BUDGET.refill);

    let mut server = Server::start("127.0.0.1:0").await?;
    let mut fleet = Fleet::new(size, &server.address)?;
    fleet.all_answered().await?;
    fleet.report(&mut server).await?;

    println!("-- the server is killed");
    let address = server.kill().await?;
    // A hundred dials in vain show that the budget counts these, too.
    fleet.until("all are lost and try again", |fleet| fleet.answered == 0 && fleet.in_vain >= 100).await?;
    println!("all are lost, {} dials were in vain", fleet.in_vain);

    println!("-- the server is back");
    let mut server = Server::start(&address).await?;
    fleet.all_answered().await?;
    fleet.report(&mut server).await
}

/// Each client needs a file descriptor.
fn allowed(wanted: u64) -> Result<u64, Box<dyn Error>> {
    const OTHERS: u64 = 100;
    let files = rlimit::increase_nofile_limit(wanted + OTHERS)?;
    let size = wanted.min(files.saturating_sub(OTHERS));
    if size < wanted {
        println!("{files} open files are allowed, too few for {wanted} clients: raise the hard limit (`ulimit -Hn`)");
    }
    Ok(size)
}

struct Fleet {
    size: u64,
    /// Who has a connection on which the server has answered.
    answered: u64,
    in_vain: u64,
    news: mpsc::UnboundedReceiver<News>,
    dials: Dials,
    ticker: Ticker,
    /// They end with the fleet.
    _clients: JoinSet<()>,
}

enum News {
    Answered,
    Lost,
    DialledInVain,
}

impl Fleet {
    fn new(size: u64, address: &str) -> Result<Self, Box<dyn Error>> {
        // One for all who dial this host. Whoever also dials another makes another for it.
        let budget = SharedBudget::new(BUDGET);
        let policy = Policy::resilient()
            .to_builder()
            .base_delay(Micros::from_millis(100))
            .min_delay(Micros::from_millis(50))
            .health_check_interval(Micros::from_secs(10))
            .build()?;
        let (sender, news) = mpsc::unbounded_channel();
        let dials = Dials::new();
        let mut clients = JoinSet::new();
        for _ in 0..size {
            let connection = WebSocket::builder(format!("ws://{address}/"))
                .policy(policy.clone())
                .shared_budget(&budget)
                .recorder(dials.clone())
                .build()?;
            clients.spawn(client(connection, sender.clone()));
        }
        let (answered, in_vain) = (0, 0);
        Ok(Self { size, answered, in_vain, news, dials, ticker: Ticker::start(), _clients: clients })
    }

    async fn all_answered(&mut self) -> Result<(), Box<dyn Error>> {
        let began = Instant::now();
        self.until("all are open", |fleet| fleet.answered == fleet.size).await?;
        println!("all {} are open after {:.1?}", self.answered, began.elapsed());
        Ok(())
    }

    async fn until(&mut self, what: &str, reached: impl Fn(&Self) -> bool) -> Result<(), Box<dyn Error>> {
        let end = Instant::now() + PATIENCE;
        while !reached(self) {
            let Ok(Some(news)) = timeout_at(end, self.news.recv()).await else {
                let Self { size, answered, in_vain, .. } = self;
                return Err(format!("{what}? not yet: {answered} of {size} open, {in_vain} dials in vain").into());
            };
            match news {
                News::Answered => self.answered += 1,
                News::Lost => self.answered -= 1,
                News::DialledInVain => self.in_vain += 1,
            }
        }
        Ok(())
    }

    /// What this act was like for the server and for the process.
    async fn report(&mut self, server: &mut Server) -> Result<(), Box<dyn Error>> {
        let window = Duration::from_millis(100);
        let most = u128::from(BUDGET.burst) + window.as_micros() / u128::from(BUDGET.refill.as_micros());
        let (dials, accepts) = (self.dials.take(), server.accepts().await?);
        let (needed, in_vain) = (burst_needed(&dials, BUDGET.refill), std::mem::take(&mut self.in_vain));
        println!("  {} dials, {in_vain} in vain; a burst of {needed} was enough", dials.len());
        println!("  dials in the busiest 100 ms: {} of {most} allowed", busiest(&dials, window));
        // Kernel and scheduler may hold some up and hand them over together.
        println!("  accepts in the server's busiest 100 ms: {}", busiest(&accepts, window));
        println!("  a ticker was late by {:.1?} at worst", self.ticker.take());
        if needed > BUDGET.burst { Err("the budget was passed".into()) } else { Ok(()) }
    }
}

/// Says hello on each new connection, and passes on what becomes of it.
async fn client(mut connection: Reconnecting<Dials>, news: mpsc::UnboundedSender<News>) {
    let mut answered = false;
    while let Some(event) = connection.next().await {
        let item = match event {
            Event::Notice(Notice::Opened { .. }) => {
                // If it fails, the connection is lost: that is told in its own event.
                drop(connection.send(Message::text("hello")).await);
                continue;
            }
            Event::Message(_) if !answered => {
                answered = true;
                News::Answered
            }
            Event::Notice(Notice::Lost { .. }) if std::mem::take(&mut answered) => News::Lost,
            Event::Notice(Notice::AttemptFailed { .. }) => News::DialledInVain,
            _ => continue,
        };
        if news.send(item).is_err() {
            return;
        }
    }
}
