//! A real protocol over the driver: Redis' publish and subscribe (RESP3), with a real `redis-server` that is killed and
//! comes back.
//!
//! `cargo run -p redial-examples --bin redis` runs to its end by itself, where `redis-server` is installed.

#![allow(clippy::wildcard_enum_match_arm)] // events and frames are many and may become more: a reader takes what it needs

use futures_util::future::BoxFuture;
use futures_util::{SinkExt, StreamExt};
use redial_tokio::redial_driver::{Connect, Event, Kind, Reconnecting};
use redial_tokio::{Cause, Dial, Jitter, Micros, NetworkDetail, Notice, Phase, PingId, Policy, TokioClock};
use redis_protocol::codec::{Resp3, resp3_encode_command as command};
use redis_protocol::error::RedisProtocolError;
use redis_protocol::resp3::types::{BytesFrame, Resp3Frame};
use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_util::codec::Framed;

type Connection = Framed<TcpStream, Resp3>;

/// Where Redis is, and what its frames mean.
struct Redis(SocketAddr);

impl Connect for Redis {
    type Message = BytesFrame;
    type Error = RedisProtocolError;
    type Connection = Connection;
    type Connecting = BoxFuture<'static, Result<Connection, Cause>>;

    fn connect(&mut self, _dial: Dial) -> Self::Connecting {
        let addr = self.0;
        Box::pin(async move {
            match TcpStream::connect(addr).await {
                Ok(stream) => Ok(Framed::new(stream, Resp3::default())),
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    Err(Cause::network(NetworkDetail::Refused))
                }
                Err(_) => Err(Cause::NETWORK),
            }
        })
    }

    /// Redis answers `PING` with its argument: so the health check measures Redis, not a kernel.
    fn ping(&self, ping: PingId) -> Option<BytesFrame> {
        Some(command(&format!("PING redial:{ping}")))
    }

    fn inspect(&self, frame: &BytesFrame) -> Kind {
        let id = frame.as_str().and_then(|text| text.strip_prefix("redial:")).and_then(|id| id.parse().ok());
        match frame {
            BytesFrame::BlobString { .. } => id.map_or(Kind::Data, |id| Kind::Pong(PingId(id))),
            // What came while Redis still reads its data from the disk: again later.
            BytesFrame::SimpleError { data, .. } if data.starts_with("LOADING") => Kind::Close(Cause::NETWORK),
            _ => Kind::Data,
        }
    }

    fn failure(&self, error: &RedisProtocolError) -> Cause {
        use redis_protocol::error::RedisProtocolErrorKind::IO;
        if matches!(error.kind(), IO(_)) { Cause::NETWORK } else { Cause::Protocol }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Whatever goes wrong, no Redis stays behind.
    match timeout(Duration::from_secs(30), run()).await.unwrap_or_else(|late| Err(late.into())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut server = Server::new()?;
    server.start()?;
    let policy = Policy::builder()
        .base_delay(Micros::from_millis(20))
        .max_delay(Micros::from_millis(200))
        .jitter(Jitter::Equal)
        .max_elapsed(Micros::from_secs(20))
        .max_attempts(None)
        .dial_budget(None)
        .stable_after(Micros::from_millis(100))
        .health_check_interval(Micros::from_millis(50))
        .ready_timeout(Micros::from_secs(2))
        .build()?;
    let mut redis = Reconnecting::builder(TokioClock::new(), Redis(server.addr), policy, 7).build();

    let mut act = Act::Begin;
    while let Some(event) = redis.next().await {
        match event {
            // The session is set up anew on each connection. What waits in the outbox waits on.
            Event::Notice(Notice::Phase { to: Phase::Handshaking, .. }) => {
                redis.transmit(command("HELLO 3"))?;
                redis.transmit(command("SUBSCRIBE news"))?;
            }
            Event::Notice(Notice::Opened { .. }) => {
                println!("-- subscribed");
                if act == Act::Begin {
                    publish(server.addr, "first").await?;
                }
            }
            Event::Notice(Notice::HealthCheck { latency, .. }) if act == Act::Heard => {
                println!("-- Redis answers in {latency}");
                act = Act::Killed;
                server.kill().await?;
            }
            Event::Notice(Notice::Lost { cause, .. }) => match act {
                Act::Killed => {
                    println!("-- lost: {cause}");
                    // Into the outbox. Sent before the new subscription stands, it would be heard by nobody.
                    redis.send(command("PUBLISH news kept")).await?;
                }
                Act::End => {}
                Act::Begin | Act::Heard | Act::Restarted => return Err(format!("lost: {cause}").into()),
            },
            Event::Notice(Notice::AttemptFailed { cause, .. }) if act == Act::Killed => {
                println!("-- not there: {cause}");
                act = Act::Restarted;
                server.start()?;
            }
            Event::Message(BytesFrame::Push { data, .. }) => match Push::of(&data) {
                Push::Subscribed => redis.ready(),
                Push::News(text) => {
                    println!("news: {text}");
                    match text {
                        "first" => act = Act::Heard,
                        "kept" => publish(server.addr, "last").await?,
                        _ => {
                            act = Act::End;
                            redis.stop();
                        }
                    }
                }
                Push::Other => {}
            },
            // How many heard what we published: ourselves.
            Event::Message(BytesFrame::Number { data: 0, .. }) => return Err("published before subscribed".into()),
            Event::Message(BytesFrame::SimpleError { data, .. }) => return Err(format!("Redis says {data}").into()),
            Event::Notice(Notice::GaveUp { cause, .. }) => return Err(format!("gave up: {cause}").into()),
            _ => {}
        }
    }
    if act == Act::End { Ok(()) } else { Err("ended too soon".into()) }
}

/// How far the play has come.
#[derive(PartialEq)]
enum Act {
    Begin,
    Heard,
    Killed,
    Restarted,
    End,
}

/// What a push frame says: `["subscribe", CHANNEL, COUNT]` or `["message", CHANNEL, TEXT]`.
enum Push<'a> {
    Subscribed,
    News(&'a str),
    Other,
}

impl<'a> Push<'a> {
    fn of(data: &'a [BytesFrame]) -> Self {
        match data {
            [kind, _, _] if kind.as_str() == Some("subscribe") => Self::Subscribed,
            [kind, _, text] if kind.as_str() == Some("message") => text.as_str().map_or(Self::Other, Self::News),
            _ => Self::Other,
        }
    }
}

/// Somebody else publishes, over a connection of their own.
async fn publish(addr: SocketAddr, text: &str) -> Result<(), Box<dyn Error>> {
    let mut connection = Connection::new(TcpStream::connect(addr).await?, Resp3::default());
    connection.send(command(&format!("PUBLISH news {text}"))).await?;
    match connection.next().await {
        Some(Ok(BytesFrame::Number { data: 1, .. })) => Ok(()),
        answer => Err(format!("one subscriber was to hear it; Redis says {answer:?}").into()),
    }
}

/// A Redis of our own, without persistence.
struct Server {
    addr: SocketAddr,
    folder: PathBuf,
    process: Option<Child>,
}

impl Server {
    fn new() -> io::Result<Self> {
        // Free a moment ago, and again now.
        let addr = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let folder = std::env::temp_dir().join(format!("redial-redis-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self { addr, folder, process: None })
    }

    fn start(&mut self) -> Result<(), Box<dyn Error>> {
        let (host, port) = (self.addr.ip().to_string(), self.addr.port().to_string());
        let spawned = Command::new("redis-server")
            .args(["--bind", &host, "--port", &port, "--save", "", "--appendonly", "no", "--dir"])
            .arg(&self.folder)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        self.process = Some(spawned.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "redis-server is missing: sudo apt-get install redis-server".into(),
            _ => Box::<dyn Error>::from(error),
        })?);
        Ok(())
    }

    /// SIGKILL.
    async fn kill(&mut self) -> io::Result<()> {
        match &mut self.process {
            Some(process) => process.kill().await,
            None => Ok(()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is ours and holds nothing that anybody needs.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
