//! How long after a restart of the server a client is open again.

use crate::children::numbers;
use crate::clocks::common_nanos;
use crate::messages::server::Server;
use crate::messages::{bare, ezsockets};
use crate::runtimes::Runtime;
use ::ezsockets::ClientConfig;
use futures_util::StreamExt;
use redial_async_std::AsyncIo;
use redial_tokio::redial_websocket::{Runtime as Adapter, WebSocket};
use redial_tokio::{Event, Jitter, Micros, Notice, Policy, Tokio};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

/// A client and the way in which it comes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// In tables and arguments.
    pub(crate) name: &'static str,
    /// So many restarts are measured.
    pub(crate) restarts: usize,
    run: fn(String, Sender<i64>),
}

/// The one that the others are measured against.
pub(crate) const LOOP: &str = "tokio-tungstenite 0.30 in a loop, every 10 ms";

const MANY: usize = 40;
const FEW: usize = 8;

/// All of them; those with a base of 10 ms come first.
pub(crate) const WAYS: &[Way] = &[
    Way { name: LOOP, restarts: MANY, run: |url, opened| Runtime::Tokio.block_on(in_a_loop(&url, &opened)) },
    Way {
        name: "redial-tokio, 10 ms, no jitter",
        restarts: MANY,
        run: |url, opened| Runtime::Tokio.block_on(ours::<Tokio>(&url, ten(Jitter::None), &opened)),
    },
    Way {
        name: "redial-async-std, async-std, 10 ms, no jitter",
        restarts: MANY,
        run: |url, opened| Runtime::AsyncStd.block_on(ours::<AsyncIo>(&url, ten(Jitter::None), &opened)),
    },
    Way {
        name: "redial-async-std, smol, 10 ms, no jitter",
        restarts: MANY,
        run: |url, opened| Runtime::Smol.block_on(ours::<AsyncIo>(&url, ten(Jitter::None), &opened)),
    },
    Way {
        name: "redial-tokio, 10 ms, full jitter",
        restarts: MANY,
        run: |url, opened| Runtime::Tokio.block_on(ours::<Tokio>(&url, ten(Jitter::Full), &opened)),
    },
    Way {
        name: "ezsockets 0.7.2, 10 ms",
        restarts: MANY,
        run: |url, opened| Runtime::Tokio.block_on(with_ezsockets(&url, Some(TEN), &opened)),
    },
    preset("redial-tokio, chat", |url, opened| of_preset(&url, Policy::chat(), &opened)),
    preset("redial-tokio, assistant", |url, opened| of_preset(&url, Policy::assistant(), &opened)),
    preset("redial-tokio, support", |url, opened| of_preset(&url, Policy::support(), &opened)),
    preset("redial-tokio, session", |url, opened| of_preset(&url, Policy::session(), &opened)),
    preset("redial-tokio, resilient", |url, opened| of_preset(&url, Policy::resilient(), &opened)),
    preset("ezsockets 0.7.2, default (5 s)", |url, opened| {
        Runtime::Tokio.block_on(with_ezsockets(&url, None, &opened));
    }),
];

const fn preset(name: &'static str, run: fn(String, Sender<i64>)) -> Way {
    Way { name, restarts: FEW, run }
}

impl Way {
    /// The way of this name.
    pub(crate) fn parse(name: &str) -> Option<&'static Self> {
        WAYS.iter().find(|way| way.name == name)
    }

    /// Whether it retries every 10 ms.
    pub(crate) const fn is_short(&self) -> bool {
        self.restarts == MANY
    }
}

/// Milliseconds from the server's return to the client's, for each restart: `bench reconnect WAY RESTARTS`.
pub(crate) fn measure(way: &Way, restarts: usize) -> Vec<f64> {
    numbers(&["reconnect", way.name, &restarts.to_string()])
}

/// `bench reconnect`: kills the server, leaves it down for 200 to 300 ms and starts it again on the same port.
pub(crate) fn print(way: &Way, restarts: usize) {
    let mut server = Server::start();
    let url = format!("ws://{}/sink", server.address());
    let connect = || {
        let (url, (sender, opened)) = (url.clone(), channel());
        let run = way.run;
        thread::spawn(move || run(url, sender));
        let opened = move || opened.recv_timeout(Duration::from_secs(60)).expect("it comes back");
        opened();
        opened
    };
    let mut opened = connect();
    for restart in 0..restarts {
        if !way.is_short() {
            // A connection must last as long as the delay before it to be stable: only a new client's is at once.
            opened = connect();
        }
        // Long enough for `stableAfter` as it is set here.
        pause(100);
        let port = server.address().port();
        drop(server);
        // 37 and 101 are coprime: every millisecond of the range has its turn.
        pause(200 + (37 * restart as u64) % 101);
        server = Server::on(port);
        println!("{}", (opened() - server.since()) as f64 / 1e6);
    }
}

#[allow(clippy::disallowed_methods)] // an outage is time that passes
fn pause(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

const TEN: Duration = Duration::from_millis(10);

fn ten(jitter: Jitter) -> Policy {
    let ten = Micros::from_millis(10);
    let policy = Policy::resilient().to_builder().min_delay(Micros::ZERO).base_delay(ten).max_delay(ten);
    // The loop has no budget of dials either: that of the presets would end a retry every 10 ms after five.
    policy.jitter(jitter).dial_budget(None).build().expect("a good policy")
}

/// Stable at once, so that every outage is a new one.
fn of_preset(url: &str, policy: Policy, opened: &Sender<i64>) {
    let policy = policy.to_builder().stable_after(Micros::from_millis(10)).build().expect("a good policy");
    Runtime::Tokio.block_on(ours::<Tokio>(url, policy, opened));
}

async fn ours<N: Adapter>(url: &str, policy: Policy, opened: &Sender<i64>) {
    let mut client = WebSocket::<N>::builder(url).policy(policy).build().expect("a good URL");
    while let Some(event) = client.next().await {
        if let Event::Notice(Notice::Opened { .. }) = event {
            let _ = opened.send(common_nanos());
        }
    }
}

async fn in_a_loop(url: &str, opened: &Sender<i64>) {
    loop {
        if let Ok(mut client) = bare::try_on_tokio(url).await {
            let _ = opened.send(common_nanos());
            while let Some(Ok(_)) = client.0.next().await {}
        }
        tokio::time::sleep(TEN).await;
    }
}

/// `None`: its own 5 s.
async fn with_ezsockets(url: &str, interval: Option<Duration>, opened: &Sender<i64>) {
    let config = ClientConfig::new(url);
    let config = match interval {
        Some(interval) => config.reconnect_interval(interval),
        None => config,
    };
    let mut client = ezsockets::connect_with(config).await;
    loop {
        let _ = opened.send(common_nanos());
        client.connected().await;
    }
}
