//! All the laws, by name.

use std::num::NonZeroU32;

use redial::Policy;

use crate::history::{History, Seen};
use crate::step::{Step, Us, at_us};
use crate::watched::Broken;
use crate::{accounts, causes, delay, dialling, health, time};

/// A chapter of the laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Chapter {
    /// What a step is and what time does.
    Time,
    /// When a dial is made, and when none.
    Dialling,
    /// How long a retry waits, and when it is given up.
    Delay,
    /// What follows from which failure.
    Causes,
    /// Pings, latency and grades.
    Health,
    /// What adds up.
    Accounts,
}

/// A law in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LawText {
    /// Its name; its tests have the same, in snake case.
    pub name: &'static str,
    /// Where it stands.
    pub chapter: Chapter,
    /// What it says.
    pub sentence: &'static str,
}

/// Beyond this the machine's arithmetic comes near 2⁶³ − 2 µs, where its documentation lets time end; only laws that ask
/// for no sum of times hold on.
const END_OF_TIME: Us = 1 << 62;

macro_rules! laws {
    ($($chapter:ident $name:literal $field:ident: $watcher:ty, $until:ident, $sentence:literal;)*) => {
        /// Every law, in the contract's order.
        pub const LAWS: &[LawText] = &[
            $(LawText { name: $name, chapter: Chapter::$chapter, sentence: $sentence },)*
        ];

        /// Every law with the history that it needs. A clone goes on from the same history.
        #[derive(Clone, Debug)]
        pub struct Laws {
            history: History,
            /// By law, as `met`.
            watching: Vec<bool>,
            met: Vec<u64>,
            $($field: $watcher,)*
        }

        impl Laws {
            /// All laws, for a machine of this policy that has seen nothing yet.
            #[must_use]
            pub fn new(policy: &Policy, endpoints: NonZeroU32) -> Self {
                Self {
                    history: History::new(policy, endpoints),
                    watching: vec![true; LAWS.len()],
                    met: vec![0; LAWS.len()],
                    $($field: <$watcher>::default(),)*
                }
            }

            /// Watches one step.
            ///
            /// # Errors
            /// The first law that it broke.
            pub fn watch(&mut self, step: &Step<'_>) -> Result<(), Broken> {
                let is = self.history.after(step);
                let seen = Seen { step, was: &self.history, is: &is };
                let ended = at_us(step.now) > END_OF_TIME;
                let mut laws = self.watching.iter().zip(&mut self.met);
                $(
                    if let Some((true, met)) = laws.next() {
                        if !ended || Until::$until == Until::Ever {
                            match self.$field.watch(&seen) {
                                Ok(yes) => *met += u64::from(yes),
                                Err(why) => return Err(Broken { law: $name, why }),
                            }
                        }
                    }
                )*
                self.history = is;
                Ok(())
            }
        }
    };
}

/// Until when a law holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// The end of time.
    End,
    /// And beyond.
    Ever,
}

laws! {
    Time "step" step: time::OneStep, End, "One step is: `now` becomes the latest time seen; a connection ready for long enough becomes stable; the input is done; then whatever is still due at `now` fires, exactly as a timeout at `now` would (stable, then a dead peer, then a ping). So an answer that comes with the deadline beats it, and `stop` and `hold` beat a due dial.";
    Time "progress" progress: time::Progress, Ever, "After any input at `now`, the deadline is none or later than `now`.";
    Time "no-early-effect" no_early_effect: time::NoEarlyEffect, End, "A timeout before the deadline changes nothing; at the deadline something changes.";
    Time "time-never-rewinds" time_never_rewinds: time::TimeNeverRewinds, Ever, "An earlier `now` acts as the latest one seen; any `now`, however large, is handled without panic.";
    Time "one-dial-after-a-jump" one_dial_after_a_jump: time::OneDialAfterAJump, Ever, "However late a timeout is handled, at most one dial follows from it.";
    Time "wake-is-not-loss" wake_is_not_loss: time::WakeIsNotLoss, End, "A timeout later than the earliest deadline by more than `wakeGap` never itself ends a connection in phase open: it sends a new ping, which takes the place of an unanswered one, and waits `pingTimeout` from then; while waiting it dials at once. A dial or handshake whose timeout comes late has failed all the same.";
    Time "shift-invariance" shift_invariance: time::ShiftInvariance, End, "Adding a constant to all times adds it to all outputs.";
    Time "replay" replay: time::Replay, Ever, "Same policy, seed and inputs, same outputs, bit for bit, on every platform.";
    Time "snapshot" snapshot: time::SnapshotLaw, End, "A machine restored from its snapshot behaves as the original (snapshots hold remaining durations, not times).";
    Dialling "single-flight" single_flight: dialling::SingleFlight, End, "From `dial` until that connection failed, closed or was hung up there is no other dial. A dial or handshake that times out is hung up and is an `attemptFailed` with cause `timeout`.";
    Dialling "stale-is-silent" stale_is_silent: dialling::StaleIsSilent, Ever, "An input with another connection's id changes only a counter.";
    Dialling "terminal-is-quiet" terminal_is_quiet: dialling::TerminalIsQuiet, Ever, "In idle, closed and failed there is no deadline and no output until `start` or `reconnect`. Only `start` and `reconnect` ever leave them: no environment input does.";
    Dialling "never-stuck" never_stuck: dialling::NeverStuck, End, "In any other phase there is a deadline, an unanswered dial, a hold, or an open connection (which has a deadline too unless health checks are off and it is stable).";
    Dialling "stop-wins" stop_wins: dialling::StopWins, Ever, "After `stop` no dial follows; from any phase but idle, closed and failed (where it changes nothing) the connection is hung up with cause `user` and the phase is closed.";
    Dialling "manual-is-immediate" manual_is_immediate: dialling::ManualIsImmediate, End, "`start` acts in idle, closed and failed only. `reconnect` while idle, waiting, held, closed or failed dials in the same step (if the budget has a token), begins a new outage, and while open hangs up the old connection first (`lost` with cause `user`); while connecting or handshaking it does nothing.";
    Dialling "holds-hold" holds_hold: dialling::HoldsHold, End, "While any hold stands no automatic dial starts and no attempt is used up; an open connection stays; `offline` while open sends a ping at once, unless one is unanswered: then that is the probe.";
    Dialling "shared-budget" shared_budget: dialling::SharedBudget, End, "Machines that ask one `SharedBudget` before each due dial make at most burst + w/refill dials in any span w, however they interleave, and whoever keeps coming at its turn dials at last. From the first `budget` on, a step makes no dial but one that was waiting and due when it began; any other, of `start` and `reconnect` too, waits for 1 µs at least. `budget` moves a dial that waits to `wait` from now, never sooner than it was, and uses up no attempt.";
    Delay "schedule" schedule: delay::Schedule, End, "Without jitter, retry n waits clamp(baseDelay × multiplier^(n-1), minDelay, maxDelay), for every n up to 2³²-1, to the microsecond.";
    Delay "jitter-bounds" jitter_bounds: delay::JitterBounds, End, "Full [minDelay, raw], equal [raw/2, raw], ratio r [raw(1-r), raw(1+r)], decorrelated [baseDelay, 3 × previous]; always clamped to [minDelay, maxDelay] in such a way that the spread survives at the cap; uniform.";
    Delay "reset-only-when-stable" reset_only_when_stable: delay::ResetOnlyWhenStable, End, "The retry count falls back to 0 only when a connection becomes stable, or on `start`/`reconnect`. A connection that opens and dies sooner counts as a failed retry.";
    Delay "hint-is-a-floor" hint_is_a_floor: delay::HintIsAFloor, End, "A hint or Retry-After never shortens a delay; delay = max(delay, min(floor, maxRetryAfter)) + uniform[0, min(spread, maxRetryAfter)]; without `spread`, a fifth of the floor where the floor prevailed, else 0; with every `jitter`. Of hint and Retry-After the longer counts; a newer hint replaces an older one; any dial uses it up. While a connection lives it is kept for the delay after its end; while a retry waits or is held it moves that to at least the floor from now; dials of `start` and `reconnect` ignore it. `stop: true`: no retry follows (at once if one waits or is held; `gaveUp` by verdict).";
    Delay "attempt-limit" attempt_limit: delay::AttemptLimit, End, "An outage has at most maxAttempts retries; when they have failed: `gaveUp`, failed. It does not limit attempt 0.";
    Delay "elapsed-limit" elapsed_limit: delay::ElapsedLimit, End, "As soon as a retry's `dialAt` would lie later than maxElapsed after the outage began, the machine gives up (never while held; a dial whose timer comes late is judged again); time in phase held and time slept (lateness beyond wakeGap) does not count. It does not limit attempt 0.";
    Delay "budget-limit" budget_limit: delay::BudgetLimit, End, "In any span w there are at most burst + w/refill dials; the bucket is full at first and refills evenly; a dial takes its token when it is made, and without one waits for it in phase waiting with a `retryScheduled` (attempt 0 for `start`/`reconnect`); nothing is given up for it.";
    Causes "verdicts" verdicts: causes::Verdicts, End, "Close 1000 from the peer ends in closed, without `gaveUp`; stop (`gaveUp` by verdict, failed) on close 1002, 1003, 1007, 1008, 1009, 1010; on http 400, 401, 403, 404, 410, 426 (after a 401 or 403 the next dial, whoever asks for it, has `freshCredentials`; a 401 or 403 on such a dial stops); on `superseded` (another client took over: two must not fight for ever); retry on everything else, honouring `retryAfter` wherever it is present. `verdicts`: keys `close:CODE`, `http:STATUS`, values `stop`, `retry`.";
    Health "one-ping" one_ping: health::OnePing, End, "At most one ping is unanswered; pings come healthCheckInterval apart, the first that long after ready, and one that falls due while another is unanswered is left out; whenever one is sent or left out the next falls due an interval later; ids 1, 2, 3 … are never reused. healthCheckInterval null: no pings at all, not even on `offline` or waking.";
    Health "dead-peer" dead_peer: health::DeadPeer, End, "Silence of pingTimeout after a ping ends the connection with `pingTimeout`.";
    Health "traffic-is-life" traffic_is_life: health::TrafficIsLife, End, "Any traffic after the ping (a pong to another ping too) moves the peer's death to pingTimeout after the traffic; so does `busy` going off. `busy` outlives connections.";
    Health "grades" grades: health::Grades, End, "With constant latency the grade is the table's; from ready to the first sample it is `null`, and a lost or failed connection makes it `disconnected`; the first sample takes the table's grade; later it gets worse only past bounds × (1 + hysteresis) and better only past bounds × (1 − hysteresis).";
    Health "smoothed" smoothed: health::Smoothed, End, "Smoothed is RFC 6298's SRTT (first sample sets it, then + (sample − smoothed)/8, exact to 1 µs over any number of samples), anew for each connection.";
    Accounts "time-adds-up" time_adds_up: accounts::TimeAddsUp, End, "By phase: uptime open; held; idle = idle, closed, failed; downtime = the rest; together the time since the first input. Success rate = retries that opened / retries dialled.";
    Accounts "one-end" one_end: accounts::OneEnd, End, "A connection that was ready ends with exactly one `lost` (cause `user` on `stop` and `reconnect`), one that was not with exactly one `attemptFailed`, except when `stop` withdraws it: then only `hangUp`. A ping timeout is `hangUp` and `lost`. After `hangUp` the id is stale at once. `failed` and `closed` both end the connection they name, in whatever phase; what else does not fit the phase is only counted.";
    Accounts "failover" failover: accounts::Failover, End, "Ordered: a failed dial or an unstable connection moves on to the next endpoint; a stable one, `start` and `reconnect` go back to the first. roundRobin: every dial takes the next.";
    Accounts "healthiest" healthiest: accounts::Healthiest, End, "A dial takes the endpoint with the best grade of smoothed latency among those that are not cooling down, or else the one whose cool-down ends first; among equals the first in the list. A failed dial, or the end of a connection for any cause but the user's, is a failure in a row and cools down for max(stableAfter, baseDelay), twice as long with each further one, up to maxRetryAfter, and at least for its `retryAfter`; a stable connection ends the row. A latency that is unknown, or older than maxRetryAfter, counts as excellent. An open connection is never hung up for another endpoint.";
}

impl Laws {
    /// The same, but only this law watches.
    ///
    /// # Panics
    /// If there is no law of this name.
    #[must_use]
    pub fn only(mut self, law: &str) -> Self {
        self.watching.fill(false);
        self.watching[place(law)] = true;
        self
    }

    /// The same, but these laws don't watch.
    ///
    /// # Panics
    /// If there is no law of one of these names.
    #[must_use]
    pub fn without(mut self, laws: &[&str]) -> Self {
        for law in laws {
            self.watching[place(law)] = false;
        }
        self
    }

    /// By law, in the order of [`LAWS`]: in how many of the steps it had something to say.
    #[must_use]
    pub fn met(&self) -> &[u64] {
        &self.met
    }
}

/// Where a law stands in [`LAWS`].
fn place(law: &str) -> usize {
    let place = LAWS.iter().position(|text| text.name == law);
    assert!(place.is_some(), "there is no law {law}");
    place.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laws() -> Laws {
        Laws::new(&Policy::default(), NonZeroU32::MIN)
    }

    fn watching(laws: &Laws) -> Vec<&str> {
        laws.watching.iter().zip(LAWS).filter(|(watching, _)| **watching).map(|(_, law)| law.name).collect()
    }

    #[test]
    fn a_law_is_chosen_by_its_name() {
        assert_eq!(watching(&laws().only("failover")), ["failover"]);
        let without = laws().without(&["failover"]);
        assert_eq!(watching(&without).len(), LAWS.len() - 1);
        assert!(!watching(&without).contains(&"failover"));
    }

    #[test]
    #[should_panic(expected = "there is no law fail-over")]
    fn no_law_has_a_wrong_name() {
        let _ = laws().only("fail-over");
    }

    #[test]
    #[should_panic(expected = "there is no law fail-over")]
    fn no_law_is_left_out_by_a_wrong_name() {
        let _ = laws().without(&["step", "fail-over"]);
    }
}
