//! What the machine drew. The model can't know a draw: it takes the machine's and checks that it is within the bounds.

use redial::{Command, HoldReason, Input, Notice, Output, Phase, ReconnectMachine, RetryScheduled};

use super::{Us, timestamp, us};

/// The machine's answers to one step, read for its draws only.
pub(crate) struct Oracle {
    scheduled: Option<RetryScheduled>,
    dialled: bool,
    endpoint: Option<u32>,
    /// Draws out of bounds.
    pub(crate) complaints: Vec<String>,
    /// A draw was made that nothing shows: the comparison has to end here.
    pub(crate) blind: bool,
}

impl Oracle {
    /// `machine` is as it is after the step, and so much ahead of the model.
    pub(crate) fn new(machine: &ReconnectMachine, now: Us, ahead: Us, outputs: &[Output]) -> Self {
        let mut oracle = Self { scheduled: None, dialled: false, endpoint: None, complaints: Vec::new(), blind: false };
        oracle.read(outputs);
        // What was drawn while held, or for a dial that has to wait for its token anyhow, shows only later: in a copy
        // that is held and released at once (`hidden` last, so that nothing is spread).
        if oracle.scheduled.is_none() && !oracle.dialled && matches!(machine.phase(), Phase::Held | Phase::Waiting) {
            let mut copy = machine.clone();
            let mut handle = |input| copy.handle(timestamp(now + ahead), input);
            let _ = handle(Input::Hold { reason: HoldReason::Hidden });
            for reason in [HoldReason::Offline, HoldReason::AutoReconnectOff, HoldReason::Idle] {
                let _ = handle(Input::Release { reason });
            }
            let shown = handle(Input::Release { reason: HoldReason::Hidden });
            let shown: Vec<_> = shown.into_iter().map(|output| earlier(output, ahead)).collect();
            oracle.read(&shown);
            // The endpoint of that dial is none of this step.
            oracle.endpoint = None;
        }
        oracle
    }

    fn read(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Notice(Notice::RetryScheduled(scheduled)) => self.scheduled = Some(*scheduled),
                Output::Command(Command::Dial(dial)) => {
                    self.dialled = true;
                    self.endpoint = Some(dial.endpoint);
                }
                Output::Notice(_) | Output::Command(Command::HangUp { .. } | Command::Ping { .. }) => {}
            }
        }
    }

    /// The delay after jitter.
    pub(super) fn jittered(&mut self, low: Us, high: Us) -> Us {
        let shown = self.scheduled.map(|scheduled| us(scheduled.jittered));
        self.draw("jittered", shown, low, high)
    }

    /// When a dial is due, waiting for its token not included.
    pub(super) fn due(&mut self, low: Us, high: Us) -> Us {
        let at = |scheduled: RetryScheduled| Us::from(scheduled.dial_at.as_micros()) - us(scheduled.budget);
        self.draw("due", self.scheduled.map(at), low, high)
    }

    pub(super) fn endpoint(&mut self, endpoints: u32) -> u32 {
        let endpoint = self.endpoint.unwrap_or(0);
        if endpoint >= endpoints {
            self.complaints.push(format!("endpoint {endpoint} of {endpoints}"));
        }
        endpoint
    }

    fn draw(&mut self, what: &str, shown: Option<Us>, low: Us, high: Us) -> Us {
        let value = match shown {
            Some(value) => value,
            // Dialled at once, without a notice: the least that could be drawn.
            None if self.dialled => low,
            // Given up because of what was drawn (the greatest shows whether that can be right), or given up in the copy.
            None => {
                self.blind |= low < high;
                high
            }
        };
        if value < low || value > high {
            self.complaints.push(format!("{what} {value} is not within {low} to {high}"));
        }
        value
    }
}

/// With the times of a machine that is ahead.
pub(crate) fn earlier(output: Output, ahead: Us) -> Output {
    match output {
        Output::Notice(Notice::RetryScheduled(scheduled)) => {
            let dial_at = timestamp(Us::from(scheduled.dial_at.as_micros()) - ahead);
            Output::Notice(Notice::RetryScheduled(RetryScheduled { dial_at, ..scheduled }))
        }
        Output::Notice(_) | Output::Command(_) => output,
    }
}
