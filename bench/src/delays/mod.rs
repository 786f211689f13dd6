//! The delays of failures in a row: redial's `Backoff`, a hand-written floor, and five crates.
//!
//! All wait 100 ms at first, double, end at 30 s and have jitter on. An episode is the making (or the reset) of the state
//! and ten delays; "at cap" is the delay alone, where it grows no more.

mod floor;
mod ours;
mod peers;

use std::time::Duration;

/// The first delay.
pub(crate) const BASE: Duration = Duration::from_millis(100);
/// The longest delay.
pub(crate) const CAP: Duration = Duration::from_secs(30);
/// Delays of one episode.
pub(crate) const EPISODE: u64 = 10;
/// Delays after which every schedule is at its cap: 100 ms × 2⁹ is above 30 s.
pub(crate) const TO_CAP: u64 = 20;

/// One way to get a delay.
pub(crate) struct Delay {
    /// Its name in the tables.
    pub(crate) name: &'static str,
    /// Size of what must be kept between two delays; 0 for none.
    pub(crate) state: usize,
    /// Draws so many delays in episodes.
    pub(crate) episode: fn(u64),
    /// Draws so many delays at the cap.
    pub(crate) at_cap: fn(u64),
}

impl Delay {
    /// Whether it is redial's.
    pub(crate) fn is_ours(&self) -> bool {
        self.name.starts_with("redial")
    }
}

/// All of them; the first is the loop without any, the second the reference.
pub(crate) fn all() -> Vec<Delay> {
    [peers::EMPTY, peers::FLOOR].into_iter().chain(ours::ALL).chain(peers::ALL).collect()
}
