//! Inputs and times out of bytes, and the laws that hold of any machine at every step.

use std::num::NonZeroU32;

use arbitrary::{Result, Unstructured};
use redial::{
    Cause, Command, ConnectionId, DialBudget, Failover, Hint, HoldReason, Input, Jitter, Micros, NetworkDetail, PingId,
    Policy, ReconnectMachine, Timestamp,
};

/// 143 years: the microseconds of sums of these still fit a number of JSON.
const LONG: Micros = Micros::from_micros(1 << 52);

/// One of a few policies that lead into every corner.
pub(crate) fn policy(u: &mut Unstructured<'_>) -> Result<Policy> {
    let ms = Micros::from_millis;
    let endless = Policy::builder().max_attempts(None).dial_budget(None);
    let builder = match u.int_in_range(0..=7)? {
        0 => Policy::chat().to_builder(),
        1 => Policy::resilient().to_builder(),
        2 => Policy::builder().health_check_interval(None),
        3 => endless.base_delay(ms(0)).max_delay(ms(0)).connect_timeout(Micros::from_micros(1)),
        4 => endless.jitter(Jitter::Decorrelated).ready_timeout(ms(2000)).ping_timeout(LONG),
        5 => endless.jitter(Jitter::Ratio(1.0)).max_elapsed(ms(9000)).stable_after(ms(0)).wake_gap(ms(0)),
        6 => endless.failover(Failover::Healthiest).stable_after(ms(10)).max_retry_after(LONG),
        _ => Policy::builder().dial_budget(DialBudget { burst: 1, refill: LONG }).auto_reconnect(false),
    };
    Ok(builder.build().expect("these are valid"))
}

/// Any time, most often one that matters: the deadline, a microsecond beside it, a little later, far away.
pub(crate) fn time(u: &mut Unstructured<'_>, now: Timestamp, machine: &ReconnectMachine) -> Result<Timestamp> {
    let deadline = machine.deadline().unwrap_or(now);
    Ok(match u.int_in_range(0..=7)? {
        0 | 1 => deadline,
        2 => Timestamp::from_micros(deadline.as_micros().saturating_sub(1)),
        3 => deadline.saturating_add(Micros::from_micros(u.arbitrary::<u32>()?.into())),
        4 => now,
        5 => now.saturating_add(Micros::from_millis(u.arbitrary::<u16>()?.into())),
        6 => now.saturating_add(Micros::from_micros(u.arbitrary::<u32>()?.into())),
        _ => Timestamp::from_micros(u.arbitrary()?),
    })
}

/// Any input, most often about the present connection.
pub(crate) fn input(u: &mut Unstructured<'_>, machine: &ReconnectMachine) -> Result<Input> {
    let stale = u.ratio(1, 16)?;
    let connection = match machine.connection() {
        Some(connection) if !stale => connection,
        Some(_) | None => ConnectionId(u.arbitrary()?),
    };
    Ok(match u.int_in_range(0..=15)? {
        0 => Input::Start,
        1 => Input::Stop,
        2 => Input::Reconnect,
        3 => Input::Hold { reason: *u.choose(HoldReason::ALL)? },
        4 => Input::Release { reason: *u.choose(HoldReason::ALL)? },
        5 => Input::Opened { connection },
        6 => Input::Ready { connection },
        7 => Input::Failed { connection, cause: cause(u)? },
        8 => Input::Closed { connection, cause: cause(u)? },
        9 => Input::Received { connection },
        10 => Input::Pong { connection, ping: PingId(u.arbitrary::<u8>()?.into()) },
        11 => Input::Busy { on: u.arbitrary()? },
        12 => Input::Hint(Hint { min_delay: span(u)?, spread: span(u)?, stop: u.ratio(1, 16)? }),
        13 => Input::Endpoints { count: NonZeroU32::MIN.saturating_add(u.arbitrary::<u8>()?.into()) },
        14 => Input::Budget { wait: span(u)?.unwrap_or_default() },
        _ => Input::Timeout,
    })
}

pub(crate) fn cause(u: &mut Unstructured<'_>) -> Result<Cause> {
    Ok(match u.int_in_range(0..=7)? {
        0 => Cause::NETWORK,
        1 => Cause::network(*u.choose(NetworkDetail::ALL)?),
        2 => Cause::Timeout,
        3 => Cause::Protocol,
        4 => Cause::Superseded,
        5 => Cause::Http { status: u.arbitrary()?, retry_after: span(u)? },
        6 => Cause::Http { status: *u.choose(&[401, 403, 404, 429, 503])?, retry_after: span(u)? },
        _ => Cause::Close { code: u.int_in_range(999..=1015)?, retry_after: span(u)? },
    })
}

/// Any span up to 36 years, or none; most often one of some seconds.
pub(crate) fn span(u: &mut Unstructured<'_>) -> Result<Option<Micros>> {
    Ok(match u.int_in_range(0..=3)? {
        0 => None,
        1 => Some(Micros::from_micros(u.int_in_range(0..=1 << 50)?)),
        _ => Some(Micros::from_millis(u.arbitrary::<u16>()?.into())),
    })
}

/// One step, and the laws that need no memory.
///
/// `time_ends`: the machine has a dial that never comes, or its time is so late that it can't count up to the next one.
pub(crate) fn step(machine: &mut ReconnectMachine, now: Timestamp, input: Input, time_ends: bool) {
    let before = machine.phase();
    let outputs = machine.handle(now, input);
    let after = machine.phase();

    assert!(machine.deadline().is_none_or(|deadline| deadline > now), "progress: {:?} at {now:?}", machine.deadline());

    let asked = matches!(input, Input::Start | Input::Reconnect);
    if before.is_terminal() && !asked {
        assert!(outputs.is_empty() && after == before, "terminal-is-quiet: {input:?} in {before}: {outputs:?}");
    }
    if after.is_terminal() {
        assert_eq!(machine.deadline(), None, "terminal-is-quiet: {after} has a deadline");
    }

    let dials = outputs.commands().filter(|command| matches!(command, Command::Dial(_))).count();
    assert!(dials <= 1, "one-dial-after-a-jump: {outputs:?}");
    if dials == 1 {
        assert!(after.is_connecting(), "single-flight: a dial under way in {after}");
    }

    let moves = match after {
        redial::Phase::Idle | redial::Phase::Closed | redial::Phase::Failed => true,
        redial::Phase::Held => machine.holds().iter().next().is_some(),
        redial::Phase::Open => machine.deadline().is_some() || machine.policy().health_check_interval().is_none(),
        redial::Phase::Connecting | redial::Phase::Handshaking | redial::Phase::Waiting => machine.deadline().is_some(),
    };
    assert!(moves || time_ends, "never-stuck: nothing to wait for in {after} after {input:?}: {machine:?}");
}
