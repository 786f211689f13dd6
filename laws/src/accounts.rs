//! Accounts.

use crate::history::Seen;

#[derive(Clone, Debug, Default)]
pub(crate) struct TimeAddsUp;

impl TimeAddsUp {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct OneEnd;

impl OneEnd {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Failover;

impl Failover {
    pub(crate) fn watch(&mut self, _seen: &Seen<'_>) -> Result<bool, String> {
        Ok(false)
    }
}
