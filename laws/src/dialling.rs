//! Dialling.

use crate::history::Seen;

#[derive(Clone, Debug, Default)]
pub(crate) struct SingleFlight;

impl SingleFlight {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct StaleIsSilent;

impl StaleIsSilent {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct TerminalIsQuiet;

impl TerminalIsQuiet {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct NeverStuck;

impl NeverStuck {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct StopWins;

impl StopWins {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ManualIsImmediate;

impl ManualIsImmediate {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct HoldsHold;

impl HoldsHold {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}
