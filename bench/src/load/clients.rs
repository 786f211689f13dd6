//! The clients of the load: every one a task with a session, all of them in one process with one thread.

use super::board::Board;
use super::{RATE, Spread};
use crate::clocks::{common_nanos, cpu, now};
use crate::idle::{memory, raise_limit};
use crate::runtimes::Runtime;
use redial_tokio::redial_driver::SessionHandle;
use redial_tokio::{Message, Payload, Policy, Session, SessionConfig, SessionEvent, StreamExt, WebSocket};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The length of every message.
pub(super) const MESSAGE: usize = 128;
/// The first byte of a message that is answered.
pub(super) const ECHO: u8 = 1;
/// The first byte of one that comes from nobody.
pub(super) const BROADCAST: u8 = 2;

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(90);

/// `bench session-clients`: prints everything that [`Load`](super::Load) says.
pub(crate) fn print(server: &str, control: &str, clients: usize, seconds: u64) {
    raise_limit();
    Runtime::Tokio.block_on(async {
        let mut orders = Orders::new(control);
        let board = Arc::new(Board::new(clients, (RATE * (seconds + 60)) as usize));
        let url = format!("ws://{server}/ws/chat");
        let (here, there) = (memory().map(|bytes| bytes as f64), orders.numbers("memory"));
        let start = common_nanos();
        let handles: Arc<[_]> = (0..clients).map(|index| begin(&url, index, &board)).collect();
        until(|| board.begun.len() >= clients).await;
        let mut figures = vec![board.begun.since(start).last];

        // Until every task waits.
        Runtime::Tokio.sleep(Duration::from_secs(1)).await;
        let each = |before: &[f64], after: &[f64]| {
            let each = before.iter().zip(after).map(|(before, after)| (after - before) / clients as f64);
            each.collect::<Vec<_>>()
        };
        figures.extend(each(&there, &orders.numbers("memory")));
        figures.extend(each(&here, &memory().map(|bytes| bytes as f64)));

        let before = (orders.numbers("cpu"), cpu());
        let pacer = Pacer::start(&handles, &board);
        Runtime::Tokio.sleep(Duration::from_secs(seconds)).await;
        let (messages, rate) = pacer.stop().await;
        until(|| board.unanswered() == 0 && board.unconfirmed() == 0).await;
        let there = orders.numbers("cpu")[0] - before.0[0];
        let here = (cpu() - before.1).as_secs_f64();
        figures.extend([messages, rate]);
        figures.extend(board.latencies.since(0).figures());
        figures.extend([there, here].map(|cpu| 1e6 * cpu / messages));

        let mut orders = Orders::later(orders, "broadcast").await.0;
        until(|| board.unheard() == 0).await;
        figures.extend(board.broadcast.since(0).figures());

        board.resumed.clear();
        let pacer = Pacer::start(&handles, &board);
        Runtime::Tokio.sleep(Duration::from_secs(1)).await;
        let cut;
        (orders, cut) = Orders::later(orders, "cut").await;
        assert_eq!(cut[1] as usize, clients, "all are cut");
        until(|| board.resumed.len() >= clients).await;
        Runtime::Tokio.sleep(Duration::from_secs(1)).await;
        let (meanwhile, _) = pacer.stop().await;
        until(|| board.unanswered() == 0 && board.unconfirmed() == 0).await;
        drop(orders);
        figures.push((cut[2] - cut[0]) / 1e6);
        figures.extend(board.resumed.since(cut[0] as i64).figures());
        figures.push(meanwhile);
        figures.extend([
            (board.unanswered() + board.unheard() as u64) as f64,
            board.wrong.load(Ordering::Relaxed) as f64,
            board.unconfirmed() as f64,
            board.lost_sessions.load(Ordering::Relaxed) as f64,
        ]);
        println!("{}", figures.iter().map(f64::to_string).collect::<Vec<_>>().join(" "));
    });
}

/// A client as it comes, with a task that reads.
fn begin(url: &str, index: usize, board: &Arc<Board>) -> SessionHandle<Message> {
    let builder = WebSocket::builder(url).policy(Policy::resilient());
    let mut session: Session = builder.session(SessionConfig::default()).expect("a good URL");
    let (handle, board) = (session.handle(), Arc::clone(board));
    Runtime::Tokio.spawn(async move {
        while let Some(event) = session.next().await {
            match event {
                SessionEvent::Message(message) => board.on_message(index, message.bytes()),
                SessionEvent::Session(event) => board.on_event(index, &event),
                SessionEvent::Notice(_) | _ => {}
            }
        }
    });
    handle
}

/// Sends at the fixed rate, one client after the other.
struct Pacer {
    running: Arc<AtomicBool>,
    done: tokio::task::JoinHandle<(f64, f64)>,
}

impl Pacer {
    fn start(handles: &Arc<[SessionHandle<Message>]>, board: &Arc<Board>) -> Self {
        let running = Arc::new(AtomicBool::new(true));
        let (handles, board, runs) = (Arc::clone(handles), Arc::clone(board), Arc::clone(&running));
        let done = tokio::spawn(async move {
            let (start, mut sent) = (now(), 0_u64);
            while runs.load(Ordering::Relaxed) {
                Runtime::Tokio.sleep(Duration::from_millis(1)).await;
                let due = ((now() - start).as_secs_f64() * RATE as f64) as u64;
                while sent < due {
                    let index = sent as usize % handles.len();
                    send(&handles[index], board.sent[index].fetch_add(1, Ordering::Relaxed) + 1);
                    sent += 1;
                }
            }
            (sent as f64, sent as f64 / (now() - start).as_secs_f64())
        });
        Self { running, done }
    }

    /// How many it has sent, and how many a second.
    async fn stop(self) -> (f64, f64) {
        self.running.store(false, Ordering::Relaxed);
        self.done.await.expect("it has run")
    }
}

fn send(handle: &SessionHandle<Message>, number: u64) {
    let mut message = vec![ECHO; MESSAGE];
    message[8..16].copy_from_slice(&common_nanos().to_be_bytes());
    message[16..24].copy_from_slice(&number.to_be_bytes());
    handle.send(Payload::binary(message)).expect("there is room");
}

/// Until it is so, or for as long as patience lasts: what is missing then is counted.
async fn until(reached: impl Fn() -> bool) {
    let start = now();
    while !reached() && now() - start < PATIENCE {
        Runtime::Tokio.sleep(Duration::from_millis(5)).await;
    }
}

/// The server's other port.
struct Orders {
    stream: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Orders {
    fn new(control: &str) -> Self {
        let stream = TcpStream::connect(control).expect("a connection");
        let answers = BufReader::new(stream.try_clone().expect("another handle"));
        Self { stream, answers }
    }

    fn numbers(&mut self, order: &str) -> Vec<f64> {
        writeln!(self.stream, "{order}").expect("it is open");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        line.split_whitespace().map(|word| word.parse().expect("a number")).collect()
    }

    /// The same, while the clients go on.
    async fn later(mut self, order: &'static str) -> (Self, Vec<f64>) {
        let told = tokio::task::spawn_blocking(move || {
            let numbers = self.numbers(order);
            (self, numbers)
        });
        told.await.expect("an answer")
    }
}

impl Spread {
    fn figures(self) -> [f64; 4] {
        [self.first, self.median, self.p99, self.last]
    }
}
