//! One connection: the client's socket, the upstream's, and the two pipes between them.

use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::board::{Board, Counters, Way};
use super::pipe::Pipe;

/// An order to end every connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// With a FIN.
    Drop,
    /// With a RST.
    Reset,
}

/// A connection that has been accepted.
#[derive(Debug)]
pub(super) struct Link {
    client: TcpStream,
    board: Arc<Board>,
    cuts: watch::Receiver<Cut>,
    /// Counts it as live for as long as this exists.
    life: Life,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Both peers have closed their direction.
    Finished,
    /// One of the peers is gone without closing; the other shall see the same.
    Broken,
    /// There is no upstream.
    Unreachable,
    /// By order.
    Cut(Cut),
}

impl Link {
    pub(super) fn new(client: TcpStream, board: &Arc<Board>, cuts: watch::Receiver<Cut>) -> Self {
        let life = Life::begin(board);
        Self { client, board: Arc::clone(board), cuts, life }
    }

    /// Carries its bytes until one of the peers, or an order, ends it.
    pub(super) async fn carry(mut self) {
        let mut upstream = None;
        let end = tokio::select! {
            cut = next_cut(&mut self.cuts) => End::Cut(cut),
            end = relay(&self.client, &mut upstream, &self.board, self.life.number) => end,
        };
        match end {
            End::Finished => self.hang_up(upstream, end),
            End::Broken | End::Unreachable | End::Cut(Cut::Reset) => {
                for socket in [Some(&self.client), upstream.as_ref()].into_iter().flatten() {
                    // Closing is then a RST. Fails only where the peer was faster.
                    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
                }
                self.hang_up(upstream, end);
            }
            End::Cut(Cut::Drop) => self.close(upstream).await,
        }
    }

    /// Closes it at once, cleanly.
    pub(super) async fn turn_away(self) {
        self.close(None).await;
    }

    /// Lets go of both sockets.
    fn hang_up(self, upstream: Option<TcpStream>, end: End) {
        drop((self.client, upstream));
        // Last, so that whoever sees it counted finds it done.
        self.life.end(end);
    }

    /// Sends both peers a FIN, and sees to it that they get it.
    async fn close(self, upstream: Option<TcpStream>) {
        finish(&self.client);
        if let Some(upstream) = &upstream {
            finish(upstream);
        }
        self.life.end(End::Cut(Cut::Drop));
        tokio::join!(linger(&self.client), async {
            if let Some(upstream) = &upstream {
                linger(upstream).await;
            }
        });
    }
}

/// Dials the upstream and runs both pipes to their end. The upstream's socket goes into a slot of the caller's, where
/// it outlives this future.
async fn relay(client: &TcpStream, slot: &mut Option<TcpStream>, board: &Board, number: u64) -> End {
    let Ok(upstream) = dial(board).await else {
        return End::Unreachable;
    };
    let upstream = &*slot.insert(upstream);
    // A link that gathers bytes on its own account would add a delay that nobody ordered; it is no fault if it can't
    // be told not to.
    let _ = client.set_nodelay(true);
    let _ = upstream.set_nodelay(true);
    let up = Pipe::new(client, upstream, Way::Up, board, number);
    let down = Pipe::new(upstream, client, Way::Down, board, number);
    match tokio::try_join!(up.run(), down.run()) {
        Ok(((), ())) => End::Finished,
        Err(_) => End::Broken,
    }
}

async fn dial(board: &Board) -> io::Result<TcpStream> {
    let mut conditions = board.conditions.subscribe();
    let open = conditions.wait_for(|conditions| !conditions.holds(Way::Up)).await;
    let address = open.map_err(io::Error::other)?.upstream;
    TcpStream::connect(address).await
}

async fn next_cut(cuts: &mut watch::Receiver<Cut>) -> Cut {
    match cuts.changed().await {
        Ok(()) => *cuts.borrow(),
        // The proxy is gone, and so will this task be.
        Err(_) => Cut::Drop,
    }
}

/// Sends a FIN. Fails only where the peer is gone already.
fn finish(socket: &TcpStream) {
    let _ = SockRef::from(socket).shutdown(Shutdown::Write);
}

/// For how long a peer may go on sending after a clean close; far more than a peer that notices takes.
const LINGER: Duration = Duration::from_secs(1);

/// Takes in and throws away what the peer still sends, until it closes too. To close a socket with bytes unread, or
/// one that more bytes come for, sends a RST, which makes the peer forget the FIN: what was to be a clean close would
/// look like a reset.
async fn linger(socket: &TcpStream) {
    let emptied = async {
        let mut waste = [0; 1024];
        while socket.readable().await.is_ok() {
            match socket.try_read(&mut waste) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
    };
    // Late or not, the socket is closed now.
    let _ = timeout(LINGER, emptied).await;
}

/// Keeps the counters true, also where a task is ended from outside.
#[derive(Debug)]
struct Life {
    board: Arc<Board>,
    /// The connection's, from 1.
    number: u64,
    end: End,
}

impl Life {
    fn begin(board: &Arc<Board>) -> Self {
        let mut number = 0;
        board.count(|counters| {
            counters.accepted = counters.accepted.saturating_add(1);
            counters.live = counters.live.saturating_add(1);
            number = counters.accepted;
        });
        Self { board: Arc::clone(board), number, end: End::Finished }
    }

    /// No longer live, and counted under what ended it, both at one instant.
    fn end(mut self, end: End) {
        self.end = end;
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let add = |counter: &mut u64| *counter = counter.saturating_add(1);
        self.board.count(|counters: &mut Counters| {
            counters.live = counters.live.saturating_sub(1);
            match self.end {
                End::Finished | End::Broken => {}
                End::Unreachable => add(&mut counters.unreachable),
                End::Cut(Cut::Drop) => add(&mut counters.dropped),
                End::Cut(Cut::Reset) => add(&mut counters.reset),
            }
        });
    }
}
