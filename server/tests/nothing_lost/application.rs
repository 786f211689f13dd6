//! The server of these tests: it says everything again, to who said it and to the room, and numbers by itself.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use redial_server::store::{Ended, MemoryStore, RedisStore, SessionStore, SqliteStore, StoreError, StoreSettings};
use redial_server::{Application, Effect, Limits, Payload, SessionInfo, Sessions};
use tokio::net::TcpListener;

use crate::words::{ROOM, Said};

/// Each message is answered, broadcast and kept.
pub(crate) struct Numbers;

impl Application for Numbers {
    async fn on_message(&self, session: &SessionInfo, payload: Payload) -> Vec<Effect> {
        let bytes = payload.bytes().to_vec();
        vec![
            Effect::Reply(Said::Echo(bytes.clone()).payload()),
            Effect::Broadcast {
                room: ROOM.into(),
                payload: Said::Room(session.alias, bytes).payload(),
                to_self: true,
                keep: true,
            },
        ]
    }

    async fn on_start(&self, session: &SessionInfo) -> Vec<Effect> {
        vec![Effect::Join(ROOM.into()), Effect::Reply(Said::You(session.alias).payload())]
    }

    async fn on_end(&self, ended: &Ended) -> Vec<Effect> {
        let payload = Said::Ended(ended.alias).payload();
        vec![Effect::Broadcast { room: ROOM.into(), payload, to_self: true, keep: true }]
    }
}

/// Room for everything that a test says while somebody is away.
pub(crate) fn settings(ttl: Duration) -> StoreSettings {
    StoreSettings {
        ttl,
        outbox_messages: 1_000_000,
        outbox_bytes: 256 << 20,
        history_messages: 1_000_000,
        ..StoreSettings::default()
    }
}

/// All clients come from one address, and as fast as they can.
pub(crate) fn limits() -> Limits {
    Limits { connections_per_address: None, connects_per_minute: None, messages_per_second: None, ..Limits::default() }
}

pub(crate) fn sessions(store: Arc<dyn SessionStore>, limits: Limits) -> Sessions {
    Sessions::builder(store, Numbers).limits(limits).build()
}

/// Serves, and says a number to the room every few milliseconds.
pub(crate) async fn serve(sessions: Sessions, listener: TcpListener, tick: Option<Duration>) {
    let serving = sessions.clone();
    let ticking = async {
        let Some(tick) = tick else { return std::future::pending().await };
        let process = u64::from(std::process::id());
        for number in 1.. {
            tokio::time::sleep(tick).await;
            // It may have happened all the same: so the next one has a new number.
            let _ = sessions.broadcast(ROOM, Said::Tick(process, number).payload()).await;
        }
    };
    tokio::select! {
        served = serving.serve(listener) => served.unwrap(),
        () = ticking => {}
    }
}

/// What a server process is told.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// `memory`, `sqlite:PATH` or `redis://…`.
    pub(crate) store: String,
    pub(crate) port: u16,
    pub(crate) settings: StoreSettings,
    pub(crate) tick: Option<Duration>,
}

impl Setup {
    pub(crate) fn variables(&self) -> [(&'static str, String); 7] {
        [
            ("NUMBERS_STORE", self.store.clone()),
            ("NUMBERS_PORT", self.port.to_string()),
            ("NUMBERS_TTL_MS", self.settings.ttl.as_millis().to_string()),
            ("NUMBERS_OUTBOX_MESSAGES", self.settings.outbox_messages.to_string()),
            ("NUMBERS_OUTBOX_BYTES", self.settings.outbox_bytes.to_string()),
            ("NUMBERS_HISTORY_MESSAGES", self.settings.history_messages.to_string()),
            ("NUMBERS_TICK_US", self.tick.map_or(0, |tick| tick.as_micros()).to_string()),
        ]
    }

    fn of_variables() -> Option<Self> {
        let number = |name| std::env::var(name).unwrap().parse::<u64>().unwrap();
        Some(Self {
            store: std::env::var("NUMBERS_STORE").ok()?,
            port: u16::try_from(number("NUMBERS_PORT")).unwrap(),
            settings: StoreSettings {
                outbox_messages: usize::try_from(number("NUMBERS_OUTBOX_MESSAGES")).unwrap(),
                outbox_bytes: usize::try_from(number("NUMBERS_OUTBOX_BYTES")).unwrap(),
                history_messages: usize::try_from(number("NUMBERS_HISTORY_MESSAGES")).unwrap(),
                ..settings(Duration::from_millis(number("NUMBERS_TTL_MS")))
            },
            tick: Some(number("NUMBERS_TICK_US")).filter(|tick| *tick > 0).map(Duration::from_micros),
        })
    }
}

/// A server process: this program again, with a setup in its environment. It ends when its input does.
#[test]
#[ignore = "a process that the other tests start"]
fn server_process() {
    let Some(setup) = Setup::of_variables() else { return };
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&setup.store, setup.settings).await;
        let listener = TcpListener::bind(("127.0.0.1", setup.port)).await.unwrap();
        println!("\nlistening");
        serve(sessions(store, limits()), listener, setup.tick).await;
    });
}

pub(crate) async fn open(store: &str, settings: StoreSettings) -> Arc<dyn SessionStore> {
    if store == "memory" {
        Arc::new(MemoryStore::new(settings))
    } else if let Some(path) = store.strip_prefix("sqlite:") {
        Arc::new(SqliteStore::open(path, settings).unwrap())
    } else {
        Arc::new(patiently("Redis", || RedisStore::connect(store, settings)).await)
    }
}

/// A machine that has too much to do may take longer than a store waits.
pub(crate) async fn patiently<T, F>(what: &str, mut call: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, StoreError>>,
{
    const PATIENCE: Duration = Duration::from_secs(20);
    let began = tokio::time::Instant::now();
    loop {
        match call().await {
            Ok(answer) => return answer,
            Err(StoreError::Unavailable(_)) if began.elapsed() < PATIENCE => {}
            Err(error) => panic!("{what}: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
