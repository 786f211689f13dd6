//! Servers that are killed under load, and start again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use redial_server::store::SqliteStore;

use crate::account::{Account, History};
use crate::application::{Setup, open, settings};
use crate::client::{self, Board};
use crate::process::{Nginx, Redis, ServerProcess, free_port};
use crate::random::{Random, seed};

const TTL: Duration = Duration::from_secs(300);
const TICK: Option<Duration> = Some(Duration::from_millis(5));

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_with_sqlite() {
    const KILLS: u64 = 50;
    const CLIENTS: u64 = 4;
    let seed = seed();
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sessions.db");
    let store = format!("sqlite:{}", file.display());
    let setup = Setup { store: store.clone(), port: free_port(), settings: settings(TTL), tick: TICK };
    let mut server = ServerProcess::start(setup.clone()).await;
    let board = Board::new();
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|client| {
            let window = [4, 16, 64, 256][client as usize % 4];
            tokio::spawn(client::run(client, setup.port, random.next(), window, CLIENTS as usize, board.clone()))
        })
        .collect();
    let mut account = Account::new("50 kills with SQLite", seed);
    let faults = &mut account.faults;
    let run = async {
        board.until(|standing| standing.clients.len() as u64 == CLIENTS).await;
        while *faults < KILLS {
            board.echoes(random.between(1, 120)).await;
            server.kill().await;
            *faults += 1;
            // What clients were told is no later than what the file has: they are asked first.
            let told = board.now().acknowledged;
            let history = history_of_a_copy(&file, &board).await;
            assert_has(&history, &told, &board);
            server.start_again().await;
        }
        board.echoes(50).await;
        board.note(|standing| standing.stopped = true);
    };
    let diaries = crate::finish(clients, run, &board).await;
    server.kill().await;
    let store = open(&store, settings(TTL)).await;
    account.check(&diaries, &History::of(&*store, &board).await);
    account.assert_nothing_lost();
}

/// As the killed process left it: the file itself is for the next one to mend.
async fn history_of_a_copy(file: &Path, board: &Board) -> History {
    let folder = tempfile::tempdir().unwrap();
    for end in ["", "-wal"] {
        let name = format!("sessions.db{end}");
        let _ = std::fs::copy(file.with_file_name(&name), folder.path().join(&name));
    }
    let store = SqliteStore::open(folder.path().join("sessions.db"), settings(TTL)).unwrap();
    History::of(&store, board).await
}

/// Each client's acknowledged messages are there.
fn assert_has(history: &History, told: &BTreeMap<u64, u64>, board: &Board) {
    assert_eq!(history.oddities, Vec::<String>::new());
    for (alias, client) in board.now().clients {
        let told = told.get(&client).copied().unwrap_or(0);
        let numbers: Vec<u64> = history.numbers(alias).collect();
        let last = numbers.len() as u64;
        assert!(numbers.iter().copied().eq(1..=last), "client {client}: {numbers:?}");
        assert!(last >= told, "client {client} was told {told}, the file has {last}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_redis_behind_nginx() {
    const KILLS: u64 = 30;
    const CLIENTS: u64 = 4;
    let seed = seed();
    let mut random = Random::new(seed);
    let redis = Redis::start().await;
    let start = |port| {
        let setup = Setup { store: redis.url(), port, settings: settings(TTL), tick: TICK };
        ServerProcess::start(setup)
    };
    let mut servers = [start(free_port()).await, start(free_port()).await];
    let nginx = Nginx::start(&servers.each_ref().map(|server| server.setup.port)).await;
    let board = Board::new();
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|client| {
            let window = [4, 16, 64, 256][client as usize % 4];
            tokio::spawn(client::run(client, nginx.port, random.next(), window, CLIENTS as usize, board.clone()))
        })
        .collect();
    let mut account = Account::new("2 servers on one Redis behind nginx", seed);
    let faults = &mut account.faults;
    let run = async {
        board.until(|standing| standing.clients.len() as u64 == CLIENTS).await;
        while *faults < KILLS {
            let server = &mut servers[(*faults % 2) as usize];
            board.echoes(random.between(1, 120)).await;
            server.kill().await;
            *faults += 1;
            // The other one goes on by itself.
            board.echoes(random.between(1, 40)).await;
            server.start_again().await;
        }
        board.echoes(50).await;
        board.note(|standing| standing.stopped = true);
    };
    let diaries = crate::finish(clients, run, &board).await;
    let store = open(&redis.url(), settings(TTL)).await;
    account.check(&diaries, &History::of(&*store, &board).await);
    nginx.stop().await;
    account.assert_nothing_lost();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_stopped_and_started_during_traffic() {
    const CLIENTS: u64 = 3;
    let seed = seed();
    let mut random = Random::new(seed);
    let mut redis = Redis::start().await;
    let url = redis.url();
    let start = |port| {
        let setup = Setup { store: url.clone(), port, settings: settings(TTL), tick: TICK };
        ServerProcess::start(setup)
    };
    let servers = [start(free_port()).await, start(free_port()).await];
    let board = Board::new();
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|client| {
            let port = servers[client as usize % 2].setup.port;
            tokio::spawn(client::run(client, port, random.next(), 64, CLIENTS as usize, board.clone()))
        })
        .collect();
    let mut account = Account::new("Redis stopped and started during traffic", seed);
    let faults = &mut account.faults;
    let run = async {
        board.until(|standing| standing.clients.len() as u64 == CLIENTS).await;
        // The last one is longer than a call waits for Redis.
        for (outage, kill) in [(0, false), (300, true), (700, false), (0, true), (2_500, false)] {
            board.echoes(random.between(50, 200)).await;
            if kill {
                redis.kill().await;
            } else {
                redis.stop().await;
            }
            *faults += 1;
            let told = board.now().acknowledged;
            tokio::time::sleep(Duration::from_millis(outage)).await;
            redis.start_again().await;
            let store = open(&url, settings(TTL)).await;
            assert_has(&History::of(&*store, &board).await, &told, &board);
        }
        board.echoes(100).await;
        board.note(|standing| standing.stopped = true);
    };
    let diaries = crate::finish(clients, run, &board).await;
    let store = open(&url, settings(TTL)).await;
    account.check(&diaries, &History::of(&*store, &board).await);
    drop(servers);
    account.assert_nothing_lost();
}

/// Clients that don't wait for long greet one server after the other, while none of them can ask Redis: whichever is answered
/// first, a greeting that was given up must not take the session from the one that counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_and_servers_stopped_together_behind_nginx() {
    const OUTAGES: u64 = 4;
    const CLIENTS: u64 = 4;
    let seed = seed();
    let mut random = Random::new(seed);
    let mut redis = Redis::start().await;
    let url = redis.url();
    let start = |port| {
        let setup = Setup { store: url.clone(), port, settings: settings(TTL), tick: None };
        ServerProcess::start(setup)
    };
    let mut servers = [start(free_port()).await, start(free_port()).await, start(free_port()).await];
    let nginx = Nginx::start(&servers.each_ref().map(|server| server.setup.port)).await;
    let board = Board::new();
    let policy = client::policy().to_builder().ready_timeout(Some(Duration::from_millis(150).into())).build().unwrap();
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|client| {
            let (seed, peers, board) = (random.next(), CLIENTS as usize, board.clone());
            tokio::spawn(client::run_with(policy.clone(), client, nginx.port, seed, 64, peers, board))
        })
        .collect();
    let mut account = Account::new("Redis and servers stopped together", seed);
    let faults = &mut account.faults;
    let run = async {
        board.until(|standing| standing.clients.len() as u64 == CLIENTS).await;
        while *faults < OUTAGES {
            board.echoes(random.between(50, 200)).await;
            redis.kill().await;
            // One is left.
            for server in &mut servers[..2] {
                server.kill().await;
            }
            *faults += 1;
            tokio::time::sleep(Duration::from_millis(random.between(300, 900))).await;
            redis.start_again().await;
            board.echoes(20).await;
            for server in &mut servers[..2] {
                server.start_again().await;
            }
            servers.rotate_left(1);
        }
        board.echoes(100).await;
        board.note(|standing| standing.stopped = true);
    };
    let diaries = crate::finish(clients, run, &board).await;
    let store = open(&url, settings(TTL)).await;
    account.check(&diaries, &History::of(&*store, &board).await);
    nginx.stop().await;
    account.assert_nothing_lost();
}

/// A server that stands still has clients, greetings and messages in its sockets, which it finds when it goes on: long after
/// those clients have gone to the other one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_freeze_and_go_on_behind_nginx() {
    const FREEZES: u64 = 4;
    const WINDOW: u64 = 64;
    const CLIENTS: u64 = 4;
    let seed = seed();
    let mut random = Random::new(seed);
    let redis = Redis::start().await;
    let start = |port| {
        let setup = Setup { store: redis.url(), port, settings: settings(TTL), tick: TICK };
        ServerProcess::start(setup)
    };
    let servers = [start(free_port()).await, start(free_port()).await];
    let nginx = Nginx::start(&servers.each_ref().map(|server| server.setup.port)).await;
    let board = Board::new();
    let policy = client::policy()
        .to_builder()
        .connect_timeout(Duration::from_millis(500))
        .ready_timeout(Some(Duration::from_millis(500).into()))
        .health_check_interval(Some(Duration::from_millis(100).into()))
        .ping_timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|client| {
            let (seed, peers, board) = (random.next(), CLIENTS as usize, board.clone());
            tokio::spawn(client::run_with(policy.clone(), client, nginx.port, seed, WINDOW, peers, board))
        })
        .collect();
    let mut account = Account::new("servers that freeze and go on", seed);
    let faults = &mut account.faults;
    let run = async {
        board.until(|standing| standing.clients.len() as u64 == CLIENTS).await;
        while *faults < FREEZES {
            let server = &servers[(*faults % 2) as usize];
            board.echoes(random.between(50, 200)).await;
            server.freeze().await;
            *faults += 1;
            // Who gets more acknowledged than was in flight has gone to the other one.
            let told = board.now().acknowledged;
            board
                .until(|standing| told.iter().all(|(client, told)| standing.acknowledged[client] > told + WINDOW))
                .await;
            server.thaw().await;
        }
        board.echoes(100).await;
        board.note(|standing| standing.stopped = true);
    };
    let diaries = crate::finish(clients, run, &board).await;
    let store = open(&redis.url(), settings(TTL)).await;
    account.check(&diaries, &History::of(&*store, &board).await);
    nginx.stop().await;
    account.assert_nothing_lost();
}
