//! Delay.

use crate::history::Seen;

#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule;

impl Schedule {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct JitterBounds;

impl JitterBounds {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ResetOnlyWhenStable;

impl ResetOnlyWhenStable {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct HintIsAFloor;

impl HintIsAFloor {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct AttemptLimit;

impl AttemptLimit {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ElapsedLimit;

impl ElapsedLimit {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct BudgetLimit;

impl BudgetLimit {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}
