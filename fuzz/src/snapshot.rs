//! Snapshots from outside: bytes, and valid ones that were changed.

use arbitrary::{Result, Unstructured};
use redial::{ConnectionId, Input, Policy, ReconnectMachine, Snapshot, Timestamp};
use serde_json::{Value, json};

use crate::text::assert_one_line;
use crate::walk;

/// Restores a snapshot: an error in one line, or a machine that keeps the laws whatever it is told then.
///
/// What begins with a brace is a snapshot, up to the end of the line; anything else says how to make one and what to
/// change in it. The bytes that are left say what happens to the restored machine.
pub fn snapshot(bytes: &[u8]) {
    let mut u = Unstructured::new(bytes);
    if bytes.starts_with(b"{") {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let (json, rest) = bytes.split_at(end);
        u = Unstructured::new(rest.get(1..).unwrap_or_default());
        if let Ok(value) = serde_json::from_slice(json) {
            let _ = restore(&mut u, &value);
        }
    } else if let Ok(value) = changed(&mut u) {
        let _ = restore(&mut u, &value);
    }
}

/// The snapshot of a machine after some steps, with some of its values changed.
fn changed(u: &mut Unstructured<'_>) -> Result<Value> {
    let mut machine = ReconnectMachine::new(walk::policy(u)?, u.arbitrary()?);
    let mut now = Timestamp::ZERO;
    for _ in 0..u.int_in_range(0..=12)? {
        now = now.max(walk::time(u, now, &machine)?.min(FAR));
        let input = walk::input(u, &machine)?;
        walk::step(&mut machine, now, input, false);
    }
    let snapshot = machine.snapshot(now);
    let mut value = serde_json::to_value(&snapshot).expect("a snapshot can be written");
    let read: Snapshot = serde_json::from_value(value.clone()).expect("what was written can be read");
    assert_eq!(read, snapshot, "a snapshot reads as it was written");
    let restored = ReconnectMachine::restore(machine.policy().clone(), &read, now).expect("an honest snapshot");
    assert_eq!(restored, machine, "snapshot: the restored machine is the original");
    for _ in 0..u.int_in_range(0..=3)? {
        change(u, &mut value)?;
    }
    Ok(value)
}

/// Changes one value, found by going down at random.
fn change(u: &mut Unstructured<'_>, value: &mut Value) -> Result<()> {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let key = u.choose_index(fields.len())?;
            fields.values_mut().nth(key).map_or(Ok(()), |field| change(u, field))
        }
        Value::Array(items) if !items.is_empty() => {
            let item = u.choose_index(items.len())?;
            items.get_mut(item).map_or(Ok(()), |item| change(u, item))
        }
        Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            *value = any_value(u)?;
            Ok(())
        }
    }
}

fn any_value(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=9)? {
        0 => json!("ever"),
        1 => json!("never"),
        2 => json!(u.arbitrary::<i64>()?),
        3 => json!(u.arbitrary::<u64>()?),
        4 => json!(u.arbitrary::<i16>()?),
        5 => json!(f64::from(u.arbitrary::<i32>()?) / 1000.0),
        6 => json!(u.arbitrary::<bool>()?),
        7 => Value::Null,
        8 => json!(*u.choose(&["idle", "closed", "failed", "offline", "excellent", "disconnected"])?),
        _ => json!({ "start": { "due": u.arbitrary::<i16>()? } }),
    })
}

/// Times up to here leave room for the longest span of a policy, and keep their microseconds in a number of JSON.
const FAR: Timestamp = Timestamp::from_millis(4_000_000_000_000);

fn restore(u: &mut Unstructured<'_>, value: &Value) -> Result<()> {
    let snapshot: Snapshot = match serde_json::from_value(value.clone()) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Ok(());
        }
    };
    let policy = walk::policy(u).unwrap_or_else(|_| Policy::chat());
    let mut now = Timestamp::from_millis(u.arbitrary::<u32>().unwrap_or(0).into());
    let mut machine = match ReconnectMachine::restore(policy, &snapshot, now) {
        Ok(machine) => machine,
        Err(error) => {
            assert_one_line(&error.to_string());
            return Ok(());
        }
    };
    let timeless = has_no_time(value);
    while !u.is_empty() {
        let at = walk::time(u, now, &machine)?;
        now = now.max(at);
        let input = walk::input(u, &machine)?;
        walk::step(&mut machine, at, input, timeless || now > FAR);
    }
    // Whatever it was: an end of the connection, then every deadline in its turn.
    let connection = machine.connection().unwrap_or(ConnectionId(1));
    let mut input = Input::Closed { connection, cause: redial::Cause::NETWORK };
    for _ in 0..32 {
        walk::step(&mut machine, now, input, timeless || now > FAR);
        input = Input::Timeout;
        match machine.deadline() {
            Some(deadline) => now = deadline,
            None => break,
        }
    }
    Ok(())
}

/// Whether a dial or its deadline never comes, as in a snapshot that was taken at the end of time.
fn has_no_time(value: &Value) -> bool {
    let state = &value["machine"]["state"];
    ["connecting", "handshaking", "open", "waiting", "held"].into_iter().any(|phase| {
        let state = &state[phase];
        let dials = ["start", "reconnect", "retry"].map(|pending| &state["pending"][pending]["due"]);
        dials.into_iter().chain([&state["until"], &state["open"]["health"]["nextPing"]]).any(|time| *time == "never")
    })
}
