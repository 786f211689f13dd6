//! A worker that keeps a connection to a daemon on the same computer: length-delimited frames over a Unix socket, a
//! handshake before the first job, and a daemon that goes away, first properly and then by a crash.
//!
//! `cargo run -p redial-examples --bin unix_socket` runs to its end by itself.

#![allow(clippy::wildcard_enum_match_arm)] // events are many and may become more: a reader takes what it needs

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    worker::main()
}

#[cfg(not(unix))]
fn main() {
    eprintln!("this example needs a Unix system");
    std::process::exit(1);
}

#[cfg(unix)]
mod worker {
    use bytes::{Bytes, BytesMut};
    use futures_util::{Sink, SinkExt, Stream, StreamExt, TryStreamExt};
    use redial_tokio::redial_driver::{Event, Reconnecting};
    use redial_tokio::{Cause, Dial, Micros, NetworkDetail, Notice, Phase, Policy, TokioClock};
    use std::error::Error;
    use std::io::{self, ErrorKind};
    use std::path::{Path, PathBuf};
    use tokio::net::{UnixListener, UnixStream};
    use tokio_util::codec::{Framed, LengthDelimitedCodec};

    #[tokio::main(flavor = "current_thread")]
    pub(super) async fn main() -> Result<(), Box<dyn Error>> {
        let socket = std::env::temp_dir().join(format!("redial-unix-socket-{}", std::process::id()));
        start_daemon(&socket, End::Properly)?;

        let policy = Policy::builder()
            .base_delay(Micros::from_millis(20))
            .stable_after(Micros::ZERO)
            // To be connected is not enough: within a second the daemon must have welcomed us.
            .ready_timeout(Micros::from_secs(1))
            .build()?;
        // There are no pings, so a closure is connector enough. The driver takes the health checks out of the policy.
        let path = socket.clone();
        let connector = move |_: Dial| dial(path.clone());
        let mut worker = Reconnecting::builder(TokioClock::new(), connector, policy, 7).build();

        let mut to_come = [End::ByCrash, End::Never].into_iter();
        let mut jobs = 1..=6;
        // Waits in the outbox for more than a connection: until `ready` is said of one.
        worker.send(job(&jobs)).await?;
        while let Some(event) = worker.next().await {
            match event {
                // Goes to this very connection, ahead of the outbox.
                Event::Notice(Notice::Phase { to: Phase::Handshaking, .. }) => worker.transmit("hello".into())?,
                Event::Message(frame) => {
                    println!("{}", frame.escape_ascii());
                    if frame.starts_with(b"welcome") {
                        worker.ready();
                    } else if !frame.starts_with(b"done") {
                        return Err("a job went out before the welcome".into());
                    } else {
                        jobs.next();
                        if jobs.is_empty() {
                            worker.stop();
                        } else {
                            worker.send(job(&jobs)).await?;
                        }
                    }
                }
                Event::Notice(Notice::Opened { .. }) => println!("-- open"),
                Event::Notice(Notice::Lost { cause, .. }) => {
                    println!("-- lost: {cause}");
                    // The job went with the daemon. The next one gets it, once it has welcomed us.
                    if !jobs.is_empty() {
                        worker.send(job(&jobs)).await?;
                    }
                }
                Event::Notice(Notice::AttemptFailed { cause, .. }) => {
                    let why = if socket.exists() { "nobody listens" } else { "there is no socket" };
                    println!("-- {why}: {cause}");
                    if let Some(end) = to_come.next() {
                        start_daemon(&socket, end)?;
                    }
                }
                _ => {}
            }
        }
        std::fs::remove_file(&socket)?;
        if jobs.is_empty() { Ok(()) } else { Err("not every job was done".into()) }
    }

    /// A connection is a stream and a sink of the same messages; without one, what counts is the cause.
    async fn dial(path: PathBuf) -> Result<impl Frames, Cause> {
        let stream = UnixStream::connect(path).await.map_err(|error| match error.kind() {
            // No file, or one that a crash has left: nobody listens.
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => Cause::network(NetworkDetail::Refused),
            _ => Cause::NETWORK,
        })?;
        Ok(frames(stream))
    }

    /// The codec takes `Bytes` and yields `BytesMut`: to the driver messages must be of one type.
    fn frames(stream: UnixStream) -> impl Frames {
        Framed::new(stream, LengthDelimitedCodec::new()).map_ok(BytesMut::freeze)
    }

    trait Frames: Stream<Item = io::Result<Bytes>> + Sink<Bytes, Error = io::Error> + Unpin {}

    impl<T: Stream<Item = io::Result<Bytes>> + Sink<Bytes, Error = io::Error> + Unpin> Frames for T {}

    /// The first that is not done.
    fn job(jobs: &std::ops::RangeInclusive<u32>) -> Bytes {
        format!("job {}", jobs.start()).into()
    }

    /// How a daemon ends, at the third job.
    #[derive(Clone, Copy, PartialEq)]
    enum End {
        Never,
        /// Its socket goes with it.
        Properly,
        /// Its socket stays: a file that nobody listens to.
        ByCrash,
    }

    fn start_daemon(socket: &Path, end: End) -> io::Result<()> {
        // What a crash has left is in the way.
        if socket.exists() {
            std::fs::remove_file(socket)?;
        }
        let listener = UnixListener::bind(socket)?;
        let socket = socket.to_owned();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await?;
            serve(frames(stream), end).await?;
            if end == End::Properly {
                std::fs::remove_file(socket)?;
            }
            Ok::<_, io::Error>(())
        });
        Ok(())
    }

    /// Wants to be greeted before it does a job.
    async fn serve(mut worker: impl Frames, end: End) -> io::Result<()> {
        let (mut greeted, mut done) = (false, 0);
        while let Some(frame) = worker.try_next().await? {
            let answer = match frame.strip_prefix(b"job ") {
                None => {
                    greeted = true;
                    "welcome".into()
                }
                Some(_) if !greeted => "who are you?".into(),
                Some(_) if done == 2 && end != End::Never => break,
                Some(number) => {
                    done += 1;
                    format!("done {}", number.escape_ascii())
                }
            };
            worker.send(answer.into()).await?;
        }
        Ok(())
    }
}
