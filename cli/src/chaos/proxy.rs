//! The proxy: accepts clients and carries out orders, one thing after the other.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::board::{Board, Counters};
use super::command::Command;
use super::control::{Control, ControlError, Order, Reply, Status};
use super::door::Door;
use super::link::{Cut, Link};

/// A TCP proxy whose network can be made bad. It listens from [`bind`](Self::bind) on and works while
/// [`run`](Self::run) is polled.
#[derive(Debug)]
pub struct Proxy {
    door: Door,
    board: Arc<Board>,
    cuts: watch::Sender<Cut>,
    orders: mpsc::Receiver<Order>,
    control: Control,
}

/// Orders that may wait. One who gives more waits until the proxy has come to his.
const ORDERS: usize = 16;

impl Proxy {
    /// Listens on an address (port 0: any free port), for connections to be carried to the upstream.
    ///
    /// # Errors
    /// What binding or listening fails with, such as [`io::ErrorKind::AddrInUse`].
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled, as every socket of tokio's does.
    pub fn bind(listen: SocketAddr, upstream: SocketAddr) -> io::Result<Self> {
        let door = Door::open(listen)?;
        let board = Arc::new(Board::new(upstream));
        let (sender, orders) = mpsc::channel(ORDERS);
        let control = Control::new(sender, board.counters.subscribe());
        Ok(Self { door, board, cuts: watch::Sender::new(Cut::Drop), orders, control })
    }

    /// The address that it listens on, with the port that it got.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.door.address()
    }

    /// A handle that tells it what to do.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Works until it is dropped, and all connections end with it. Needs tokio's time to be enabled.
    pub async fn run(mut self) -> Infallible {
        let mut links = JoinSet::new();
        loop {
            tokio::select! {
                Some(order) = self.orders.recv() => {
                    // Who came before the order was given falls under what held before.
                    while let Some(client) = self.door.accept_waiting() {
                        self.admit(client, &mut links);
                    }
                    let reply = self.carry_out(order.command).await;
                    // Whoever asked need not have waited for the answer.
                    let _ = order.answer.send(reply);
                }
                client = self.door.accept() => self.admit(client, &mut links),
                Some(_) = links.join_next() => {}
            }
        }
    }

    fn admit(&self, client: TcpStream, links: &mut JoinSet<()>) {
        let link = Link::new(client, &self.board, self.cuts.subscribe());
        if self.board.conditions.borrow().accept_then_drop {
            links.spawn(link.turn_away());
        } else {
            links.spawn(link.carry());
        }
    }

    async fn carry_out(&mut self, command: Command) -> Result<Reply, ControlError> {
        match command {
            Command::Drop => Ok(Reply::Ended(self.cut_all(Cut::Drop).await)),
            Command::Reset => Ok(Reply::Ended(self.cut_all(Cut::Reset).await)),
            Command::Status => Ok(Reply::Status(Status {
                conditions: *self.board.conditions.borrow(),
                counters: *self.board.counters.borrow(),
            })),
            Command::Delay { .. }
            | Command::Rate(_)
            | Command::Refuse(_)
            | Command::AcceptThenDrop(_)
            | Command::Blackhole { .. }
            | Command::Upstream(_)
            | Command::Heal => self.change(command),
        }
    }

    /// Ends all connections and waits until they have ended, which is a matter of their tasks' next turn.
    async fn cut_all(&self, how: Cut) -> u64 {
        let ended = |counters: &Counters| counters.dropped.saturating_add(counters.reset);
        let mut counters = self.board.counters.subscribe();
        let before = ended(&counters.borrow());
        self.cuts.send_replace(how);
        // Nobody is admitted meanwhile. It could fail only if the board were gone, which is ours.
        let after = counters.wait_for(|counters| counters.live == 0).await.map_or(before, |counters| ended(&counters));
        after.saturating_sub(before)
    }

    fn change(&mut self, command: Command) -> Result<Reply, ControlError> {
        let conditions = command.changed(*self.board.conditions.borrow());
        if conditions.refuse {
            self.door.shut();
        } else {
            self.door.reopen().map_err(ControlError::Listen)?;
        }
        self.board.conditions.send_replace(conditions);
        Ok(Reply::Done)
    }
}
