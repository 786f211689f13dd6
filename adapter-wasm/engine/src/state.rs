//! The machine whose turn it is, the budget whose turn it is, and the policy that is being put together.

use redial::{PolicyBuilder, ReconnectMachine, SharedBudget, Turn};
use spin::mutex::SpinMutex;

/// What the host keeps for each machine.
pub(crate) struct Slot {
    pub(crate) machine: Option<ReconnectMachine>,
    /// What the shared budget has promised it.
    pub(crate) turn: Option<Turn>,
}

pub(crate) static SLOT: SpinMutex<Slot> = SpinMutex::new(Slot { machine: None, turn: None });
pub(crate) static BUDGET: SpinMutex<Option<SharedBudget>> = SpinMutex::new(None);
pub(crate) static BUILDER: SpinMutex<Option<PolicyBuilder>> = SpinMutex::new(None);
