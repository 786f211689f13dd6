//! Lines to stdout, where a slow reader must not stop all else.

use std::io::{self, IsTerminal, Write};

use tokio::sync::{mpsc, oneshot};

/// How many lines wait for whoever reads them.
const LINES: usize = 256;

/// Where the lines of messages go.
#[derive(Debug)]
pub(crate) enum Stdout {
    /// The screen's business: the live line must be out of the way at that moment.
    Terminal,
    /// A thread of its own writes: the process can end while that one still waits for the reader.
    Thread {
        /// `None` once all has been said.
        lines: Option<mpsc::Sender<Vec<u8>>>,
        ended: oneshot::Receiver<io::Result<()>>,
    },
}

impl Stdout {
    /// This process's stdout.
    pub(crate) fn new() -> io::Result<Self> {
        if io::stdout().is_terminal() {
            return Ok(Self::Terminal);
        }
        let (lines, receiver) = mpsc::channel(LINES);
        let (end, ended) = oneshot::channel();
        std::thread::Builder::new().name("stdout".into()).spawn(move || end.send(write(receiver)))?;
        Ok(Self::Thread { lines: Some(lines), ended })
    }

    /// Takes a line (without its end) if there is place; gives it back otherwise.
    pub(crate) fn try_write(&self, line: Vec<u8>) -> Option<Vec<u8>> {
        let Self::Thread { lines: Some(lines), .. } = self else { return Some(line) };
        lines.try_send(line).err().map(mpsc::error::TrySendError::into_inner)
    }

    /// Takes the line, if there is one, as soon as there is place; ends with an error as soon as writing has failed, and
    /// waits for that if there is no line. Cancel-safe.
    pub(crate) async fn write(&mut self, line: &mut Option<Vec<u8>>) -> io::Result<()> {
        let Self::Thread { lines: Some(lines), ended } = self else { return std::future::pending().await };
        tokio::select! {
            Ok(place) = lines.reserve(), if line.is_some() => {
                if let Some(line) = line.take() {
                    place.send(line);
                }
                Ok(())
            }
            result = ended => result.unwrap_or(Ok(())),
        }
    }

    /// Waits until all lines are written. Cancel-safe.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        let Self::Thread { lines, ended } = self else { return Ok(()) };
        *lines = None;
        ended.await.unwrap_or(Ok(()))
    }
}

fn write(mut lines: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    while let Some(mut text) = lines.blocking_recv() {
        text.push(b'\n');
        // What waits already goes out in the same write.
        while text.len() < 1 << 16 {
            let Ok(line) = lines.try_recv() else { break };
            text.extend(line);
            text.push(b'\n');
        }
        stdout.write_all(&text)?;
        stdout.flush()?;
    }
    Ok(())
}
