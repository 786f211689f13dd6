//! Health.

use crate::history::Seen;

#[derive(Clone, Debug, Default)]
pub(crate) struct OnePing;

impl OnePing {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct DeadPeer;

impl DeadPeer {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct TrafficIsLife;

impl TrafficIsLife {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Grades;

impl Grades {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Smoothed;

impl Smoothed {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}
