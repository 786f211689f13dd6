//! The step table: every input in every state, and nothing else.

use super::ReconnectMachine;
use super::state::{Pending, State};
use crate::cause::Cause;
use crate::input::Input;
use crate::moment::Moment;
use crate::output::Outputs;
use crate::words::ConnectionId;

impl ReconnectMachine {
    pub(super) fn step(&mut self, now: Moment, input: Input, out: &mut Outputs) {
        // As with traffic: before any deadline the whole step is the input itself.
        if let Input::Pong { connection, ping } = input {
            if self.is_in_peace(connection, now) {
                self.on_pong(connection, ping, now, out);
                return;
            }
        }
        self.full_step(now, input, out);
    }

    #[inline(never)] // so that the short way saves no registers
    fn full_step(&mut self, now: Moment, input: Input, out: &mut Outputs) {
        let now = self.observe(now);
        let late = self.due <= now;
        let mut slept = false;
        if late {
            slept = self.notice_sleep(now);
            self.settle(now, out);
        }
        if matches!(input, Input::Timeout) {
            // Nothing but what is due.
            if late {
                self.fire_due(now, slept, out);
            }
            return;
        }
        self.take(input, now, out);
        self.due = self.next_deadline();
        if self.due <= now {
            self.fire_due(now, slept, out);
        }
    }

    #[inline]
    fn take(&mut self, input: Input, now: Moment, out: &mut Outputs) {
        match input {
            Input::Start => match self.mem.state {
                State::Idle | State::Closed | State::Failed => self.on_start(now, out),
                State::Connecting { .. }
                | State::Handshaking { .. }
                | State::Open { .. }
                | State::Waiting { .. }
                | State::Held { .. } => self.mem.accounts.on_misplaced(),
            },
            Input::Stop => match self.mem.state {
                State::Connecting { link, .. } | State::Handshaking { link, .. } => {
                    self.hang_up(link.connection, Cause::User, out);
                    self.on_finished(State::Closed, now, out);
                }
                State::Open { link, open } => {
                    self.hang_up_open(&link, &open, now, out);
                    self.on_finished(State::Closed, now, out);
                }
                State::Waiting { .. } | State::Held { .. } => self.on_finished(State::Closed, now, out),
                State::Idle | State::Closed | State::Failed => self.mem.accounts.on_misplaced(),
            },
            Input::Reconnect => match self.mem.state {
                State::Idle | State::Waiting { .. } | State::Held { .. } | State::Closed | State::Failed => {
                    self.on_reconnect(now, out);
                }
                State::Open { link, open } => {
                    self.hang_up_open(&link, &open, now, out);
                    self.on_reconnect(now, out);
                }
                State::Connecting { .. } | State::Handshaking { .. } => self.mem.accounts.on_misplaced(),
            },
            Input::Hold { reason } => {
                if self.mem.holds.insert(reason) {
                    match self.mem.state {
                        State::Waiting { pending, .. } => self.on_hold_waiting(pending, now, out),
                        State::Open { .. } => self.on_hold_open(reason, now, out),
                        State::Idle
                        | State::Connecting { .. }
                        | State::Handshaking { .. }
                        | State::Held { .. }
                        | State::Closed
                        | State::Failed => {}
                    }
                }
            }
            Input::Release { reason } => {
                if self.mem.holds.remove(reason) {
                    match self.mem.state {
                        State::Held { pending, .. } => self.on_release_held(pending, reason, now, out),
                        State::Idle
                        | State::Connecting { .. }
                        | State::Handshaking { .. }
                        | State::Open { .. }
                        | State::Waiting { .. }
                        | State::Closed
                        | State::Failed => {}
                    }
                }
            }
            Input::Opened { connection } => match self.mem.state {
                State::Connecting { link, .. } if link.connection == connection => self.on_opened(link, now, out),
                State::Connecting { .. }
                | State::Handshaking { .. }
                | State::Open { .. }
                | State::Idle
                | State::Waiting { .. }
                | State::Held { .. }
                | State::Closed
                | State::Failed => self.on_out_of_place(connection),
            },
            Input::Ready { connection } => match self.mem.state {
                State::Handshaking { link, .. } if link.connection == connection => self.on_ready(link, now, out),
                State::Connecting { .. }
                | State::Handshaking { .. }
                | State::Open { .. }
                | State::Idle
                | State::Waiting { .. }
                | State::Held { .. }
                | State::Closed
                | State::Failed => self.on_out_of_place(connection),
            },
            Input::Failed { connection, cause } | Input::Closed { connection, cause } => match self.mem.state.link() {
                Some(link) if link.connection == connection => self.on_ended(cause, now, out),
                Some(_) | None => self.on_out_of_place(connection),
            },
            Input::Received { connection } => match self.mem.state {
                State::Open { link, .. } if link.connection == connection => self.on_traffic(now),
                State::Connecting { .. }
                | State::Handshaking { .. }
                | State::Open { .. }
                | State::Idle
                | State::Waiting { .. }
                | State::Held { .. }
                | State::Closed
                | State::Failed => self.on_out_of_place(connection),
            },
            Input::Pong { connection, ping } => match self.mem.state {
                State::Open { link, .. } if link.connection == connection => self.on_pong(connection, ping, now, out),
                State::Connecting { .. }
                | State::Handshaking { .. }
                | State::Open { .. }
                | State::Idle
                | State::Waiting { .. }
                | State::Held { .. }
                | State::Closed
                | State::Failed => self.on_out_of_place(connection),
            },
            Input::Busy { on } => {
                let was = core::mem::replace(&mut self.mem.busy, on);
                match self.mem.state {
                    State::Open { .. } if was && !on => self.on_traffic(now),
                    State::Open { .. }
                    | State::Idle
                    | State::Connecting { .. }
                    | State::Handshaking { .. }
                    | State::Waiting { .. }
                    | State::Held { .. }
                    | State::Closed
                    | State::Failed => {}
                }
            }
            Input::Hint(hint) => {
                self.mem.hint = hint.into();
                match self.mem.state {
                    State::Waiting { pending: Pending::Retry(retry), until } => {
                        self.on_hint_waiting(hint, retry, until, now, out);
                    }
                    State::Held { pending: Pending::Retry(retry), since } => {
                        self.on_hint_held(hint, retry, since, now, out);
                    }
                    // Kept for the end of the connection, or ignored and used up by the dial that the user asked for.
                    State::Waiting { .. }
                    | State::Held { .. }
                    | State::Idle
                    | State::Connecting { .. }
                    | State::Handshaking { .. }
                    | State::Open { .. }
                    | State::Closed
                    | State::Failed => {}
                }
            }
            Input::Endpoints { count } => self.set_endpoints(count),
            Input::Budget { wait } => {
                self.mem.bucket.share();
                match self.mem.state {
                    State::Waiting { pending, until } => self.on_budget_waiting(pending, until, wait, now, out),
                    State::Idle
                    | State::Connecting { .. }
                    | State::Handshaking { .. }
                    | State::Open { .. }
                    | State::Held { .. }
                    | State::Closed
                    | State::Failed => {}
                }
            }
            Input::Timeout => {}
        }
    }

    /// Fires whatever is due at `now`, until nothing is. After a sleep a ping goes out even where nothing but stability
    /// was due: the peer may have gone in the meantime.
    fn fire_due(&mut self, now: Moment, slept: bool, out: &mut Outputs) {
        let mut slept = slept;
        loop {
            match self.mem.state {
                State::Connecting { link, .. } | State::Handshaking { link, .. } => {
                    self.hang_up(link.connection, Cause::Timeout, out);
                    self.on_ended(Cause::Timeout, now, out);
                }
                State::Open { open, .. } if open.stable_at <= now => self.settle(now, out),
                State::Open { link, .. } => self.on_health_due(link.connection, slept, now, out),
                State::Waiting { pending, .. } => self.on_due(pending, now, out),
                // These have no deadline.
                State::Idle | State::Held { .. } | State::Closed | State::Failed => {}
            }
            slept = false;
            self.due = self.next_deadline();
            if self.due > now {
                return;
            }
        }
    }

    /// An input names a connection that is not the present one, or does not fit the phase of the one that is.
    fn on_out_of_place(&mut self, connection: ConnectionId) {
        match self.mem.state.link() {
            Some(link) if link.connection == connection => self.mem.accounts.on_misplaced(),
            Some(_) | None => self.mem.accounts.on_stale(),
        }
    }
}
