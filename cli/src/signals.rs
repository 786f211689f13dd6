//! The signals that ask a process to end.

use std::io;

/// Interrupt; on Unix also terminate and hang-up, so that they leave terminal and server as an interrupt does.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals {
    streams: Vec<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// From now on they no longer end the process by themselves.
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        if !hangup_is_ignored() {
            kinds.push(SignalKind::hangup());
        }
        Ok(Self { streams: kinds.into_iter().map(signal).collect::<io::Result<_>>()? })
    }

    /// Waits for one. Cancel-safe.
    pub(crate) async fn next(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| {
            if self.streams.iter_mut().any(|stream| stream.poll_recv(cx).is_ready()) {
                return std::task::Poll::Ready(Ok(()));
            }
            std::task::Poll::Pending
        })
        .await
    }
}

/// Whether `nohup` started us, as far as the system tells without `unsafe`: on Linux.
#[cfg(unix)]
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is 1, the lowest bit.
    mask.is_some_and(|mask| mask & 1 == 1)
}

/// Interrupt.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// From the first [`next`](Self::next) on it no longer ends the process by itself.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for one. Cancel-safe.
    pub(crate) async fn next(&mut self) -> io::Result<()> {
        tokio::signal::ctrl_c().await
    }
}
