//! One direction of one connection: reads, keeps for as long as it must, writes.

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::board::{Board, Way};
use super::queue::{Queue, What};

/// The bytes that go one way.
#[derive(Debug)]
pub(super) struct Pipe<'a> {
    from: &'a TcpStream,
    to: &'a TcpStream,
    way: Way,
    board: &'a Board,
    /// The origin of all times in the queue.
    epoch: Instant,
    queue: Queue,
}

/// Bytes read at a time.
const READ_BYTES: usize = 16 * 1024;

impl<'a> Pipe<'a> {
    /// `number` is the connection's; the jitter follows from it, so that runs are alike.
    pub(super) fn new(from: &'a TcpStream, to: &'a TcpStream, way: Way, board: &'a Board, number: u64) -> Self {
        let seed = match way {
            Way::Up => number.wrapping_mul(2),
            Way::Down => number.wrapping_mul(2).wrapping_add(1),
        };
        Self { from, to, way, board, epoch: Instant::now(), queue: Queue::new(seed) }
    }

    /// Passes everything on, up to and including the end.
    ///
    /// # Errors
    /// The one that either socket has failed with: the connection is broken.
    pub(super) async fn run(mut self) -> io::Result<()> {
        let mut changes = self.board.conditions.subscribe();
        loop {
            let conditions = *changes.borrow_and_update();
            if conditions.holds(self.way) {
                let open = changes.wait_for(|conditions| !conditions.holds(self.way)).await;
                drop(open.map_err(io::Error::other)?);
                // What was held passes at the link's rate from now, not as if it had been on its way meanwhile.
                self.queue.idle_until(self.now_us());
                continue;
            }
            let next_us = self.queue.next(&conditions).map(|next| next.at_us);
            tokio::select! {
                changed = changes.changed() => changed.map_err(io::Error::other)?,
                ready = self.from.readable(), if self.queue.room() > 0 => {
                    ready?;
                    self.take_in();
                }
                ready = self.passable(next_us.unwrap_or_default()), if next_us.is_some() => {
                    ready?;
                    if self.pass_on()? == Progress::Ended {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Waits until it is time and the socket takes bytes.
    async fn passable(&self, at_us: u64) -> io::Result<()> {
        // Most bytes are due at once; they shall not go through the timer.
        if at_us > self.now_us() {
            sleep_until(self.epoch + Duration::from_micros(at_us)).await;
        }
        self.to.writable().await
    }

    /// Reads what there is.
    fn take_in(&mut self) {
        let now_us = self.now_us();
        let mut bytes = [0; READ_BYTES];
        let room = self.queue.room().min(READ_BYTES);
        match self.from.try_read(&mut bytes[..room]) {
            Ok(0) => self.queue.push_end(now_us, Ok(())),
            Ok(read) => self.queue.push(now_us, &bytes[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => self.queue.push_end(now_us, Err(error.kind())),
        }
    }

    /// Writes what is due. The conditions stay locked meanwhile: once an order to hold the bytes has been answered, no
    /// write that was about to happen follows. Nothing here waits.
    fn pass_on(&mut self) -> io::Result<Progress> {
        let conditions = self.board.conditions.borrow();
        if conditions.holds(self.way) {
            return Ok(Progress::More);
        }
        let Some(next) = self.queue.next(&conditions) else {
            return Ok(Progress::More);
        };
        // A condition may have changed since the sleep began.
        if next.at_us > self.now_us() {
            return Ok(Progress::More);
        }
        match next.what {
            What::Bytes(bytes) => match self.to.try_write(bytes) {
                Ok(written) => {
                    self.queue.passed(written, &conditions);
                    self.board.count_bytes(self.way, written as u64);
                    Ok(Progress::More)
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Progress::More),
                Err(error) => Err(error),
            },
            What::End(Ok(())) => {
                SockRef::from(self.to).shutdown(Shutdown::Write)?;
                Ok(Progress::Ended)
            }
            What::End(Err(kind)) => Err(kind.into()),
        }
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// What passing on has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    More,
    Ended,
}
