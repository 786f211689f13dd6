//! Inputs out of numbers. -1 stands for none.

use core::num::NonZeroU32;

use redial::{Cause, ConnectionId, Hint, HoldReason, Input, Micros, NetworkDetail, PingId};

pub(crate) fn micros(number: f64) -> Micros {
    Micros::from_micros(number as u64)
}

fn optional(number: f64) -> Option<Micros> {
    (number >= 0.0).then(|| micros(number))
}

/// `number` is the code or the status; for the network, the place of the detail, from 1.
fn cause(kind: f64, number: f64, retry_after: f64) -> Cause {
    let retry_after = optional(retry_after);
    match kind as u32 {
        0 => Cause::Network { detail: NetworkDetail::ALL.get((number as usize).wrapping_sub(1)).copied() },
        1 => Cause::Timeout,
        2 => Cause::PingTimeout,
        3 => Cause::Http { status: number as u16, retry_after },
        4 => Cause::Close { code: number as u16, retry_after },
        5 => Cause::Protocol,
        6 => Cause::User,
        _ => Cause::Superseded,
    }
}

fn reason(number: f64) -> HoldReason {
    match number as u32 {
        0 => HoldReason::AutoReconnectOff,
        1 => HoldReason::Offline,
        2 => HoldReason::Hidden,
        _ => HoldReason::Idle,
    }
}

/// The inputs in the order of the contract's table.
pub(crate) fn input(kind: u32, a: f64, b: f64, c: f64, d: f64) -> Input {
    let connection = ConnectionId(a as u64);
    match kind {
        0 => Input::Start,
        1 => Input::Stop,
        2 => Input::Reconnect,
        3 => Input::Hold { reason: reason(a) },
        4 => Input::Release { reason: reason(a) },
        5 => Input::Opened { connection },
        6 => Input::Ready { connection },
        7 => Input::Failed { connection, cause: cause(b, c, d) },
        8 => Input::Closed { connection, cause: cause(b, c, d) },
        9 => Input::Received { connection },
        10 => Input::Pong { connection, ping: PingId(b as u64) },
        11 => Input::Busy { on: a != 0.0 },
        12 => Input::Hint(Hint { min_delay: optional(a), spread: optional(b), stop: c != 0.0 }),
        13 => Input::Endpoints { count: NonZeroU32::new(a as u32).unwrap_or(NonZeroU32::MIN) },
        14 => Input::Budget { wait: micros(a) },
        _ => Input::Timeout,
    }
}
