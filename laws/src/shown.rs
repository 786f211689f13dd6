//! When a dial that waits or is held is due, as the machine shows it.

use redial::{Command, HoldReason, Input, Notice, Output, RetryScheduled};

use crate::step::Step;

pub(crate) enum Shown {
    Waits(RetryScheduled),
    Due,
}

impl Shown {
    /// A dial that is held shows itself in a copy of the machine, once that is released: `hidden` last, so that nothing is
    /// spread.
    pub(crate) fn when_released(step: &Step<'_>) -> Option<Self> {
        let mut copy = step.after.clone();
        let mut handle = |input| copy.handle(step.now, input);
        let _ = handle(Input::Hold { reason: HoldReason::Hidden });
        for reason in [HoldReason::Offline, HoldReason::AutoReconnectOff, HoldReason::Idle] {
            let _ = handle(Input::Release { reason });
        }
        let outputs = handle(Input::Release { reason: HoldReason::Hidden });
        outputs.into_iter().find_map(|output| match output {
            Output::Notice(Notice::RetryScheduled(scheduled)) => Some(Self::Waits(scheduled)),
            Output::Command(Command::Dial(_)) => Some(Self::Due),
            Output::Notice(_) | Output::Command(_) => None,
        })
    }
}
