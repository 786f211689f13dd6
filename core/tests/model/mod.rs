//! The contract's sections 1 to 4, written down a second time by a second reader: slow, obvious, and without looking at
//! the machine. Times are `i128` microseconds; what can be summed up again from the list of all that happened is.
//!
//! The sentences in quotes are the contract's.

mod dialling;
mod endpoints;
mod health;
mod oracle;
mod retry;

pub(crate) use oracle::{Oracle, earlier};
use redial::{
    Cause, Command, ConnectionId, Failover, Hint, HoldReason, Input, Notice, Output, Phase, PingId, Policy, Quality,
    Timestamp,
};

use dialling::{Asked, Pending};
use endpoints::Endpoint;
use health::Pings;

/// Time in microseconds, or a span of it.
pub(crate) type Us = i128;

pub(crate) fn us(span: redial::Micros) -> Us {
    Us::from(span.as_micros())
}

fn micros(span: Us) -> redial::Micros {
    redial::Micros::from_micros(u64::try_from(span).expect("a span is not negative"))
}

pub(crate) fn timestamp(at: Us) -> Timestamp {
    Timestamp::from_micros(u64::try_from(at).expect("a time is not negative"))
}

pub(crate) struct Model {
    policy: Policy,
    endpoints: u32,
    /// What is known of each.
    records: Vec<Endpoint>,
    now: Us,
    phase: Phase,
    /// Every phase there was, with the time from which.
    phases: Vec<(Us, Phase)>,
    /// The times of all dials.
    dials: Vec<Us>,
    /// "Holds are a set".
    holds: Vec<HoldReason>,
    connection: Option<Connection>,
    outage: Option<Outage>,
    /// The dial that waits, is held, or is about to be made.
    pending: Option<Pending>,
    hint: Option<Hint>,
    /// "after a 401 or 403 the next dial, whoever asks for it, has `freshCredentials`"
    refused: bool,
    /// "`busy` outlives connections."
    busy: bool,
    quality: Option<Quality>,
    /// The endpoint of the next dial where failover is ordered or round robin; while a connection lives and it is ordered,
    /// the one it is on.
    endpoint: u32,
    /// From the first `budget` on.
    shares_budget: bool,
    pings_sent: u64,
    last_failure: Cause,
    retries_dialled: u64,
    retries_opened: u64,
    stale: u64,
    outputs: Vec<Output>,
}

/// "one dial and the life that follows it"
struct Connection {
    id: ConnectionId,
    attempt: u32,
    asked: Asked,
    fresh_credentials: bool,
    /// `None` once it is none of the list's any more.
    endpoint: Option<u32>,
    /// "The delay that preceded it": "the retry's `jittered`; hint, budget and holds don't count; 0 for attempt 0."
    preceding_delay: Us,
    dialled_at: Us,
    opened_at: Option<Us>,
    ready_at: Option<Us>,
    stable: bool,
    pings: Pings,
}

/// "from `start`, or from the loss of a stable connection, until a connection has become stable."
struct Outage {
    began: Us,
    /// "retry n: the n-th automatic dial of an outage."
    retries: u32,
    /// "time slept (lateness beyond wakeGap)", sleep by sleep.
    sleeps: Vec<Us>,
    /// What decorrelated jitter remembers; "forgotten with the retry count."
    previous_delay: Option<Us>,
}

impl Outage {
    fn new(began: Us) -> Self {
        Self { began, retries: 0, sleeps: Vec::new(), previous_delay: None }
    }
}

impl Model {
    pub(crate) fn new(policy: &Policy, endpoints: u32) -> Self {
        Self {
            policy: policy.clone(),
            endpoints,
            records: vec![Endpoint::default(); endpoints as usize],
            now: 0,
            phase: Phase::Idle,
            phases: Vec::new(),
            dials: Vec::new(),
            // "false: starts with the hold `autoReconnectOff`"
            holds: if policy.auto_reconnect() { vec![] } else { vec![HoldReason::AutoReconnectOff] },
            connection: None,
            outage: None,
            pending: None,
            hint: None,
            refused: false,
            busy: false,
            quality: None,
            endpoint: 0,
            shares_budget: false,
            pings_sent: 0,
            last_failure: Cause::User,
            retries_dialled: 0,
            retries_opened: 0,
            stale: 0,
            outputs: Vec::new(),
        }
    }

    /// "one step is: `now` becomes the latest time seen; a connection ready for long enough becomes stable; the input is
    /// done; then whatever is still due at `now` fires, exactly as a timeout at `now` would"
    pub(crate) fn handle(&mut self, at: Us, input: Input, oracle: &mut Oracle) -> Vec<Output> {
        self.now = self.now.max(at);
        if self.phases.is_empty() {
            self.phases.push((self.now, Phase::Idle));
        }
        // "later than the earliest deadline": the one that stood when the step began, that of becoming stable included.
        // What the step itself makes due is not late.
        let met = self.deadline();
        let mut woke = met.is_some_and(|met| self.now - met > us(self.policy.wake_gap()));
        self.account_for_sleep(met);
        self.become_stable_if_due();
        self.take(input, oracle);
        let mut deadline = if input == Input::Timeout { met } else { self.deadline() };
        while deadline.is_some_and(|due| due <= self.now) {
            self.fire(woke, oracle);
            woke = false;
            deadline = self.deadline();
        }
        std::mem::take(&mut self.outputs)
    }

    pub(crate) fn deadline(&self) -> Option<Us> {
        match self.phase {
            Phase::Idle | Phase::Closed | Phase::Failed | Phase::Held => None,
            Phase::Waiting => self.dial_at(),
            Phase::Connecting => Some(self.connection.as_ref()?.dialled_at + us(self.policy.connect_timeout())),
            Phase::Handshaking => Some(self.connection.as_ref()?.opened_at? + us(self.policy.ready_timeout()?)),
            Phase::Open => {
                [self.stable_at(), self.dead_at(), self.connection.as_ref()?.pings.next_at].into_iter().flatten().min()
            }
        }
    }

    /// "time slept (lateness beyond wakeGap)": the contract doesn't say whether lateness counts that another input than a
    /// timeout meets first; the computer slept all the same, so here it counts.
    fn account_for_sleep(&mut self, deadline: Option<Us>) {
        let slept = deadline.map_or(0, |deadline| self.now - deadline - us(self.policy.wake_gap()));
        if let Some(outage) = self.outage.as_mut().filter(|_| slept > 0) {
            outage.sleeps.push(slept);
        }
    }

    fn fire(&mut self, woke: bool, oracle: &mut Oracle) {
        match self.phase {
            Phase::Idle | Phase::Closed | Phase::Failed | Phase::Held => {}
            Phase::Waiting => self.dial_falls_due(oracle),
            // "A dial or handshake that times out is hung up and is an `attemptFailed` with cause `timeout`"; "whose
            // timeout comes late has failed all the same."
            Phase::Connecting | Phase::Handshaking => {
                self.hang_up(Cause::Timeout);
                self.connection_ended(Cause::Timeout, oracle);
            }
            Phase::Open => self.fire_while_open(woke, oracle),
        }
    }

    /// "is stable once ready for max(stableAfter, the delay that preceded it)"
    fn stable_at(&self) -> Option<Us> {
        let connection = self.connection.as_ref()?;
        let after = us(self.policy.stable_after()).max(connection.preceding_delay);
        if connection.stable { None } else { Some(connection.ready_at? + after) }
    }

    fn become_stable_if_due(&mut self) {
        if self.stable_at().is_none_or(|at| at > self.now) {
            return;
        }
        let connection = self.connection.as_mut().expect("only a connection becomes stable");
        connection.stable = true;
        let connection = connection.id;
        // The outage is over, and with it the retry count. "a stable one … go back to the first"
        self.outage = None;
        if self.policy.failover() == Failover::Ordered {
            self.endpoint = 0;
        }
        self.notice(Notice::Stable { connection });
        self.endpoint_is_well();
    }

    fn take(&mut self, input: Input, oracle: &mut Oracle) {
        match input {
            Input::Start => self.start(oracle),
            Input::Stop => self.stop(),
            Input::Reconnect => self.reconnect(oracle),
            Input::Hold { reason } => self.hold(reason),
            Input::Release { reason } => self.release(reason, oracle),
            Input::Opened { connection } if self.is_present(connection) => self.opened(),
            Input::Ready { connection } if self.is_present(connection) => {
                if self.phase == Phase::Handshaking {
                    self.become_ready();
                }
            }
            // "`failed` and `closed` both end the connection they name, in whatever phase"
            Input::Failed { connection, cause } | Input::Closed { connection, cause }
                if self.is_present(connection) =>
            {
                self.connection_ended(cause, oracle);
            }
            Input::Received { connection } if self.is_present(connection) => self.traffic(),
            Input::Pong { connection, ping } if self.is_present(connection) => self.pong(ping),
            // "an input with another connection's id changes only a counter."
            Input::Opened { .. }
            | Input::Ready { .. }
            | Input::Failed { .. }
            | Input::Closed { .. }
            | Input::Received { .. }
            | Input::Pong { .. } => self.stale += 1,
            Input::Busy { on } => self.set_busy(on),
            Input::Hint(hint) => self.advise(hint, oracle),
            Input::Endpoints { count } => self.set_endpoints(count.get()),
            Input::Budget { wait } => self.share_budget(us(wait)),
            Input::Timeout => {}
        }
    }

    fn is_present(&self, id: ConnectionId) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.id == id)
    }

    fn opened(&mut self) {
        if self.phase != Phase::Connecting {
            return;
        }
        if let Some(connection) = &mut self.connection {
            connection.opened_at = Some(self.now);
        }
        // "if set, an open connection must report `ready` within it; null: open is ready"
        match self.policy.ready_timeout() {
            Some(_) => self.enter(Phase::Handshaking),
            None => self.become_ready(),
        }
    }

    fn become_ready(&mut self) {
        let began = self.outage.as_ref().expect("a connection that opens ends an outage").began;
        let connection = self.connection.as_mut().expect("only a connection becomes ready");
        connection.ready_at = Some(self.now);
        // "pings come healthCheckInterval apart, the first that long after ready"
        connection.pings.next_at = self.policy.health_check_interval().map(|interval| self.now + us(interval));
        let (id, attempt) = (connection.id, connection.attempt);
        if connection.asked == Asked::Retry {
            self.retries_opened += 1;
        }
        self.notice(Notice::Opened { connection: id, attempt, downtime: micros(self.now - began) });
        // "from ready to the first sample it is `null`"
        self.grade(None);
        self.enter(Phase::Open);
    }

    /// "from any phase but idle, closed and failed (where it changes nothing) the connection is hung up with cause
    /// `user` and the phase is closed."
    fn stop(&mut self) {
        if self.phase.is_terminal() {
            return;
        }
        self.withdraw_connection();
        self.pending = None;
        self.outage = None;
        self.enter(Phase::Closed);
    }

    /// For `stop` and `reconnect`: "a connection that was ready ends with exactly one `lost` (cause `user` …), one that
    /// was not with exactly one `attemptFailed`, except when `stop` withdraws it: then only `hangUp`."
    fn withdraw_connection(&mut self) {
        if self.connection.is_none() {
            return;
        }
        self.hang_up(Cause::User);
        if self.phase == Phase::Open {
            self.lost(Cause::User);
            self.endpoint_ended(Cause::User);
        }
        self.connection = None;
    }

    fn lost(&mut self, cause: Cause) {
        let connection = self.connection.as_ref().expect("only a connection is lost");
        let uptime = micros(self.now - connection.ready_at.expect("only a ready connection is lost"));
        self.notice(Notice::Lost { connection: connection.id, cause, uptime });
        // "a lost or failed connection makes it `disconnected`"
        self.grade(Some(Quality::Disconnected));
    }

    fn hang_up(&mut self, cause: Cause) {
        let connection = self.connection.as_ref().expect("only a connection is hung up").id;
        self.outputs.push(Output::Command(Command::HangUp { connection, cause }));
    }

    fn notice(&mut self, notice: Notice) {
        self.outputs.push(Output::Notice(notice));
    }

    fn enter(&mut self, to: Phase) {
        if to != self.phase {
            self.notice(Notice::Phase { from: self.phase, to });
            self.phase = to;
            self.phases.push((self.now, to));
        }
    }

    /// The time since the first input that was spent in these phases, from `since` on.
    fn time_in(&self, phases: &[Phase], since: Us) -> Us {
        let ends = self.phases.iter().skip(1).map(|(from, _)| *from).chain([self.now]);
        let spent = self.phases.iter().zip(ends).filter(|((_, phase), _)| phases.contains(phase));
        spent.map(|((from, _), to)| (to - (*from).max(since)).max(0)).sum()
    }

    pub(crate) fn now(&self) -> Us {
        self.now
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn holds(&self) -> &[HoldReason] {
        &self.holds
    }

    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        self.connection.as_ref().map(|connection| connection.id)
    }

    pub(crate) fn quality(&self) -> Option<Quality> {
        self.quality
    }

    /// "uptime open; held; idle = idle, closed, failed; downtime = the rest; together the time since the first input."
    pub(crate) fn accounts(&self) -> Accounts {
        let time_in = |phases: &[Phase]| self.time_in(phases, 0);
        Accounts {
            uptime: time_in(&[Phase::Open]),
            held: time_in(&[Phase::Held]),
            idle: time_in(&[Phase::Idle, Phase::Closed, Phase::Failed]),
            downtime: time_in(&[Phase::Connecting, Phase::Handshaking, Phase::Waiting]),
            retries: self.retries_dialled,
            retries_opened: self.retries_opened,
            stale: self.stale,
        }
    }

    pub(crate) fn last_connection(&self) -> ConnectionId {
        ConnectionId(self.dials.len() as u64)
    }

    pub(crate) fn last_ping(&self) -> PingId {
        PingId(self.pings_sent)
    }
}

/// What time and success add up to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Accounts {
    pub(crate) uptime: Us,
    pub(crate) downtime: Us,
    pub(crate) held: Us,
    pub(crate) idle: Us,
    pub(crate) retries: u64,
    pub(crate) retries_opened: u64,
    pub(crate) stale: u64,
}
