//! A proxy that cuts connections, at any byte.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::random::Random;

/// When a connection is cut: after so many bytes one way or the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    to_server: Option<u64>,
    to_client: Option<u64>,
    how: How,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Reset,
    Finish,
    /// The client's end is reset; the server hears of it only when its successor is there.
    ServerLast,
    /// The other way round.
    ClientLast,
}

impl Cut {
    /// A third of them while the connection is being made.
    fn draw(random: &mut Random) -> Self {
        let bytes = match random.between(0, 5) {
            0 => random.between(0, 250),
            1 => random.between(0, 800),
            2 | 3 => random.between(300, 8_000),
            _ => random.between(300, 60_000),
        };
        let how = match random.between(0, 19) {
            0..=8 => How::Reset,
            9..=14 => How::Finish,
            15..=18 => How::ServerLast,
            _ => How::ClientLast,
        };
        if random.percent(50) {
            Self { to_server: Some(bytes), to_client: None, how }
        } else {
            Self { to_server: None, to_client: Some(bytes), how }
        }
    }
}

/// What it does to connections.
#[derive(Debug)]
struct Plan {
    random: Random,
    left: u64,
    /// Ends that don't know yet that they are dead.
    held: VecDeque<TcpStream>,
}

/// How many of them at a time.
const HELD: usize = 4;

/// A proxy in front of a server.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    cuts: watch::Receiver<u64>,
    flow: watch::Sender<Flow>,
    task: AbortHandle,
}

/// What goes through: all, unless it is a black hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) to_server: bool,
    pub(crate) to_client: bool,
}

impl Flow {
    const OPEN: Self = Self { to_server: true, to_client: true };
}

impl Proxy {
    /// One that makes so many cuts, and none after that.
    pub(crate) async fn start(server: u16, cuts: u64, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Arc::new(Mutex::new(Plan { random: Random::new(seed), left: cuts, held: VecDeque::new() }));
        let (made, cuts) = watch::channel(0);
        let (flow, flowing) = watch::channel(Flow::OPEN);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&plan), made.clone(), flowing.clone()));
            }
        });
        Self { port, cuts, flow, task: task.abort_handle() }
    }

    /// Waits until so many cuts were made.
    pub(crate) async fn until_cut(&self, times: u64) {
        self.cuts.clone().wait_for(|cuts| *cuts >= times).await.unwrap();
    }

    pub(crate) fn cuts(&self) -> u64 {
        *self.cuts.borrow()
    }

    /// From now on; also on connections that stand.
    pub(crate) fn set(&self, flow: Flow) {
        self.flow.send_replace(flow);
    }

    pub(crate) fn heal(&self) {
        self.set(Flow::OPEN);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    mut client: TcpStream,
    server: u16,
    plan: Arc<Mutex<Plan>>,
    made: watch::Sender<u64>,
    flow: watch::Receiver<Flow>,
) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let (Ok(()), Ok(())) = (client.set_nodelay(true), server.set_nodelay(true)) else { return };
    let cut = {
        let mut plan = plan.lock().unwrap();
        (plan.left > 0).then(|| {
            plan.left -= 1;
            Cut::draw(&mut plan.random)
        })
    };
    let limits = (cut.and_then(|cut| cut.to_server), cut.and_then(|cut| cut.to_client));
    let ended = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let there = pump(&mut from_client, &mut to_server, limits.0, flow.clone(), |flow| flow.to_server);
        let back = pump(&mut from_server, &mut to_client, limits.1, flow, |flow| flow.to_client);
        tokio::pin!(there, back);
        tokio::select! {
            ended = &mut there => if ended == Ended::Cut { ended } else { back.await },
            ended = &mut back => if ended == Ended::Cut { ended } else { there.await },
        }
    };
    let mut plan = plan.lock().unwrap();
    let Some(cut) = cut else { return };
    if ended == Ended::Over {
        // It ended by itself: its cut is still to be made.
        plan.left += 1;
        return;
    }
    match cut.how {
        How::Reset => {
            reset(client);
            reset(server);
        }
        How::Finish => {}
        How::ServerLast => {
            reset(client);
            plan.held.push_back(server);
        }
        How::ClientLast => {
            reset(server);
            plan.held.push_back(client);
        }
    }
    if plan.held.len() > HELD {
        plan.held.pop_front();
    }
    made.send_modify(|made| *made += 1);
}

fn reset(stream: TcpStream) {
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// Its bytes are through.
    Cut,
    /// One of the ends is.
    Over,
}

async fn pump(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    mut left: Option<u64>,
    mut flow: watch::Receiver<Flow>,
    is_open: impl Fn(&Flow) -> bool,
) -> Ended {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let most = left.map_or(buffer.len(), |left| buffer.len().min(usize::try_from(left).unwrap()));
        if most == 0 {
            return Ended::Cut;
        }
        if flow.wait_for(&is_open).await.is_err() {
            return Ended::Over;
        }
        let count = match from.read(&mut buffer[..most]).await {
            Ok(count) if count > 0 => count,
            Ok(_) | Err(_) => break,
        };
        // What comes out of a black hole late comes out in order.
        if flow.wait_for(&is_open).await.is_err() || to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
        left = left.map(|left| left - count as u64);
    }
    let _ = to.shutdown().await;
    Ended::Over
}
