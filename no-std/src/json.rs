//! The contract's JSON with an allocator and without std.

extern crate alloc;

use alloc::string::String;
use redial::{Policy, Snapshot};

/// Writes and reads what people store.
pub(crate) fn there_and_back(policy: &Policy, snapshot: &Snapshot) -> Option<(Policy, Snapshot)> {
    let policy: String = serde_json::to_string(policy).ok()?;
    let snapshot = serde_json::to_string(snapshot).ok()?;
    Some((serde_json::from_str(&policy).ok()?, serde_json::from_str(&snapshot).ok()?))
}
