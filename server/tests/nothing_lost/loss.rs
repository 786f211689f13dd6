//! Sessions that are really lost: whoever had one is told exactly what is in doubt.

use std::collections::BTreeSet;
use std::time::Duration;

use redial_server::Limits;
use redial_session::{ClientEvent, LossReason, SessionLost};
use redial_tokio::redial::{Notice, Policy};
use redial_tokio::{Session, SessionEvent, StreamExt};
use tokio::net::TcpListener;

use crate::account::{Account, History};
use crate::application::{Setup, limits, open, serve, sessions, settings};
use crate::client::{self, Board};
use crate::process::{ServerProcess, free_port};
use crate::proxy::{Flow, Proxy};
use crate::random::{Random, seed};
use crate::words::{self, Said};

/// How long a test waits for what must come.
const DEADLINE: Duration = Duration::from_secs(60);

/// Who says what a session says, and when it was said.
struct Lone {
    session: Session,
    client: u64,
    sent: u64,
    acknowledged: u64,
    aliases: Vec<u64>,
    /// In which session each echo came.
    echoes: Vec<(u64, usize)>,
    losses: Vec<SessionLost>,
    drops: u64,
    resumed: u64,
}

impl Lone {
    fn new(client: u64, port: u16, seed: u64, policy: Policy) -> Self {
        Self {
            session: client::session(port, seed, policy),
            client,
            sent: 0,
            acknowledged: 0,
            aliases: Vec::new(),
            echoes: Vec::new(),
            losses: Vec::new(),
            drops: 0,
            resumed: 0,
        }
    }

    fn say(&mut self, count: u64) {
        for _ in 0..count {
            self.sent += 1;
            let id = self.session.post(words::message(self.client, self.sent), None).unwrap();
            assert_eq!(id.0, self.sent);
        }
    }

    /// Reads until it is so.
    async fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let all = async {
            while !is_so(self) {
                let event = self.session.next().await.expect("the connection was given up");
                self.hear(event);
            }
        };
        let in_time = tokio::time::timeout(DEADLINE, all).await;
        assert!(in_time.is_ok(), "it did not come: {what}");
    }

    fn hear(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Message(payload) => match Said::of(&payload).unwrap() {
                Said::You(alias) => self.aliases.push(alias),
                Said::Echo(bytes) => {
                    let before = self.echoes.last().map_or(0, |(number, _)| *number);
                    // After a loss there is a hole: the next one without bytes is as good as any.
                    let empty = (before + 1..).find(|number| words::is_empty(*number)).unwrap();
                    let number =
                        if bytes.is_empty() { Some(empty) } else { words::number(self.client, before, &bytes) };
                    let number = number.unwrap();
                    self.echoes.push((number, self.aliases.len()));
                }
                Said::Room(..) | Said::Tick(..) | Said::Ended(_) => {}
            },
            SessionEvent::Session(ClientEvent::Delivered { up_to }) => self.acknowledged = up_to.0,
            SessionEvent::Session(ClientEvent::Lost(lost)) => self.losses.push(lost),
            SessionEvent::Session(ClientEvent::Resumed { .. }) => self.resumed += 1,
            SessionEvent::Notice(Notice::Lost { .. }) => self.drops += 1,
            SessionEvent::Session(ClientEvent::Started { .. }) | SessionEvent::Notice(_) => {}
            other => panic!("{other:?}"),
        }
    }

    /// The ids that a loss names, each with what was said under it.
    fn in_doubt(&self, loss: usize) -> BTreeSet<u64> {
        let ids = self.losses[loss].in_doubt.iter().map(|doubt| {
            assert_eq!(doubt.payload, words::message(self.client, doubt.id.0));
            doubt.id.0
        });
        ids.collect()
    }
}

/// Soon finds out that nothing goes through.
fn impatient() -> Policy {
    client::policy()
        .to_builder()
        .connect_timeout(Duration::from_millis(300))
        .ready_timeout(Some(Duration::from_millis(300).into()))
        .health_check_interval(Some(Duration::from_millis(200).into()))
        .ping_timeout(Duration::from_millis(400))
        .build()
        .unwrap()
}

/// Cut off both ways, nobody hears the messages; cut off from the server's answers only, the server has them: both are in doubt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_outlives_its_ttl_is_lost_and_says_exactly_what() {
    const TTL: Duration = Duration::from_millis(1_000);
    let seed = seed();
    let mut account = Account::new("sessions that outlive their time", seed);
    for to_server in [false, true] {
        let store = open("memory", settings(TTL)).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap().port();
        // It soon finds out, too.
        let limits =
            Limits { ping_interval: Duration::from_millis(200), ping_timeout: Duration::from_millis(400), ..limits() };
        let serving = tokio::spawn(serve(sessions(store.clone(), limits), listener, None));
        let proxy = Proxy::start(server, 0, seed).await;
        let mut lone = Lone::new(1, proxy.port, seed, impatient());
        lone.say(10);
        lone.until("ten echoes", |lone| lone.echoes.len() == 10 && lone.acknowledged == 10).await;

        proxy.set(Flow { to_server, to_client: false });
        lone.say(4);
        assert_eq!(lone.session.status().in_flight, 4);
        lone.until("the end of the connection", |lone| lone.drops == 1).await;
        lone.say(3);
        let history = history_until(&*store, lone.aliases[0]);
        tokio::time::timeout(DEADLINE, history).await.expect("the session does not end");
        assert_eq!(lone.losses.len(), 0, "it can't know yet");

        proxy.heal();
        lone.until("the loss, and what was not sent", |lone| lone.acknowledged == 17 && lone.echoes.len() == 13).await;
        assert_eq!(lone.losses.len(), 1);
        assert_eq!(lone.losses[0].reason, LossReason::Unknown);
        assert_eq!(lone.in_doubt(0), (11..=14).collect());
        assert_eq!(lone.echoes[10..], [(15, 2), (16, 2), (17, 2)]);

        let board = Board::new();
        board.note(|standing| standing.clients.extend(lone.aliases.iter().map(|alias| (*alias, 1))));
        let history = History::of(&*store, &board).await;
        assert_eq!(history.oddities, Vec::<String>::new());
        let had: Vec<_> = history.numbers(lone.aliases[0]).collect();
        assert!(had.iter().copied().eq(1..=if to_server { 14 } else { 10 }), "{had:?}");
        assert!(history.numbers(lone.aliases[1]).eq(15..=17));
        lone.session.close().await;
        serving.abort();
        account.clients += 1;
        account.faults += 1;
        account.sent += 17;
        account.acknowledged += 13;
        account.drops += lone.drops;
        account.sessions_lost += 1;
    }
    account.print();
}

/// Waits until the server says that the session has ended.
async fn history_until(store: &dyn redial_server::store::SessionStore, alias: u64) {
    let ended = Said::Ended(alias).payload();
    while !store.history(words::ROOM, None, 10).await.unwrap().iter().any(|past| past.payload == ended) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A server that has its sessions in memory is killed under load: whatever was neither acknowledged nor in doubt is delivered to
/// the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_that_is_gone_is_told_and_nothing_else_is_in_doubt() {
    const KILLS: usize = 10;
    let seed = seed();
    let mut random = Random::new(seed);
    let setup =
        Setup { store: "memory".into(), port: free_port(), settings: settings(Duration::from_secs(300)), tick: None };
    let mut server = ServerProcess::start(setup.clone()).await;
    let mut lone = Lone::new(1, setup.port, random.next(), client::policy());
    let mut account = Account::new("memory that is gone", seed);
    let mut doubted = BTreeSet::new();
    for kill in 0..KILLS {
        let target = lone.acknowledged + random.between(1, 100);
        while lone.acknowledged < target {
            lone.say(random.between(1, 30));
            let sent = lone.sent;
            lone.until("an acknowledgement", |lone| lone.acknowledged >= target.min(sent)).await;
        }
        // Some of these are acknowledged, some only sent, and some not even that.
        lone.say(random.between(1, 300));
        let least = lone.acknowledged + random.between(0, 5);
        lone.until("a few more", |lone| lone.acknowledged >= least.min(lone.sent)).await;
        server.kill().await;
        let drops = lone.drops;
        lone.until("the end of the connection", |lone| lone.drops > drops).await;
        let (acknowledged, in_flight) = (lone.acknowledged, lone.session.status().in_flight as u64);
        lone.say(random.between(1, 20));
        assert_eq!(lone.losses.len(), kill);
        server.start_again().await;
        lone.until("the loss", |lone| lone.losses.len() > kill).await;
        let doubts = lone.in_doubt(kill);
        assert_eq!(lone.losses[kill].reason, LossReason::Unknown);
        assert_eq!(doubts, (acknowledged + 1..=acknowledged + in_flight).collect(), "kill {kill}");
        doubted.extend(doubts);
        lone.until("all that was left", |lone| lone.acknowledged == lone.sent || doubted.contains(&lone.sent)).await;
    }
    lone.say(1);
    let (last, session) = (lone.sent, KILLS + 1);
    lone.until("the last echo", |lone| lone.echoes.last() == Some(&(last, session))).await;
    account.faults = KILLS as u64;
    account.clients = 1;
    account.sent = lone.sent;
    account.acknowledged = lone.sent - doubted.len() as u64;
    account.heard = lone.echoes.len() as u64;
    account.drops = lone.drops;
    account.resumed = lone.resumed;
    account.sessions_lost = lone.losses.len() as u64;
    account.print();
    assert_eq!((lone.losses.len(), lone.aliases.len(), lone.resumed), (KILLS, KILLS + 1, 0));
    // What came back came once and in order.
    assert!(lone.echoes.windows(2).all(|pair| pair[0].0 < pair[1].0));
}
