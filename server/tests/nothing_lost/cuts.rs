//! Connections that are cut, at any byte.

use std::time::Duration;

use tokio::net::TcpListener;

use crate::account::{Account, History};
use crate::application::{limits, open, serve, sessions, settings};
use crate::client::{self, Board};
use crate::proxy::Proxy;
use crate::random::{Random, seed};

const CUTS: u64 = 200;
const CLIENTS: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_random_cuts_at_any_byte() {
    let seed = seed();
    let mut random = Random::new(seed);
    let store = open("memory", settings(Duration::from_secs(300))).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap().port();
    let tick = Some(Duration::from_millis(5));
    let serving = tokio::spawn(serve(sessions(store.clone(), limits()), listener, tick));
    let proxy = Proxy::start(server, CUTS, random.next()).await;
    let board = Board::new();
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|client| {
            let window = [1, 8, 32, 200][client as usize % 4];
            tokio::spawn(client::run(client, proxy.port, random.next(), window, CLIENTS as usize, board.clone()))
        })
        .collect();
    let mut account = Account::new("200 random cuts at any byte", seed);
    let run = async {
        proxy.until_cut(CUTS).await;
        board.echoes(100).await;
        board.note(|standing| standing.stopped = true);
    };
    let diaries = crate::finish(clients, run, &board).await;
    account.faults = proxy.cuts();
    account.check(&diaries, &History::of(&*store, &board).await);
    serving.abort();
    account.assert_nothing_lost();
}
