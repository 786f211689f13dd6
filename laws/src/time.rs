//! Time.

use crate::history::Seen;

#[derive(Clone, Debug, Default)]
pub(crate) struct OneStep;

impl OneStep {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Progress;

impl Progress {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct NoEarlyEffect;

impl NoEarlyEffect {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct TimeNeverRewinds;

impl TimeNeverRewinds {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct OneDialAfterAJump;

impl OneDialAfterAJump {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct WakeIsNotLoss;

impl WakeIsNotLoss {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ShiftInvariance;

impl ShiftInvariance {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Replay;

impl Replay {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct SnapshotLaw;

impl SnapshotLaw {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}
